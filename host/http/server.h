/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All HTTP/1 connections of one worker: their shared parser, router, limits
 * and pools of memory.  Belongs to one loop.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdint.h>
#include <sys/queue.h>
#include "base/accesslog.h"
#include "base/board.h"
#include "base/buf.h"
#include "base/handle.h"
#include "config/model.h"
#include "http/guard.h"
#include "http/request.h"
#include "http/sent.h"
#include "http/trace.h"
#include "http/veil.h"
#include "net/stream.h"

struct http_conn;

/* Who speaks HTTP/2, in a room above this one (http2/server.h). */
struct http2_hooks {
	/* The client has begun to speak it: who gets the connection. */
	struct http_upgrade *(*begin)(struct http2_hooks *,
	    struct http_conn *);
	/* http_server_drain and http_server_leave were called. */
	void (*drain)(struct http2_hooks *);
	/* The server is about to be closed. */
	void (*close)(struct http2_hooks *);
	/* A stream goes to another worker, which gets the end of a socket that
	 * is left in *fd: who has it here then; NULL: no socket is to be
	 * had. */
	struct http_upgrade *(*pass)(struct http2_hooks *, struct http_conn *,
	    int *fd);
	/* What its record begins with; behind that is the connection's. */
	void (*pack)(const struct http_conn *, struct buf *);
	/* One has come: 0, or -1: fd is still the caller's. */
	int (*take)(struct http2_hooks *, int fd, hostd_buf record);
};

struct http_server {
	struct loop *loop;
	struct stream_io sio;
	const struct conf *conf;
	const struct conf_http *limits;
	struct guard_limits guard;
	struct parser *parser;
	struct router *router;
	struct http2_hooks *http2;		/* NULL: nobody does */
	struct access_logs logs;
	struct sent_names sent;		/* headers of answers that they tell
					   of */
	struct http_lessor *lessor;		/* NULL: nothing is leased */
	struct veil veil;			/* and what not */
	struct traces traces;
	struct handle_table handles;		/* hostd_req -> http_req */
	struct board_cell *cell;		/* counters */
	struct traffic *traffic;		/* by route; NULL: nobody
						   asks */
	const struct conf_pool *pool;		/* ours; NULL: the only one */
	TAILQ_HEAD(, http_conn) conns;
	TAILQ_HEAD(, http_conn) away;		/* nobody takes them now */
	size_t nconns, nidle;			/* upgraded ones and streams
						   included */
	struct http_conn *free_conns;
	struct http_req *free_reqs;
	struct loop_task reap;			/* closed conns -> free list */
	struct http_conn *closed_conns;
	struct buf allow;			/* of the last 405 */
	int redirects;				/* of some listen block */
	int draining;
	int leaving;				/* clients shall go elsewhere */
	uint64_t leave_ms;			/* within so long */
	int closing_idle;
	uint64_t nobody_ms;			/* when that was told last */
	uint64_t refused_ms;			/* of clients' certificates */
	uint64_t proxy_ms;			/* of a bad PROXY header */
	/* While we drain and others follow, or others have less to do: give a
	 * connection to one of them.  0, or -1: not now. */
	int (*give)(struct http_server *, struct http_conn *);
	/* Give one to a worker of the pool away.to, of away.slot if it says
	 * one.  0, or -1: not now. */
	int (*pass)(struct http_server *, struct http_conn *);
	/* How many slots our pool has; and whether somebody serves that one:
	 * HOSTD_OK, E_INVAL (there is none), E_GONE, E_STATE (we do). */
	uint32_t (*slots)(const struct http_server *);
	int32_t (*serves)(const struct http_server *, uint32_t slot);
	/* A connection has ended: room for another, or drained. */
	void (*conn_ended)(struct http_server *);

	char stamp[128];		/* "Server: ...\r\nDate: ...\r\n" */
	size_t stamp_len;
	int64_t stamp_s;			/* the second it was made for */
	uint64_t stamp_ms;
};

/* cell may be any zeroed memory; conf must outlive the server. */
void	http_server_init(struct http_server *, struct loop *,
	    const struct conf *, struct router *, struct board_cell *);
/* Closes what is still open; every request's end() is called. */
void	http_server_close(struct http_server *);

/* From now on connections are given away; those that can't be get answers with
 * Connection: close.  Idle ones may ask once more; if this is the last that is
 * served here, they are closed. */
void	http_server_drain(struct http_server *, int last);
/* Answers ask clients to come back on another connection, which may be to
 * another node; idle ones are closed within the window.  Or so no more. */
void	http_server_leave(struct http_server *, int on, uint64_t window_ms);
/* Somebody takes connections again. */
void	http_server_give(struct http_server *);
/* Perhaps somebody of another pool does. */
void	http_server_pass(struct http_server *);

/* There is one more. */
void	http_server_began(struct http_server *);
/* A connection is over, upgraded or not: counted, conn_ended called. */
void	http_server_ended(struct http_server *);
/* It is another worker's: conn_ended is called. */
void	http_server_left(struct http_server *);
/* Show on the board how many connections there are. */
void	http_server_gauges(struct http_server *);

/* The answer's common header lines, made once a second. */
void	http_server_stamp(struct http_server *);

#endif
