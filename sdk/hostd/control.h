/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.control/1: what hostctl can do, for instances that the operator has
 * named in the key "controllers".
 *
 * The master does it, and looks for itself whether the instance may: by the
 * configuration of the worker's generation.  An instance that routes name may
 * only in workers of pools that answer these.  Each order that changes
 * something is an event, and a line of the log, with the instance and the user
 * that the plugin has named.  That user is the plugin's word: whether he may is
 * for the plugin to find out before.
 */
#ifndef HOSTD_CONTROL_H
#define HOSTD_CONTROL_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_CONTROL "hostd.control/1"

/* Orders that change something.  The answer is a text for people. */
enum {
	HOSTD_CONTROL_RELOAD = 1,
	HOSTD_CONTROL_DRAIN = 2,	/* the node; or the worker "name" */
	HOSTD_CONTROL_UNDRAIN = 3,	/* the same */
	HOSTD_CONTROL_SCALE = 4,	/* pool "name", to number workers */
	HOSTD_CONTROL_RESTART = 5	/* all; or the pool or worker "name" */
};

/* Questions.  The answer is a JSON object. */
enum {
	/*
	 * {"state": "serving" | "changing" | "draining" | "stopping",
	 * "pools": [{"name", "target", "stopped"}],
	 * "processes": [{"pid", "rss"}], "generations": [...]}, the latter as
	 * of hostctl generations --json; rss is in bytes.
	 */
	HOSTD_CONTROL_NODE = 64,
	/* {"events": [...]}, as of hostctl events --json: those after the one
	 * whose "n" is number, at most the last 100. */
	HOSTD_CONTROL_EVENTS = 65,
	/*
	 * {"kind": "file", "mark": "...", "text": "..."}: what the error log
	 * has got since it was asked for with the mark "name" of an earlier
	 * answer; without one, and when there is too much, its last lines.
	 * Whole lines, at most 32 KiB.  If kind is none but "file", nobody can
	 * read there, and text is "".
	 */
	HOSTD_CONTROL_LOG = 66
};

struct hostd_control_order {
	uint32_t struct_size;
	uint32_t what;		/* HOSTD_CONTROL_* */
	int64_t number;
	hostd_buf name;		/* at most 255 bytes; n 0: none */
	hostd_buf user;		/* who wants it, for the log: likewise */
	uint32_t limit_ms;	/* 1 to 3600000: how long to wait for it */
	uint32_t reserved;
};

/* All [loop]. */
struct hostd_control_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * Since 1.4.  HOSTD_OK: the instance is one of the controllers.
	 * Errors: E_NOTSUP (it is not), E_THREAD.
	 */
	int32_t (*may)(const struct hostd_host *);
	/*
	 * Since 1.4.  What the order points to is copied.  HOSTD_DEFER:
	 * done(inst, arg, status, answer) is called later, once, unless the
	 * instance ends before; answer is [call].  status:
	 *   OK		done
	 *   E_STATE	something else is under way: try again later
	 *   E_INVAL	it can't be done, answer says why
	 *   E_NOTSUP	the master says that this instance may not
	 *   E_TIMEOUT	not within limit_ms.  It goes on all the same.
	 *   E_IO	the master has gone
	 *   E_FULL	the answer is too long
	 * A worker that is replaced by what it has asked for hears of it all
	 * the same, if it has not ended by then.
	 * Errors: E_INVAL (done is NULL, or the order makes no sense), E_NOTSUP
	 * (as for may), E_STATE (before start, or the instance is ending),
	 * E_FULL (32 have not been answered, or the master reads nothing),
	 * E_IO, E_THREAD.
	 */
	int32_t (*ask)(const struct hostd_host *,
	    const struct hostd_control_order *,
	    void (*done)(struct hostd_inst *, void *arg, int32_t status,
	    hostd_buf answer), void *arg);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_CONTROL_H */
