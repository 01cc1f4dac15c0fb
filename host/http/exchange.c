/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "http/dispatch.h"
#include "http/exchange.h"
#include "http/fields.h"
#include "http/framed.h"
#include "http/parse.h"
#include "http/real_ip.h"
#include "http/response.h"
#include "http/router.h"
#include "http/server.h"
#include "http/request_log.h"

/* -- ending -- */

static void
handler_end(struct http_req *r, int why)
{
	struct http_handler *h = r->handler;
	int told = r->in_handler;

	/* Still there to be looked at, no more to be answered. */
	r->in_handler = 0;
	r->gated = NULL;
	request_end_errands(r);
	if (!told)
		return;
	h->end(h, r, why);
	handle_free(&r->server->handles, r->id);
	r->id = 0;
}

void
exchange_lose_upgrade(struct http_req *r, int why)
{
	r->upgrade->lost(r->upgrade, why);
	/* Who has made it still sees there that it is not his any more. */
	handler_end(r, why);
	r->upgrade = NULL;
}

static uint64_t
bytes_sent(const struct http_req *r)
{
	uint64_t sent = r->conn->stream.sent;

	uint64_t end = r->out_end - (r->conn->framed != NULL &&
	    r->upgrade == NULL);

	/* The end of a stream is not a byte of the answer. */
	if (r->phase == RESP_FINISHED && sent > end)
		sent = end;
	return r->phase == RESP_NONE || sent < r->out_start ? 0 :
	    sent - r->out_start;
}

/* As nginx: 499, the client left before there was an answer. */
static void
traffic_note(struct traffic *t, const struct http_req *r, int took,
    uint64_t ms)
{
	if (t != NULL)
		traffic_count(t, r->route != NULL ? r->route->counted :
		    TRAFFIC_NONE, r->view.method, r->status != 0 ?
		    (uint32_t)r->status : 499, took, ms);
}

static void
exchange_count(struct http_req *r, uint64_t sent)
{
	struct board_counters *n = &r->server->cell->counters;
	uint64_t ms = r->server->loop->now_ms - r->start_ms;
	/* What follows an upgrade is no answer. */
	int took = r->upgrade == NULL;

	board_add(&n->requests, 1);
	board_add(&n->status[r->status / 100 % 6], 1);
	board_add(&n->bytes_in, r->head_len + r->body_seen);
	board_add(&n->bytes_out, sent);
	if (took)
		board_add(&n->latency[latency_bucket(ms)], 1);
	traffic_note(r->server->traffic, r, took, ms);
}

void
exchange_end(struct http_req *r, int why)
{
	struct http_server *srv = r->server;
	uint64_t sent = bytes_sent(r);

	exchange_count(r, sent);
	/* Agreed on, and the connection ends before it is handed over. */
	if (r->upgrade != NULL && r->upgrade != r->conn->upgrade)
		r->upgrade->lost(r->upgrade, why);
	if (r->upgrade != NULL && r->upgrade == r->conn->upgrade)
		leases_move(&r->upgrade->leases, &r->leases);
	/* Before its line is written: it tells of errands, too. */
	handler_end(r, why);
	if (r->held)
		response_drop(r);
	if (access_logs_want(&srv->logs, &request_log_kind)) {
		/* As nginx: the client left before there was an answer. */
		if (r->status == 0)
			r->status = 499;
		request_log_note(&srv->logs, r, sent, srv->loop->now_ms);
	}
	request_free(r);
}

void
exchange_moved(struct http_req *r)
{
	handler_end(r, HOSTD_END_MOVED);
}

/* -- answers of the host -- */

void
exchange_refuse(struct http_conn *c, int status, int why)
{
	struct http_req *r = c->req;

	r->keepalive = 0;
	/* It has its answer, which those hold whom the end would be told. */
	if (r->held && r->phase == RESP_FINISHED)
		return;
	handler_end(r, why);
	if (r->phase == RESP_BEGUN) {
		c->cut = 1;
		return;
	}
	if (r->phase == RESP_NONE)
		response_error(r, status, NULL);
	exchange_advance(c);
}

static void
exchange_start(struct http_conn *c, struct http_req *r)
{
	r->client_close = !r->keepalive;
	dispatch(r);
	if (c->req == NULL)
		return;
	if (!r->body_done) {
		memset(&c->chunked, 0, sizeof(c->chunked));
		c->chunked.trailers = &r->trailers.raw;
		c->state = CONN_BODY;
	} else
		c->state = CONN_WAIT;
	exchange_advance(c);
}

/* -- bytes in -- */

static struct http_req *
exchange_new(struct http_conn *c)
{
	struct http_req *r = request_new(c->server, c);

	if (c->away.asked != 0)
		r->start_ms = c->away.asked;
	r->view.peer = (hostd_buf){ c->peer, c->peer_len };
	c->req = r;
	c->nreqs++;
	/* Time limits are for each request anew. */
	c->timer_kind = TIMER_NONE;
	memset(&c->guard, 0, sizeof(c->guard));
	return r;
}

static void
refuse_head(struct http_conn *c, int status)
{
	board_add(&c->server->cell->counters.bad_requests, 1);
	c->req->continue_sent = 1;
	c->req->body_done = 1;
	exchange_refuse(c, status, HOSTD_END_GONE);
}

/* Who asks, if it came through a trusted proxy. */
static void
set_client(struct http_conn *c, struct http_req *r)
{
	if (real_ip_find(c->server->limits, r, r->view.peer, r->client))
		r->view.peer = (hostd_buf){ r->client, strlen(r->client) };
}

size_t
exchange_head(struct http_conn *c, const char *p, size_t n)
{
	struct http_req *r;
	int len, status;

	/* One empty line before a request (RFC 9112 section 2.2). */
	if (c->guard.pos == 0 && !c->skipped_line && n >= 2 && p[0] == '\r' &&
	    p[1] == '\n') {
		c->skipped_line = 1;
		return 2;
	}
	if (c->guard.pos == 0 && !c->skipped_line && n == 1 && p[0] == '\r')
		return 0;
	len = guard_head(&c->guard, &c->server->guard, p, n);
	if (len == 0)
		return 0;
	c->skipped_line = 0;
	r = exchange_new(c);
	if (len < 0) {
		refuse_head(c, -len);
		return n;
	}
	status = parse_head(c->server->parser, r, p, (size_t)len);
	if (status != 0) {
		refuse_head(c, status);
		return n;
	}
	if (c->server->limits->real_ip_from.n > 0)
		set_client(c, r);
	exchange_start(c, r);
	if (c->state == CONN_AWAY)
		return 0;
	memset(&c->away, 0, sizeof(c->away));
	return (size_t)len;
}

void
exchange_fields(struct http_conn *c)
{
	struct http_req *r = exchange_new(c);
	int status = parse_fields(r, c->framed, &c->server->guard);

	if (status != 0) {
		refuse_head(c, status);
		return;
	}
	if (c->server->limits->real_ip_from.n > 0)
		set_client(c, r);
	exchange_start(c, r);
}

void
exchange_refuse_unread(struct http_conn *c, int status)
{
	(void)exchange_new(c);
	refuse_head(c, status);
}

/* A run of body bytes to whoever wants them. */
static void
body_part(struct http_req *r, const char *p, size_t n, int fin)
{
	struct http_conn *c = r->conn;
	hostd_buf part = { p, n };

	r->body_seen += n;
	if (r->body_seen > r->max_body) {
		exchange_refuse(c, 413, HOSTD_END_GONE);
		return;
	}
	if (fin) {
		r->body_done = 1;
		c->state = CONN_WAIT;
	}
	if (r->in_handler && r->handler->wants_body &&
	    r->phase != RESP_FINISHED) {
		if (!r->handler->buffer_body) {
			if (n > 0 || fin)
				(void)dispatch_body(r, part, fin);
		} else {
			buf_append(&r->collected, p, n);
			part = (hostd_buf){ r->collected.p, r->collected.len };
			if (fin)
				(void)dispatch_body(r, part, 1);
		}
	}
	exchange_advance(c);
}

static size_t
body_length(struct http_req *r, const char *p, size_t n)
{
	uint64_t left = (uint64_t)r->view.content_length - r->body_seen;

	if (n > left)
		n = (size_t)left;
	body_part(r, p, n, n == left);
	return n;
}

static size_t
body_chunked(struct http_req *r, const char *p, size_t n)
{
	struct http_conn *c = r->conn;
	const char *data;
	size_t ndata, used;

	switch (chunked_feed(&c->chunked, p, n, &used, &data, &ndata)) {
	case CHUNKED_BAD:
		board_add(&c->server->cell->counters.bad_requests, 1);
		exchange_refuse(c, 400, HOSTD_END_GONE);
		return n;
	case CHUNKED_DONE:
		trailers_split(&r->trailers);
		body_part(r, NULL, 0, 1);
		return used;
	default:
		if (ndata > 0)
			body_part(r, data, ndata, 0);
		return used;
	}
}

void
exchange_end_stream(struct http_conn *c)
{
	struct http_req *r = c->req;

	if (c->state != CONN_BODY)
		return;
	r->trailers.raw = c->framed->trailers;
	memset(&c->framed->trailers, 0, sizeof(c->framed->trailers));
	trailers_split(&r->trailers);
	body_part(r, NULL, 0, 1);
}

size_t
exchange_body(struct http_conn *c, const char *p, size_t n)
{
	struct http_req *r = c->req;

	if (request_is_paused(r))
		return 0;
	switch (r->body) {
	case BODY_CHUNKED:
		return body_chunked(r, p, n);
	case BODY_STREAM:
		body_part(r, p, n, 0);
		return n;
	default:
		return body_length(r, p, n);
	}
}

/* -- following up -- */

void
exchange_advance(struct http_conn *c)
{
	struct http_req *r = c->req;

	if (r == NULL || c->cut)
		return;
	if (r->cut) {
		c->cut = 1;
		return;
	}
	/* The client waits to be told that its body is wanted. */
	if (c->state == CONN_BODY && !r->continue_sent &&
	    !request_is_paused(r) && r->phase == RESP_NONE)
		response_continue(r);
	if (r->phase != RESP_FINISHED || r->held)
		return;
	/* The rest of the body is read and dropped, if the connection is to
	 * go on. */
	if (!r->body_done && r->keepalive)
		return;
	c->req = NULL;
	TAILQ_INSERT_TAIL(&c->unsent, r, link);
	c->nunsent++;
	if (r->upgrade != NULL) {
		c->upgrade = r->upgrade;
		c->state = CONN_UPGRADED;
		return;
	}
	if (r->keepalive && c->framed == NULL) {
		c->state = CONN_HEAD;
		return;
	}
	c->state = CONN_CLOSING;
	/* A client that has said it is done needs no lingering. */
	c->linger = !(r->client_close && r->body_done) || c->stream.can_read;
}
