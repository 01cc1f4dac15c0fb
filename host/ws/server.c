/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "ws/conn.h"
#include "ws/deflate.h"

#define SPREAD_MAX	10000	/* ms over which clients are sent away */
#define HALF_OF_NONE	15000	/* ms, when a worker has all the time */

static void
server_reap(struct loop_task *t)
{
	struct ws_server *srv = (struct ws_server *)(void *)((char *)t -
	    offsetof(struct ws_server, reap));
	struct ws_conn *c;

	while ((c = srv->closed) != NULL) {
		srv->closed = c->next_closed;
		free(c);
	}
}

void
ws_server_init(struct ws_server *srv, struct http_server *http)
{
	const struct conf_websocket *conf = &http->conf->websocket;

	memset(srv, 0, sizeof(*srv));
	srv->http = http;
	srv->loop = http->loop;
	srv->cell = http->cell;
	srv->readers.zpool = ws_zpool_new(conf->level, conf->memory);
	srv->reap.run = server_reap;
	TAILQ_INIT(&srv->conns);
}

void
ws_server_close(struct ws_server *srv)
{
	struct ws_conn *c;

	while ((c = TAILQ_FIRST(&srv->conns)) != NULL)
		ws_conn_cut(c, HOSTD_WS_ABNORMAL);
	loop_undefer(srv->loop, &srv->reap);
	server_reap(&srv->reap);
	ws_sequences_free(&srv->readers.sequences);
	ws_zpool_free(srv->readers.zpool);
	handle_table_free(&srv->handles);
	buf_free(&srv->packed);
}

void
ws_server_send_away(struct ws_server *srv, struct ws_conn *c)
{
	hostd_buf none = { NULL, 0 };

	if (c->state != WS_OPEN)
		return;
	if (srv->last) {
		(void)ws_conn_close(c, HOSTD_WS_GOING_AWAY, none);
		return;
	}
	c->leave_ms = srv->loop->now_ms +
	    (uint64_t)random() % (srv->spread + 1);
	ws_conn_arm(c);
}

void
ws_server_drain(struct ws_server *srv, uint32_t deadline_ms, int last)
{
	uint64_t half = deadline_ms > 0 ? deadline_ms / 2 : HALF_OF_NONE;
	struct ws_conn *c, *next;

	srv->spread = half < SPREAD_MAX ? half : SPREAD_MAX;
	srv->last = last;
	for (c = TAILQ_FIRST(&srv->conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		ws_server_send_away(srv, c);
		if (srv->give != NULL && ws_conn_may_move(c) &&
		    c->leave_ms != 0)
			c->leave_ms += half;
	}
}

void
ws_server_leave(struct ws_server *srv, int on, uint32_t window_ms)
{
	struct ws_conn *c, *next;

	srv->spread = window_ms;
	for (c = TAILQ_FIRST(&srv->conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (on) {
			ws_server_send_away(srv, c);
		} else if (c->leave_ms != 0) {
			c->leave_ms = 0;
			ws_conn_arm(c);
		}
	}
}

size_t
ws_server_give(struct ws_server *srv)
{
	struct ws_conn *c, *next;
	enum ws_given given;
	size_t waiting = 0;

	for (c = TAILQ_FIRST(&srv->conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (!ws_conn_can_move(c))
			continue;
		given = srv->give(srv, c);
		if (given != WS_GIVEN && ws_conn_may_move(c))
			waiting++;
		if (given == WS_NOT_NOW)
			break;
	}
	return waiting;
}
