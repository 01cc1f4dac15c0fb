/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.worker/1: which of the workers this is, and giving a request to another
 * one of the pool.
 *
 * It is for plugins whose clients belong to one worker, as the sessions of
 * Socket.IO do, and come by requests that any worker may get.  Nothing has to
 * be balanced by client then, and nothing is forwarded: what moves is the
 * connection, with the request that was read of it, or the one stream of
 * HTTP/2.
 *
 * A worker serves a slot of its pool.  Over a reload, and when it has crashed,
 * another process follows it in that slot; so a client that belongs to a worker
 * names the slot, and a state that must not be another process's names
 * `process`, too.
 */
#ifndef HOSTD_WORKER_H
#define HOSTD_WORKER_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_WORKER "hostd.worker/1"

struct hostd_worker_info {
	uint32_t struct_size;
	uint32_t slot;		/* of the pool; the first is 0 */
	uint32_t workers;	/* how many slots the pool has: as configured,
				   or more while it is scaled by hand */
	uint32_t reserved;
	const char *pool;	/* its name; "" in a test of the configuration,
				   which serves nobody */
	uint64_t node;		/* the machine's run of hostd: random, the same
				   in all of its workers, over reloads and
				   upgrades; as in hostd_channel_event */
	uint64_t process;	/* this process, of those of the node: never
				   used twice */
};

/* The host's table.  All [loop]. */
struct hostd_worker_api {
	uint32_t struct_size;
	uint32_t reserved;

	/* Who this is; [call].  NULL off the loop.  Since 1.5. */
	const struct hostd_worker_info *(*self)(const struct hostd_host *);

	/*
	 * Give a request to the worker that serves that slot of this pool: from
	 * on_headers or on_upgrade, before anything was answered.  There the
	 * request is told as if it had just come, to the instance of the same
	 * route; its body was not read by then.  What comes next on the
	 * connection comes there, too.
	 *
	 * HOSTD_OK     return HOSTD_OK or HOSTD_DEFER from the callback.  The
	 *              request is not to be answered any more (E_STATE), and
	 *              on_end or on_refused follows, with HOSTD_END_MOVED.
	 *              Any other code says that the callback has failed: the
	 *              request stays and is answered as ever.
	 * E_INVAL      no such slot
	 * E_STATE      it is this worker's own; or an answer was begun, or
	 *              this is another callback
	 * E_GONE       nobody serves it now, or has taken the request within
	 *              the pool's queue_timeout: then it is told here again,
	 *              and this is what the second try is answered
	 * E_FULL       it was given too often: whoever sends it to and fro must
	 *              answer it
	 * E_NOTSUP     this connection cannot go to another process
	 *
	 * When the slot's worker is being replaced, the one that follows gets
	 * the request; so may this worker, when it is the one that goes, and
	 * gives to its own slot.  When a worker ends while it has a request
	 * that it has taken, the client sees what it would see of this one.
	 * Since 1.5.
	 */
	int32_t (*give)(const struct hostd_host *, hostd_req, uint32_t slot);

	/*
	 * on 1: something that was begun here must end here, so when the worker
	 * is replaced, it does not end with its last connection, but when the
	 * instance has said 0, or at the pool's drain_timeout.  Said twice is
	 * said once.  A stop of hostd does not wait for it.  Since 1.5.
	 */
	int32_t (*stay)(const struct hostd_host *, int32_t on);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_WORKER_H */
