/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.channel/1: publish and subscribe.
 *
 * A channel is a name of 1 to 255 bytes without control bytes.  It exists
 * while somebody is subscribed: a socket (hostd.ws/1, subscribe) or an instance
 * (below).  A message published to it goes to every subscriber of every worker
 * of this machine, and of every node when a pubsub_backend is configured.
 * All plugins share the names: prefix yours.  Those that start with "hostd/"
 * are the host's, and E_INVAL; except "hostd/own/", since ABI 1.3.  Such a
 * channel is the instance's own, in all workers and nodes that have an instance
 * of its name in the configuration: no other can publish or subscribe there,
 * nor can sockets.  There is room for 128 bytes behind HOSTD_CHANNEL_OWN,
 * unless the instance's name has more than 100.
 *
 * Delivery
 *
 *   At most once.  Messages of one worker to one channel arrive in the order
 *   published; there is no order between publishers.  What a client has
 *   published in one worker comes, on this machine, before what it has
 *   published in the one that it was moved to (<hostd/state.h>).
 *   A subscriber sees nothing that was published in its worker before its
 *   subscribe returned.  It gets what any worker of this machine publishes
 *   after that, except from one that is just starting and has not met this one
 *   yet; and from other nodes what the backend brings.
 *   A socket that is too slow loses messages or is closed, by its route's
 *   slow_peer; others do not notice.  A worker that stalls loses messages
 *   beyond the limit of the bus; its instances are told by a gap.
 *   A socket that moves to another worker gets all of it, once; while it does,
 *   count and list may see it twice.
 */
#ifndef HOSTD_CHANNEL_H
#define HOSTD_CHANNEL_H

#include <hostd/abi.h>
#include <hostd/ws.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_CHANNEL "hostd.channel/1"

#define HOSTD_CHANNEL_OWN "hostd/own/"	/* a prefix, see above */

/* One subscription of an instance. */
typedef struct {
	uint64_t id;
} hostd_sub;

/* What happens on a channel. */
enum {
	HOSTD_CHANNEL_MESSAGE = 1,
	HOSTD_CHANNEL_GAP = 2	/* messages from elsewhere may be missing here;
				   node, seq and msg are empty */
};

/* [call] */
struct hostd_channel_event {
	uint32_t struct_size;
	uint32_t type;		/* HOSTD_CHANNEL_* */
	uint32_t flags;		/* HOSTD_WS_TEXT or HOSTD_WS_BINARY */
	uint32_t reserved;
	uint64_t node, seq;	/* a name of this message everywhere: who
				   published it, and its number there */
	hostd_buf channel, msg;
};

/* Since 1.4.  A channel, and how many sockets are subscribed to it.  [call] */
typedef struct {
	hostd_buf channel;
	uint64_t sockets;
} hostd_channel_size;

/*
 * All [loop]; E_THREAD elsewhere.  E_INVAL for a bad name is not repeated
 * below.
 */
struct hostd_channel_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * Publish one message; it is copied, and framed once per worker.
	 * except (id 0: nobody) is left out.  flags as for send of hostd.ws/1.
	 * Sockets of this worker get it in this turn of the loop; this
	 * instance's own subscriptions get it too, later in the turn.
	 *   OK      on its way
	 *   AGAIN   on its way, but a worker or the backend is above high
	 *           water: slow down
	 *   E_INVAL flags, text that is not UTF-8, or over 16 MiB
	 */
	int32_t (*publish)(const struct hostd_host *, hostd_buf channel,
	    hostd_buf msg, uint32_t flags, hostd_ws except);

	/*
	 * Call fn(inst, sub, arg, event) for each event.  fn is [loop].
	 * Errors: E_FULL (65536 subscriptions of an instance; it is ending).
	 */
	int32_t (*subscribe)(const struct hostd_host *, hostd_buf channel,
	    void (*fn)(struct hostd_inst *, hostd_sub, void *arg,
	    const struct hostd_channel_event *), void *arg, hostd_sub *out);
	/* fn is not called any more.  Errors: E_GONE. */
	int32_t (*unsubscribe)(const struct hostd_host *, hostd_sub);

	/* How many sockets of this worker are subscribed. */
	int32_t (*count_here)(const struct hostd_host *, hostd_buf channel,
	    uint32_t *out);
	/*
	 * How many sockets of all workers and nodes: done(inst, arg, status, n)
	 * is called once, later.  status E_TIMEOUT: n counts those who answered
	 * in time, or before the instance ended.
	 * Errors, here and below: E_STATE (the instance is ending).
	 */
	int32_t (*count)(const struct hostd_host *, hostd_buf channel,
	    void (*done)(struct hostd_inst *, void *arg, int32_t status,
	    uint64_t n), void *arg);
	/*
	 * Their labels (set_label of hostd.ws/1), at most 1000, in no order:
	 * done(inst, arg, status, labels, n) is called once, later, as above.
	 * Sockets without a label are left out.
	 */
	int32_t (*list)(const struct hostd_host *, hostd_buf channel,
	    void (*done)(struct hostd_inst *, void *arg, int32_t status,
	    const hostd_buf *labels, uint32_t n), void *arg);

	/*
	 * Remember the channel's messages from now on: the last max (at most
	 * 1000, and 4 MiB), each for max_age_ms.  Another instance's wish for
	 * more is more; a later call of this one replaces the earlier.  max 0:
	 * do not care any more.
	 * Errors: E_INVAL.
	 */
	int32_t (*keep)(const struct hostd_host *, hostd_buf channel,
	    uint32_t max, uint32_t max_age_ms);
	/*
	 * What workers and nodes remember of a channel, oldest first: later
	 * fn(inst, arg, HOSTD_OK, event) for each message, and for a GAP where
	 * one of them may have missed some; then once with event NULL and
	 * status HOSTD_OK, or E_TIMEOUT when not all who might know have
	 * answered.  Behind the message named by node and seq if that is among
	 * them; else, and with 0 and 0, all.
	 * Of what this machine publishes nothing falls between a replay and a
	 * subscription made before it; some may come by both.
	 */
	int32_t (*replay)(const struct hostd_host *, hostd_buf channel,
	    uint64_t node, uint64_t seq, void (*fn)(struct hostd_inst *,
	    void *arg, int32_t status, const struct hostd_channel_event *),
	    void *arg);

	/*
	 * Since 1.4.  The channels that most sockets of all workers of this
	 * machine are subscribed to, whichever plugin's: done(inst, arg,
	 * status, sizes, n) is called once, later, with at most max (1 to
	 * 1000), the largest first.  status as of count.  Each worker tells its
	 * largest 1000, so with more than that sizes may be too small.
	 * Errors: E_INVAL (max), E_STATE (the instance is ending).
	 */
	int32_t (*largest)(const struct hostd_host *, uint32_t max,
	    void (*done)(struct hostd_inst *, void *arg, int32_t status,
	    const hostd_channel_size *sizes, uint32_t n), void *arg);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_CHANNEL_H */
