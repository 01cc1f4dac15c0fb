/* SPDX-License-Identifier: BSD-2-Clause */
/* WebSockets that go from one worker to another, with what their plugin knows
 * of them (hostd.p.ws_state/1) and their channels. */
#ifndef PLUGIN_WS_MOVE_H
#define PLUGIN_WS_MOVE_H

#include <hostd/abi.h>
#include "net/handover.h"
#include "ws/server.h"

struct plugins;
struct ws_conn;

/* Are its channels held there? */
int	ws_move_is_ready(const struct plugins *, const struct ws_conn *,
	    const struct handover_peer *to);
/* WS_NOT_THIS: it stays, and is sent away some time soon. */
enum ws_given ws_move_give(struct ws_conn *, struct handover_peer *);
/* HANDOVER_TAKEN, or REFUSED. */
enum handover_answer ws_move_take(struct plugins *, int fd,
	    hostd_buf record);

#endif
