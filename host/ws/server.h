/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All WebSockets of one worker: what they share.  They are connections of the
 * HTTP server that were upgraded, and count as such there.
 */
#ifndef WS_SERVER_H
#define WS_SERVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "base/buf.h"
#include "base/handle.h"
#include "http/server.h"
#include "net/loop.h"
#include "ws/reader.h"

struct ws_conn;

enum ws_given { WS_GIVEN, WS_NOT_THIS, WS_NOT_NOW };

struct ws_server {
	struct http_server *http;
	struct loop *loop;
	struct board_cell *cell;
	struct ws_reader_pool readers;
	struct handle_table handles;	/* hostd_ws -> ws_conn */
	TAILQ_HEAD(ws_conns, ws_conn) conns;
	size_t nconns;
	struct buf packed;		/* of the message being compressed */
	hostd_buf text;			/* being told; checked to be UTF-8 */
	uint64_t spread;		/* ms; of those who are sent away */
	int last;			/* nobody follows */
	/* While we drain and another worker follows: give it a connection that
	 * can move. */
	enum ws_given (*give)(struct ws_server *, struct ws_conn *);
	struct ws_conn *closed;		/* until the end of the turn */
	struct loop_task reap;
};

void	ws_server_init(struct ws_server *, struct http_server *);
/* Before http_server_close; every connection's close() is called. */
void	ws_server_close(struct ws_server *);

/*
 * The worker is to end, within deadline_ms (0: some day).  When nobody follows
 * all are sent away with 1001 at once; else with 1012, spread over the first
 * half of the time so that they do not all come back in one moment.  Those that
 * can move have until the second half to do so.
 */
void	ws_server_drain(struct ws_server *, uint32_t deadline_ms, int last);
/* Send all away within the window, or let those stay that have not gone. */
void	ws_server_leave(struct ws_server *, int on, uint32_t window_ms);
/* Give all that can move; returns how many of them still wait for it, or 1 when
 * there are more than can be given now. */
size_t	ws_server_give(struct ws_server *);
/* Send this one away, some time soon. */
void	ws_server_send_away(struct ws_server *, struct ws_conn *);

#endif
