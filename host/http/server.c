/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "http/conn.h"
#include "http/parse.h"
#include "http/router.h"
#include "http/redirect.h"
#include "http/server.h"

/* Closed connections are reused only after the turn: events for them may
 * still be in it. */
static void
server_reap(struct loop_task *t)
{
	struct http_server *srv = (struct http_server *)(void *)((char *)t -
	    offsetof(struct http_server, reap));
	struct http_conn *c;

	while ((c = srv->closed_conns) != NULL) {
		srv->closed_conns = c->next_free;
		c->next_free = srv->free_conns;
		srv->free_conns = c;
	}
}

void
http_server_init(struct http_server *srv, struct loop *loop,
    const struct conf *conf, struct router *router, struct board_cell *cell)
{
	memset(srv, 0, sizeof(*srv));
	srv->loop = loop;
	srv->conf = conf;
	srv->limits = &conf->http;
	srv->redirects = redirect_is_wanted(conf);
	srv->guard.request_line = (size_t)conf->http.max_request_line;
	srv->guard.head = (size_t)conf->http.max_head;
	srv->guard.headers = (size_t)conf->http.max_headers;
	veil_init(&srv->veil, conf);
	traces_init(&srv->traces, &conf->http);
	srv->router = router;
	srv->cell = cell;
	srv->parser = parser_new((size_t)conf->http.max_headers);
	srv->reap.run = server_reap;
	stream_io_init(&srv->sio, loop);
	srv->sio.counters = &cell->counters;
	TAILQ_INIT(&srv->conns);
	TAILQ_INIT(&srv->away);
}

static void
free_requests(struct http_server *srv)
{
	struct http_req *r;

	while ((r = srv->free_reqs) != NULL) {
		srv->free_reqs = r->next_free;
		free(r->data);
		free(r->head_room);
		free(r);
	}
}

void
http_server_close(struct http_server *srv)
{
	struct http_conn *c;

	if (srv->http2 != NULL)
		srv->http2->close(srv->http2);
	while ((c = TAILQ_FIRST(&srv->conns)) != NULL)
		conn_close(c, HOSTD_END_SHUTDOWN);
	loop_undefer(srv->loop, &srv->reap);
	server_reap(&srv->reap);
	while ((c = srv->free_conns) != NULL) {
		srv->free_conns = c->next_free;
		free(c);
	}
	free_requests(srv);
	parser_free(srv->parser);
	access_logs_free(&srv->logs);
	sent_names_free(&srv->sent);
	veil_free(&srv->veil);
	handle_table_free(&srv->handles);
	buf_free(&srv->allow);
	stream_io_free(&srv->sio);
}

void
http_server_drain(struct http_server *srv, int last)
{
	struct http_conn *c;

	srv->draining = 1;
	srv->closing_idle = last;
	TAILQ_FOREACH(c, &srv->conns, link) {
		if (c->state == CONN_MOVING)
			continue;
		/* The kernel may hold a request that we have not been told of
		 * yet. */
		if (srv->give == NULL)
			c->stream.can_read = 1;
		conn_wake(c);
	}
	if (srv->http2 != NULL)
		srv->http2->drain(srv->http2);
}

void
http_server_leave(struct http_server *srv, int on, uint64_t window_ms)
{
	struct http_conn *c;

	srv->leaving = on;
	srv->leave_ms = window_ms;
	TAILQ_FOREACH(c, &srv->conns, link)
		conn_wake(c);
	if (srv->http2 != NULL)
		srv->http2->drain(srv->http2);
}

void
http_server_give(struct http_server *srv)
{
	struct http_conn *c, *next;

	for (c = TAILQ_FIRST(&srv->conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (conn_can_move(c) && srv->give(srv, c) == -1)
			break;
	}
}

void
http_server_pass(struct http_server *srv)
{
	const struct conf_pool *full = NULL;
	struct http_conn *c, *next;

	for (c = TAILQ_FIRST(&srv->away); c != NULL; c = next) {
		next = TAILQ_NEXT(c, away_link);
		if (c->away.to == full || conn_pass(c) == 0)
			continue;
		/* Those that nobody has had yet are all alike. */
		if (c->away.hops == 0 && c->away.last == 0)
			full = c->away.to;
	}
}

void
http_server_gauges(struct http_server *srv)
{
	atomic_store_explicit(&srv->cell->active, srv->nconns,
	    memory_order_relaxed);
	atomic_store_explicit(&srv->cell->idle, srv->nidle,
	    memory_order_relaxed);
}

void
http_server_began(struct http_server *srv)
{
	srv->nconns++;
	http_server_gauges(srv);
}

void
http_server_left(struct http_server *srv)
{
	srv->nconns--;
	http_server_gauges(srv);
	if (srv->conn_ended != NULL)
		srv->conn_ended(srv);
}

void
http_server_ended(struct http_server *srv)
{
	board_add(&srv->cell->counters.closed, 1);
	http_server_left(srv);
}

static void
stamp_format(struct http_server *srv, time_t now)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *name = srv->limits->server;
	struct tm tm;
	int n = 0;

	gmtime_r(&now, &tm);
	if (name != NULL && name[0] != '\0')
		n = snprintf(srv->stamp, sizeof(srv->stamp),
		    "Server: %.64s\r\n", name);
	/* IMF-fixdate (RFC 9110 section 5.6.7); strftime's names are the
	 * locale's. */
	srv->stamp_len = (size_t)n + (size_t)snprintf(srv->stamp + n,
	    sizeof(srv->stamp) - (size_t)n,
	    "Date: %.3s, %02d %.3s %d %02d:%02d:%02d GMT\r\n",
	    days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon,
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The clock is read once a turn at most. */
void
http_server_stamp(struct http_server *srv)
{
	struct timespec ts;

	if (srv->stamp_len != 0 && srv->stamp_ms == srv->loop->now_ms)
		return;
	srv->stamp_ms = srv->loop->now_ms;
	clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	if (ts.tv_sec == srv->stamp_s && srv->stamp_len != 0)
		return;
	srv->stamp_s = ts.tv_sec;
	stamp_format(srv, ts.tv_sec);
}
