/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DRAFT: may change until it leaves hostd/draft/.
 *
 * What a plugin may hand over to its successor in the next generation: the
 * state of an instance ("hostd.p.state/1") and of each open WebSocket
 * ("hostd.p.ws_state/1").  Both are asked for through hostd_plugin.get_ext.
 *
 * The order, for each worker slot
 *
 *   successor   create
 *   old         stops accepting; save of the instance
 *   successor   load of the instance, then start
 *   old, succ.  save and load of each WebSocket, one after the other
 *   old         drain, destroy
 *
 * A record is bytes and a version number, both the plugin's.  Write it in a
 * fixed byte order and expect older and newer versions: a reload may go either
 * way.  Any failure is a cold start and a line in the log, never a failed
 * reload.
 */
#ifndef HOSTD_DRAFT_STATE_H
#define HOSTD_DRAFT_STATE_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_P_STATE		"hostd.p.state/1"
#define HOSTD_P_WS_STATE	"hostd.p.ws_state/1"

/*
 * Where save writes to: call put(arg, part) any number of times before save
 * returns; parts are copied.  HOSTD_OK, or HOSTD_E_FULL when the record is over
 * the host's limit: give up and return that code.
 */
struct hostd_put {
	uint32_t struct_size;
	uint32_t reserved;
	void *arg;
	int32_t (*put)(void *arg, hostd_buf part);
};

struct hostd_p_state {
	uint32_t struct_size;
	uint32_t version;	/* of what save writes */

	/* [loop] Write the record.  The instance goes on serving what it has.
	 * Negative: no record. */
	int32_t (*save)(struct hostd_inst *, const struct hostd_put *);
	/* [loop] Between create and start.  Negative: refused; the instance
	 * must be as create left it. */
	int32_t (*load)(struct hostd_inst *, uint32_t from_version,
	    hostd_buf record);
};

/*
 * d is the connection's data_size bytes.  In load they are zeroed, on_open is
 * not called; the socket's channels, ping timer and compression are restored by
 * the host.
 */
struct hostd_p_ws_state {
	uint32_t struct_size;
	uint32_t version;

	/* [loop] After OK nothing of this socket is called any more, not even
	 * on_close: free here what d owns.  Negative: it stays, and is closed
	 * with 1012 before the deadline. */
	int32_t (*save)(struct hostd_inst *, hostd_ws, void *d,
	    const struct hostd_put *);
	/* [loop] Negative: refused, and closed with 1012; on_close is not
	 * called. */
	int32_t (*load)(struct hostd_inst *, hostd_ws, void *d,
	    uint32_t from_version, hostd_buf record);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_DRAFT_STATE_H */
