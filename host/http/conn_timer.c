/* SPDX-License-Identifier: BSD-2-Clause */
/* Which time limit a connection has, by what it is waiting for. */
#include <stddef.h>
#include <stdlib.h>
#include "base/log.h"
#include "http/blame.h"
#include "http/conn.h"
#include "http/exchange.h"
#include "http/gate.h"
#include "http/router.h"
#include "http/server.h"
#include "net/tls.h"

/* ms for the first request of a connection when the last worker ends, and for
 * what comes before TLS, or another turn of its handshake, when any does. */
#define FRESH_MAX	1000

static void
conn_set_timer(struct http_conn *c, enum conn_timer kind, uint64_t ms)
{
	struct loop *l = c->server->loop;

	c->timer_kind = (uint8_t)kind;
	wheel_set(&l->wheel, &c->timer, l->now_ms + ms);
}

/*
 * It is the handler's turn.  A client that has closed its side may still wait
 * for the rest of an answer, or be gone: it is, when no more comes for a while.
 */
static enum conn_timer
handler_timer_kind(const struct http_conn *c)
{
	if (c->req->phase == RESP_NONE)
		return TIMER_DEFER;
	return c->stream.eof ? TIMER_GONE : TIMER_NONE;
}

/* Which time limit holds in the state the connection is in. */
static enum conn_timer
conn_timer_kind(const struct http_conn *c)
{
	if (c->state == CONN_LINGER)
		return TIMER_LINGER;
	/* Who holds an answer has a time limit of his own; a client that can
	 * take nothing is not slow. */
	if (c->stream.held)
		return c->state == CONN_BODY && !request_is_paused(c->req) ?
		    TIMER_BODY : TIMER_NONE;
	if (stream_pending(&c->stream) > 0)
		return TIMER_SEND;
	switch (c->state) {
	case CONN_HEAD:
		if (c->proxy_ms != 0)
			return TIMER_PROXY;
		if (tls_is_beginning(&c->stream))
			return TIMER_TLS;
		if (c->in.len > 0)
			return TIMER_HEAD;
		return c->nreqs == 0 ? TIMER_FIRST : TIMER_IDLE;
	case CONN_BODY:
		if (!request_is_paused(c->req))
			return TIMER_BODY;
		return handler_timer_kind(c);
	case CONN_WAIT:
		return handler_timer_kind(c);
	case CONN_AWAY:
		return TIMER_QUEUE;
	default:
		return TIMER_NONE;
	}
}

/* A worker that ends leaves the idle half of its time to ask once more. */
static uint64_t
conn_idle_ms(const struct http_conn *c)
{
	uint64_t ms = (uint64_t)c->server->limits->idle_timeout;
	uint64_t drain = (uint64_t)c->server->conf->drain_timeout;

	if (c->server->leaving && ms > c->server->leave_ms)
		ms = (uint64_t)random() % (c->server->leave_ms + 1);
	if (c->server->draining && drain > 0 && ms > drain / 2)
		ms = drain / 2;
	return ms;
}

/* It may have become shorter since it began. */
static void
conn_arm_first(struct http_conn *c, enum conn_timer kind, int same)
{
	uint64_t ms = kind == TIMER_PROXY ? c->proxy_ms :
	    kind == TIMER_TLS ? c->tls_ms :
	    (uint64_t)c->server->limits->head_timeout;

	if ((c->server->closing_idle || (c->server->draining &&
	    kind != TIMER_FIRST)) && ms > FRESH_MAX)
		ms = FRESH_MAX;
	if (!same || c->timer.deadline > c->server->loop->now_ms + ms)
		conn_set_timer(c, kind, ms);
}

/*
 * Progress of so many bytes: ms anew, but where there is a least rate, no more
 * time than they take at it.
 */
static void
conn_extend(struct http_conn *c, enum conn_timer kind, int same, uint64_t ms,
    uint64_t bytes, uint64_t rate)
{
	uint64_t now = c->server->loop->now_ms, due = now + ms, most;

	if (same && rate > 0) {
		most = c->timer.deadline + bytes * 1000 / rate;
		if (most < due)
			due = most;
	}
	conn_set_timer(c, kind, due > now ? due - now : 0);
}

static void
conn_arm_body(struct http_conn *c, int same)
{
	const struct http_route *rt = c->req->route;
	const struct conf_http *lim = c->server->limits;
	uint64_t seen = c->req->body_seen;

	conn_extend(c, TIMER_BODY, same, rt != NULL && rt->body_ms > 0 ?
	    rt->body_ms : (uint64_t)lim->body_timeout, seen - c->timer_sent,
	    rt != NULL ? rt->min_body_rate : (uint64_t)lim->min_body_rate);
	c->timer_sent = seen;
}

static void
conn_arm_send(struct http_conn *c, int same)
{
	const struct http_req *r = TAILQ_EMPTY(&c->unsent) ? c->req :
	    TAILQ_FIRST(&c->unsent);
	const struct http_route *rt = r != NULL ? r->route : NULL;
	const struct conf_http *lim = c->server->limits;
	uint64_t sent = c->stream.sent, ms;

	ms = rt != NULL && rt->send_ms > 0 ? rt->send_ms :
	    (uint64_t)lim->send_timeout;
	if (rt != NULL)
		ms += rt->paced_ms;
	if (!same || c->timer_sent != sent)
		conn_extend(c, TIMER_SEND, same, ms, sent - c->timer_sent,
		    rt != NULL ? rt->min_send_rate :
		    (uint64_t)lim->min_send_rate);
	c->timer_sent = sent;
}

/* HEAD, FIRST, PROXY, TLS, DEFER, QUEUE and LINGER run from when they began;
 * IDLE, BODY, SEND and GONE from the last progress. */
void
conn_arm(struct http_conn *c)
{
	const struct conf_http *lim = c->server->limits;
	enum conn_timer kind = conn_timer_kind(c);
	int same = kind == c->timer_kind && c->timer.deadline != 0;

	switch (kind) {
	case TIMER_NONE:
		c->timer_kind = TIMER_NONE;
		wheel_clear(&c->timer);
		break;
	case TIMER_IDLE:
		conn_set_timer(c, kind, conn_idle_ms(c));
		break;
	case TIMER_BODY:
		conn_arm_body(c, same);
		break;
	case TIMER_SEND:
		conn_arm_send(c, same);
		break;
	case TIMER_FIRST:
	case TIMER_PROXY:
	case TIMER_TLS:
		conn_arm_first(c, kind, same);
		break;
	case TIMER_HEAD:
		if (!same)
			conn_set_timer(c, kind, (uint64_t)lim->head_timeout);
		break;
	case TIMER_DEFER:
		if (!same)
			conn_set_timer(c, kind, c->req->route->defer_ms);
		break;
	case TIMER_QUEUE:
		c->timer_kind = TIMER_QUEUE;
		wheel_set(&c->server->loop->wheel, &c->timer, c->away.asked +
		    (uint64_t)c->away.to->queue_timeout);
		break;
	case TIMER_GONE:
		if (!same || c->timer_sent != c->stream.sent)
			conn_set_timer(c, kind,
			    (uint64_t)lim->lingering_timeout);
		c->timer_sent = c->stream.sent;
		break;
	case TIMER_LINGER:
		if (!same)
			conn_set_timer(c, kind,
			    (uint64_t)lim->lingering_timeout);
		break;
	}
}

/* A handler has its time without that in which others were waited for. */
static int
conn_defer_on(struct http_conn *c)
{
	const struct http_req *r = c->req;
	uint64_t now = c->server->loop->now_ms;
	uint64_t due = r->owed_ms + r->route->defer_ms;

	if (request_is_timed(r))
		due = now + r->route->defer_ms;
	if (due <= now)
		return 0;
	conn_set_timer(c, TIMER_DEFER, due - now);
	return 1;
}

/* Where a worker ends, who has begun a handshake may go on for as long again;
 * who has said nothing may not. */
static int
conn_handshake_on(struct http_conn *c)
{
	if (!c->server->draining || c->is_late || !tls_has_begun(&c->stream))
		return 0;
	c->is_late = 1;
	conn_set_timer(c, TIMER_TLS, FRESH_MAX);
	return 1;
}

static void
conn_blame_late(struct http_req *r)
{
	if (r->gated != NULL)
		log_warnx("%s has not decided within defer_timeout (%u ms); "
		    "answered 504", r->gated->name, r->route->defer_ms);
	else
		blame(r, "no answer within defer_timeout (%u ms); answered "
		    "504", r->route->defer_ms);
}

void
conn_timeout(struct wheel_timer *t)
{
	struct http_conn *c = (struct http_conn *)(void *)((char *)t -
	    offsetof(struct http_conn, timer));
	enum conn_timer kind = c->timer_kind;

	c->timer_kind = TIMER_NONE;
	switch (kind) {
	case TIMER_HEAD:
		exchange_refuse_unread(c, 408);
		break;
	case TIMER_BODY:
		exchange_refuse(c, 408, HOSTD_END_TIMEOUT);
		break;
	case TIMER_DEFER:
		if (conn_defer_on(c))
			return;
		conn_blame_late(c->req);
		exchange_refuse(c, 504, HOSTD_END_TIMEOUT);
		break;
	case TIMER_QUEUE:
		conn_waited(c);
		return;
	default:
		if (kind == TIMER_TLS && conn_handshake_on(c))
			return;
		conn_close(c, kind == TIMER_SEND ? HOSTD_END_TIMEOUT :
		    HOSTD_END_GONE);
		return;
	}
	conn_wake(c);
}
