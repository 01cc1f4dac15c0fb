/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a plugin hands to its successor when a worker is replaced: the state of
 * an instance, hostd.p.state/1, and of each open WebSocket,
 * hostd.p.ws_state/1.  Both are the plugin's tables: its get_ext returns them
 * by these ids, good for as long as the plugin is loaded.
 *
 * The order, for each slot of workers
 *
 *   successor      create
 *   old            stops accepting (who connects waits in the kernel's queue);
 *                  save of each instance
 *   successor      load of each instance, then start; it accepts
 *   old, succ.     save and load of each WebSocket; moved
 *   old            drain, destroy
 *
 * Slot n of a pool hands to slot n of that pool, an instance to the one that is
 * configured by the same name and whose plugin has the same id.  That is so at
 * a reload, at a rollback, and at a restart that is asked for.
 *
 * A cold start, one without load, is what happens otherwise: the first start of
 * a slot; a worker that crashed or was killed, whose state is lost; a slot that
 * is scaled away, whose state goes to nobody; a plugin without the table; a
 * save that failed, took longer than state_timeout, or put more than max_state
 * (hostd.conf(5)); a load that refused.  All but the first and those without a
 * table are told in the log.  So state is what is good to have, never what must
 * not be lost.
 *
 * When the successor fails after save - its load crashes or hangs, its start
 * refuses - the old worker accepts again and goes on with all that it had: save
 * must change nothing.
 *
 * A state is bytes and a version number, both the plugin's.  It never leaves
 * the machine, but the code that loads it may be older or newer than the code
 * that saved it: a reload may go either way.  Look at from_version, and at
 * every length; refuse what you do not know.  Where it is plain data, one line
 * of <hostd/easy.h> does: HOSTD_STATE_PLAIN and HOSTD_WS_STATE_PLAIN.
 */
#ifndef HOSTD_STATE_H
#define HOSTD_STATE_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_P_STATE		"hostd.p.state/1"
#define HOSTD_P_WS_STATE	"hostd.p.ws_state/1"

/* Bytes of one connection's state. */
#define HOSTD_WS_STATE_MAX	65536u

/*
 * The state of an instance.  All [loop]; save and load are not optional.
 *
 * put adds a part to the state, which is copied; call it any number of times,
 * with the arg that came with it, until save returns.
 *   HOSTD_OK   taken
 *   E_FULL     over the limit: nothing more will be taken, and it will be a
 *              cold start.  Return it.
 *   E_NOMEM    as E_FULL
 *   E_INVAL    bytes at NULL
 *   E_THREAD   off the loop
 */
struct hostd_p_state {
	uint32_t struct_size;
	uint32_t version;		/* of what save puts */

	/*
	 * Put all that a successor needs.  Connections are open and requests
	 * in progress, and they go on; what changes from now on is not carried.
	 * All of it is one callback: while it runs nobody is served, and after
	 * state_timeout nobody waits for it.
	 * HOSTD_OK       that is the state, even if nothing was put
	 * HOSTD_E_NOTSUP there is none worth keeping: a cold start
	 * negative       it could not: a cold start, and a line in the log
	 */
	int32_t (*save)(struct hostd_inst *,
	    int32_t (*put)(void *arg, hostd_buf part), void *arg);
	/*
	 * Between create and start.  state is [call], what was put in one
	 * piece, aligned for any type; from_version is what the version was of
	 * the one who put it.  May do what create may, but define no metrics.
	 * Negative: refused.  The instance must be as create left it, and goes
	 * on with start.
	 */
	int32_t (*load)(struct hostd_inst *, uint32_t from_version,
	    hostd_buf state);
};

/*
 * The state of one open WebSocket of ws_handler/1.  All [loop]; moved is
 * optional.
 *
 * The client notices nothing: no close, no reconnect, no message lost or
 * doubled.  What the host knows of a socket moves by itself: what `info` of
 * hostd.ws/1 tells, its channels, its label, `pause`, an on_writable that is
 * owed, bytes that have come.  What these functions carry is d and
 * whatever else the plugin knows of it.
 *
 * A plugin without this table, and one whose save or load is negative, has the
 * socket closed with 1012 before the old worker ends.
 *
 * d is plain data when it holds no pointers, handles or numbers that mean
 * something in one process only.
 */
struct hostd_p_ws_state {
	uint32_t struct_size;
	uint32_t version;		/* of what save puts */

	/*
	 * In the old worker, between two messages, with all output sent.
	 * put is as above, the limit HOSTD_WS_STATE_MAX.  Change nothing, and
	 * nothing of this socket: send, close, pause, subscribe, unsubscribe
	 * and set_label answer HOSTD_E_STATE until it is decided whether it
	 * goes.
	 * HOSTD_OK   it may go: next is moved, or any other callback when the
	 *            successor has refused it
	 * HOSTD_DEFER  not now: it is open as ever, and save is called again,
	 *            at the latest when its client has said something.  Since
	 *            1.5; an older host takes it for HOSTD_OK.
	 * negative   it stays, and is closed with 1012; on_close follows
	 *            (HOSTD_E_NOTSUP: not worth a line in the log)
	 */
	int32_t (*save)(struct hostd_inst *, hostd_ws, void *d,
	    int32_t (*put)(void *arg, hostd_buf part), void *arg);
	/*
	 * In the successor, in place of on_open, and after start.  d is zeroed;
	 * the handle is a new one; the socket is open, has its channels and its
	 * label.  info, data and members work, as do subscribe, unsubscribe and
	 * set_label; send, close and pause answer HOSTD_E_STATE until load has
	 * returned.  state is as in hostd_p_state.
	 * HOSTD_OK   it is this worker's: messages and on_close will come
	 * negative   refused: leave nothing behind, nothing of it is called
	 *            any more.  The old worker keeps the socket.
	 */
	int32_t (*load)(struct hostd_inst *, hostd_ws, void *d,
	    uint32_t from_version, hostd_buf state);
	/*
	 * In the old worker: the successor has it.  Free what d points to, and
	 * forget the handle, as in on_close, but tell nobody that it has left:
	 * there is no on_close.  d and the handle are good until this returns;
	 * nothing may be sent.
	 */
	void (*moved)(struct hostd_inst *, hostd_ws, void *d);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_STATE_H */
