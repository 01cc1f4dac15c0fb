/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/mem.h"
#include "http/blame.h"
#include "http/conn.h"
#include "http/dispatch.h"
#include "http/exchange.h"
#include "http/gate.h"
#include "http/redirect.h"
#include "http/response.h"
#include "http/router.h"
#include "http/server.h"
#include "net/tls.h"

#define HOPS_MAX	8	/* workers of different generations may disagree
				   about whose a route is */
#define GIVES_MAX	4	/* and plugins, about whose client it is */
#define NOBODY_MS	1000	/* between two lines about a pool's absence,
				   or about certificates */

/* -- answers of the host -- */

static void
answer_no_route(struct http_req *r, int status)
{
	const struct buf *allow = &r->server->allow;
	hostd_hdr h = { { "Allow", 5 }, { allow->p, allow->len } };

	request_drop_body(r);
	response_error(r, status, status == 405 ? &h : NULL);
}

/* A request whose pool has nobody for it. */
static void
answer_nobody(struct http_req *r, const struct conf_pool *pool)
{
	struct http_server *srv = r->server;
	uint64_t now = srv->loop->now_ms;
	hostd_hdr h = { { "Retry-After", 11 }, { NULL, 0 } };
	char seconds[24];

	if (now - srv->nobody_ms >= NOBODY_MS) {
		srv->nobody_ms = now;
		log_warnx("no worker of pool \"%s\" has taken a request for "
		    "it; answered 503", pool->name);
	}
	h.value.n = (size_t)snprintf(seconds, sizeof(seconds), "%" PRId64,
	    (pool->queue_timeout + 999) / 1000);
	h.value.p = seconds;
	request_drop_body(r);
	response_error(r, 503, &h);
}

/* OPTIONS * asks about the server as a whole (RFC 9110 section 9.3.7). */
static void
answer_options(struct http_req *r)
{
	static const char all[] = "GET, HEAD, POST, PUT, DELETE, OPTIONS, "
	    "PATCH";
	hostd_hdr h = { { "Allow", 5 }, { all, sizeof(all) - 1 } };
	hostd_buf none = { NULL, 0 };

	request_drop_body(r);
	(void)response_whole(r, 200, &h, 1, none);
}

static int
status_for(int32_t code)
{
	if (code == HOSTD_E_FULL)
		return 503;
	return code == HOSTD_E_TIMEOUT ? 504 : 500;
}

/* The handler failed, or promised an answer and gave none. */
static void
handler_failed(struct http_req *r, int status, const char *what)
{
	if (r->phase == RESP_NONE)
		blame(r, "%s; answered %d", what, status);
	else
		blame(r, "%s; the answer had begun, so the connection is cut",
		    what);
	board_add(&r->server->cell->counters.plugin_errors, 1);
	exchange_refuse(r->conn, status, HOSTD_END_ERROR);
}

/* -- the handler -- */

static void
handler_prepare(struct http_req *r)
{
	size_t n = r->handler->data_size;

	if (n > r->data_room) {
		free(r->data);
		r->data = xmalloc(n);
		r->data_room = n;
	}
	if (n > 0)
		memset(r->data, 0, n);
	r->id = handle_new(&r->server->handles, r);
	r->in_handler = 1;
}

/*
 * Code is what headers() or body() returned; last says that no call with more
 * of the body will follow.  Returns whether the exchange goes on.
 */
static int
handler_result(struct http_req *r, int32_t code, int last)
{
	char what[80], text[CODE_TEXT];

	if (code == HOSTD_DEFER) {
		r->deferred = 1;
		return 1;
	}
	/* AGAIN: the result of a write is often what is returned. */
	if (code != HOSTD_OK && code != HOSTD_AGAIN) {
		(void)snprintf(what, sizeof(what), "the plugin returned %s%s",
		    code_text(text, code), code > 0 ? ", which means nothing "
		    "here" : "");
		handler_failed(r, status_for(code), what);
		return 0;
	}
	if (last && r->phase == RESP_NONE && !r->deferred) {
		handler_failed(r, 500, "the plugin returned without an answer "
		    "and has not deferred it");
		return 0;
	}
	return 1;
}

int
dispatch_body(struct http_req *r, hostd_buf part, int fin)
{
	return handler_result(r, r->handler->body(r->handler, r, part, fin),
	    fin);
}

/* -- routing -- */

/* What the connection has read comes back in front of what it has not used. */
static void
unread_head(struct http_req *r)
{
	struct http_conn *c = r->conn;
	struct buf all = { NULL, 0, 0 };

	buf_append(&all, r->head, r->head_len);
	if (c->in.len > 0)
		buf_append(&all, c->in.p, c->in.len);
	buf_free(&c->in);
	c->in = all;
}

/* Its worker has ended before it said anything of an answer. */
static void
answer_lost(struct http_req *r)
{
	log_warnx("a worker of pool \"%s\" has ended without an answer to a "
	    "request; answered 502", r->conn->away.lost->name);
	request_drop_body(r);
	response_error(r, 502, NULL);
}

/* As if its head had not been read: a worker of that pool will. */
static void
send_away(struct http_req *r, const struct conf_pool *pool, unsigned skip)
{
	struct http_conn *c = r->conn;

	c->away.to = pool;
	c->away.slot = r->give;
	c->away.asked = r->start_ms;
	c->away.skip = (uint8_t)skip;
	c->away.counted = r->limits_passed & LIMITS_ONCE;
	c->away.send_ms = r->route->send_ms;
	if (r->resumed && c->framed == NULL)
		unread_head(r);
	c->req = NULL;
	c->nreqs--;
	c->state = CONN_AWAY;
	request_end_errands(r);
	request_free(r);
}

static void
pass_on(struct http_req *r, const struct conf_pool *pool)
{
	const struct conn_away *away = &r->conn->away;

	if (away->nobody || away->hops >= HOPS_MAX || r->skip > UINT8_MAX ||
	    r->server->pass == NULL)
		answer_nobody(r, pool);
	else
		send_away(r, pool, r->skip);
}

/* -- another worker of ours -- */

int32_t
dispatch_give(struct http_req *r, uint32_t slot)
{
	const struct http_server *srv = r->server;
	const struct http_conn *c = r->conn;
	int32_t rc;

	if (srv->serves == NULL)
		return HOSTD_E_NOTSUP;
	rc = srv->serves(srv, slot);
	if (rc == HOSTD_E_INVAL)
		return rc;
	if (!r->may_give || r->give != 0 || r->phase != RESP_NONE)
		return HOSTD_E_STATE;
	if (rc != HOSTD_OK)
		return rc;
	if (c->away.nobody)
		return HOSTD_E_GONE;
	if (c->away.hops >= GIVES_MAX)
		return HOSTD_E_FULL;
	if (r->skip > UINT8_MAX ||
	    (c->framed == NULL && stream_save(&c->stream, NULL) == -1))
		return HOSTD_E_NOTSUP;
	r->give = slot + 1;
	return HOSTD_OK;
}

/* It is told there as it was here: the same route comes next. */
static void
give_away(struct http_req *r)
{
	exchange_moved(r);
	send_away(r, r->server->pool, r->skip - 1);
}

static int
is_well(int32_t code)
{
	return code == HOSTD_OK || code == HOSTD_AGAIN || code == HOSTD_DEFER;
}

/* Offer the request to the route's handler; 1 when it passed. */
static int
handler_headers(struct http_req *r)
{
	struct http_handler *h = r->route->handler;
	hostd_buf none = { NULL, 0 };
	int32_t code;

	r->handler = h;
	handler_prepare(r);
	r->give = 0;
	r->may_give = 1;
	code = h->headers(h, r);
	r->may_give = 0;
	if (r->give != 0 && is_well(code)) {
		give_away(r);
		return 0;
	}
	r->give = 0;
	if (code == HOSTD_PASS && r->phase == RESP_NONE) {
		r->in_handler = 0;
		handle_free(&r->server->handles, r->id);
		r->id = 0;
		return 1;
	}
	if (!handler_result(r, code, !h->wants_body))
		return 0;
	if (r->body_done && h->wants_body && r->phase != RESP_FINISHED)
		(void)dispatch_body(r, none, 1);
	return 0;
}

/* The next route that could answer; 0, or -1: none is to be asked. */
static int
find_route(struct http_req *r)
{
	const struct conf_pool *pool;
	int status = router_find(r->server->router, r, r->skip, &r->route,
	    &r->server->allow);

	if (status != 0) {
		answer_no_route(r, status);
		return -1;
	}
	r->max_body = r->route->max_body;
	if (request_is_too_large(r)) {
		r->keepalive = 0;
		response_error(r, 413, NULL);
		return -1;
	}
	if (r->conn->away.lost != NULL) {
		answer_lost(r);
		return -1;
	}
	pool = r->route->pool != NULL ? r->route->pool : r->conn->home;
	if (pool != r->server->pool || r->route->handler == NULL) {
		pass_on(r, pool);
		return -1;
	}
	r->skip++;
	r->gate = 0;
	request_set_identity(r, NULL);
	return 0;
}

/* -- gates -- */

/* Through those of the route that are left; 1: all of them. */
static int
pass_gates(struct http_req *r)
{
	struct http_gate *g;
	int32_t code;

	while (r->gate < r->route->ngates) {
		g = r->route->gates[r->gate++];
		code = g->enter(g, r);
		if (code == HOSTD_DEFER) {
			r->gated = g;
			return 0;
		}
		if (code != HOSTD_OK)
			return 0;
	}
	return 1;
}

static void
go_on(struct http_req *r)
{
	while (pass_gates(r) && handler_headers(r))
		if (find_route(r) == -1)
			return;
}

void
gate_open(struct http_req *r)
{
	struct http_conn *c = r->conn;

	if (r->gated == NULL || r->phase != RESP_NONE)
		return;
	r->gated = NULL;
	r->resumed = 1;
	go_on(r);
	conn_wake(c);
}

/* Is its client's certificate not accepted? */
static int
is_refused(struct http_req *r)
{
	const struct tls_info *t = stream_tls(&r->conn->stream);

	if (t == NULL)
		return 0;
	r->view.flags |= HOSTD_REQ_TLS;
	return t->is_refused;
}

static void
refuse_certificate(struct http_req *r)
{
	static const char text[] = "The client's certificate was not "
	    "accepted.\n";
	const struct tls_peer *p = &stream_tls(&r->conn->stream)->peer;
	const hostd_hdr type = { { "Content-Type", 12 }, { "text/plain", 10 } };
	struct http_server *srv = r->server;
	uint64_t now = srv->loop->now_ms;

	if (now - srv->refused_ms >= NOBODY_MS) {
		srv->refused_ms = now;
		log_info("a client's certificate (%.200s) was not accepted: "
		    "%s; answered 400", p->subject, p->verify);
	}
	r->keepalive = 0;
	request_drop_body(r);
	(void)response_whole(r, 400, &type, 1, (hostd_buf){ text,
	    sizeof(text) - 1 });
}

void
dispatch(struct http_req *r)
{
	if (r->server->traces.on)
		trace_begin(r);
	if (is_refused(r)) {
		refuse_certificate(r);
		return;
	}
	if (r->view.path.n == 1 && *(const char *)r->view.path.p == '*') {
		answer_options(r);
		return;
	}
	if (r->view.method == HOSTD_METHOD_TRACE) {
		r->keepalive = 0;
		response_error(r, 501, NULL);
		return;
	}
	if (r->server->redirects && redirect_request(r))
		return;
	r->skip = r->conn->away.skip;
	r->limits_passed = r->conn->away.counted;
	if (find_route(r) == 0)
		go_on(r);
}
