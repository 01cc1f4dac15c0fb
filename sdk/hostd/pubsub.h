/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pubsub_backend/1: a plugin that carries channels between nodes, and
 * hostd.pubsub/1: how it tells the host what happens.
 *
 * The host does the work inside a node: subscribers, rooms, the bus between
 * workers.  A backend carries envelopes, unchanged and unread, from one node to
 * the others.  Every worker has its own instance, with connections of its own.
 * An envelope holds the origin and number of its message, so the host drops its
 * own echoes and what arrives twice: a backend that delivers to its own node,
 * or again after a reconnect, does no harm.
 *
 * At most once is enough; keep the order of what one worker publishes to one
 * channel.
 *
 * The host calls `subscribe` once per channel that anybody in this worker
 * listens to, not once per listener.  After every `up` it subscribes everything
 * again, so a backend keeps no list, and after one that follows a `down` it
 * tells plugins of a gap: of a channel when its subscription is in force, so
 * that all they miss lies before it.
 */
#ifndef HOSTD_PUBSUB_H
#define HOSTD_PUBSUB_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_KIND_PUBSUB_BACKEND	"pubsub_backend/1"
#define HOSTD_EXT_PUBSUB		"hostd.pubsub/1"

/*
 * The plugin's table for "pubsub_backend/1".  All [loop].  channel and envelope
 * are [call].  The host calls neither before `up`, nor after `down`.
 */
struct hostd_pubsub_ops {
	uint32_t struct_size;
	uint32_t flags;			/* none yet: 0 */
	uint32_t max_envelope;		/* bytes; 0: the host's limit */
	uint32_t reserved;

	/*
	 * HOSTD_OK     handed over
	 * HOSTD_AGAIN  handed over, but above high water: publishers are told
	 *              to slow down until `writable`
	 * E_FULL       not taken; the host counts and drops it
	 */
	int32_t (*publish)(struct hostd_inst *, hostd_buf channel,
	    hostd_buf envelope);
	/*
	 * on 1: subscribe; 0: no more.
	 *
	 * HOSTD_OK     done, as far as anybody can tell
	 * HOSTD_AGAIN  (on 1) asked for; `subscribed` follows.  For hosts that
	 *              have it only: ask with HOSTD_HAS
	 * negative     logged
	 */
	int32_t (*subscribe)(struct hostd_inst *, hostd_buf channel,
	    int32_t on);
};

/*
 * The host's table.  All [loop]; E_THREAD elsewhere.  Of several instances that
 * could carry channels one is chosen, when all are created: E_STATE for the
 * others, and in create.
 */
struct hostd_pubsub_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * An envelope arrived for a channel.
	 * Errors: E_INVAL (not an envelope, or not a channel: counted and
	 * dropped).
	 */
	int32_t (*deliver)(const struct hostd_host *, hostd_buf channel,
	    hostd_buf envelope);

	/* Connected and ready to subscribe; the subscribes follow later in the
	 * turn.  Errors: E_STATE (is up). */
	int32_t (*up)(const struct hostd_host *);
	/* Disconnected, or could not connect; reason is a text for the log.
	 * The node goes on alone.  Errors: E_STATE (was told before). */
	int32_t (*down)(const struct hostd_host *, hostd_buf reason);
	/* Messages of this channel (p NULL: of any) may have been lost without
	 * a disconnect. */
	int32_t (*gap)(const struct hostd_host *, hostd_buf channel);
	/* Room again after publish returned HOSTD_AGAIN. */
	int32_t (*writable)(const struct hostd_host *);

	/*
	 * A subscription that was answered HOSTD_AGAIN is in force: what others
	 * publish from now on is delivered.  Or it never will be, and nobody is
	 * to wait for it.  Not for those that a `down` or their end overtakes.
	 * Errors: E_INVAL (not a channel), E_STATE (is down).  Since 1.1.
	 */
	int32_t (*subscribed)(const struct hostd_host *, hostd_buf channel);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_PUBSUB_H */
