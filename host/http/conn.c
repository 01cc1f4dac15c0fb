/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "http/conn.h"
#include "http/exchange.h"
#include "http/router.h"
#include "http/server.h"
#include "net/addr.h"
#include "net/proxy.h"

static void	conn_readable(struct stream *);
static void	conn_sent(struct stream *);
static void	conn_failed(struct stream *, int);
static void	conn_half_closed(struct stream *);
static void	conn_task(struct loop_task *);
static void	conn_settle(struct http_conn *);
static void	conn_complete(struct http_conn *);

#define COMPLAIN_MS	5000

/* Answers that a client has not taken; each keeps a request in memory. */
#define UNSENT_MAX	64

static const struct stream_ops conn_ops = {
	.readable = conn_readable,
	.sent = conn_sent,
	.failed = conn_failed,
	.half_closed = conn_half_closed,
};

/* -- opening and closing -- */

static struct http_conn *
conn_new(struct http_server *srv)
{
	struct http_conn *c = srv->free_conns;

	if (c != NULL)
		srv->free_conns = c->next_free;
	else
		c = xmalloc(sizeof(*c));
	memset(c, 0, sizeof(*c));
	c->server = srv;
	c->home = srv->pool;
	c->timer.fire = conn_timeout;
	c->task.run = conn_task;
	TAILQ_INIT(&c->unsent);
	return c;
}

static void
conn_set_idle(struct http_conn *c, int idle)
{
	if (idle == c->counted_idle)
		return;
	c->counted_idle = (uint8_t)idle;
	c->server->nidle += idle ? 1 : (size_t)-1;
	http_server_gauges(c->server);
}

struct http_conn *
conn_attach(struct http_server *srv, int fd)
{
	struct http_conn *c = conn_new(srv);

	if (stream_open(&c->stream, &srv->sio, fd, &conn_ops) == -1) {
		c->next_free = srv->free_conns;
		srv->free_conns = c;
		return NULL;
	}
	TAILQ_INSERT_TAIL(&srv->conns, c, link);
	http_server_began(srv);
	return c;
}

static void
conn_set_peer(struct http_conn *c, const struct sockaddr *sa)
{
	(void)addr_host(sa, c->peer, sizeof(c->peer));
	c->peer_len = (uint8_t)strlen(c->peer);
}

static struct http_conn *
conn_start(struct http_server *srv, int fd, const struct sockaddr *sa)
{
	struct http_conn *c = conn_attach(srv, fd);

	if (c == NULL) {
		close(fd);
		return NULL;
	}
	conn_set_peer(c, sa);
	board_add(&srv->cell->counters.accepted, 1);
	return c;
}

struct http_conn *
conn_open(struct http_server *srv, int fd, const struct sockaddr *sa)
{
	struct http_conn *c = conn_start(srv, fd, sa);

	if (c == NULL)
		return NULL;
	/* Until it says something. */
	conn_set_idle(c, 1);
	conn_arm(c);
	return c;
}

struct http_conn *
conn_open_framed(struct http_server *srv, struct stream_layer *layer,
    struct http_framed *framed, hostd_buf peer, const struct conf_pool *home)
{
	struct http_conn *c = conn_new(srv);

	stream_open_layer(&c->stream, &srv->sio, layer, &conn_ops);
	TAILQ_INSERT_TAIL(&srv->conns, c, link);
	c->framed = framed;
	c->stays = 1;
	c->home = home;
	memcpy(c->peer, peer.p, peer.n);
	c->peer_len = (uint8_t)peer.n;
	return c;
}

void
conn_expect_proxy(struct http_conn *c, uint32_t ms)
{
	c->proxy_ms = ms;
	conn_arm(c);
}

void
conn_open_refused(struct http_server *srv, int fd, const struct sockaddr *sa)
{
	struct http_conn *c = conn_start(srv, fd, sa);

	if (c != NULL)
		exchange_refuse_unread(c, 503);
}

/* Nothing of it is left but its stream, which may be somebody else's by now. */
void
conn_retire(struct http_conn *c)
{
	struct http_server *srv = c->server;

	c->state = CONN_CLOSED;
	stream_close(&c->stream);
	if (c->away.listed)
		TAILQ_REMOVE(&srv->away, c, away_link);
	wheel_remove(&srv->loop->wheel, &c->timer);
	loop_undefer(srv->loop, &c->task);
	buf_free(&c->in);
	leases_end(&c->leases);
	TAILQ_REMOVE(&srv->conns, c, link);
	conn_set_idle(c, 0);
	c->next_free = srv->closed_conns;
	srv->closed_conns = c;
	loop_defer(srv->loop, &srv->reap);
}

void
conn_close(struct http_conn *c, int why)
{
	struct http_server *srv = c->server;
	struct http_req *r;

	if (c->state == CONN_MOVING && c->framed != NULL)
		conn_forget(c);
	c->state = CONN_CLOSED;
	while ((r = TAILQ_FIRST(&c->unsent)) != NULL) {
		TAILQ_REMOVE(&c->unsent, r, link);
		exchange_end(r, why);
	}
	c->nunsent = 0;
	if ((r = c->req) != NULL) {
		c->req = NULL;
		exchange_end(r, why);
	}
	if (c->upgrade != NULL)
		c->upgrade->lost(c->upgrade, why);
	conn_retire(c);
	/* What it is a stream of is still open. */
	if (c->framed == NULL)
		http_server_ended(srv);
}

void
conn_leave(struct http_conn *c)
{
	struct http_server *srv = c->server;

	conn_retire(c);
	http_server_left(srv);
}

/* The other protocol's; it still counts as open.  A stream of HTTP/2 does from
 * now on. */
static void
conn_hand_over(struct http_conn *c)
{
	struct http_upgrade *u = c->upgrade;
	struct buf rest = c->in;

	c->upgrade = NULL;
	c->in = (struct buf){ NULL, 0, 0 };
	leases_move(&u->leases, &c->leases);
	if (c->framed != NULL)
		http_server_began(c->server);
	u->taken(u, &c->stream, rest.p, rest.len);
	buf_free(&rest);
	conn_retire(c);
}

static void
conn_linger(struct http_conn *c)
{
	c->state = CONN_LINGER;
	stream_shutdown(&c->stream);
	if (c->stream.can_read)
		stream_read_again(&c->stream);
}

/* -- input -- */

static int
conn_wants_input(const struct http_conn *c)
{
	switch (c->state) {
	case CONN_HEAD:
		return c->nunsent < UNSENT_MAX && stream_pending(&c->stream) <=
		    (uint64_t)c->server->limits->output_high;
	case CONN_BODY:
		return !request_is_paused(c->req);
	case CONN_LINGER:
		return 1;
	default:
		return 0;
	}
}

/* Perhaps only our own batch is in the way. */
static int
conn_make_room(struct http_conn *c)
{
	if (c->state != CONN_HEAD || stream_flush(&c->stream) == -1)
		return 0;
	conn_complete(c);
	return conn_wants_input(c);
}

/* There may be many of them: who sends them does nothing else. */
static void
conn_blame_proxy(struct http_conn *c, const char *why)
{
	struct http_server *srv = c->server;

	c->cut = c->gone = 1;
	if (srv->proxy_ms != 0 &&
	    srv->loop->now_ms - srv->proxy_ms < COMPLAIN_MS)
		return;
	srv->proxy_ms = srv->loop->now_ms;
	log_warnx("a connection of %s is closed: its PROXY header is bad: %s",
	    c->peer, why);
}

/* The header that says whose it is; returns how long it was, 0: there is more
 * of it to come, or it is none. */
static size_t
conn_proxy(struct http_conn *c, const char *p, size_t n)
{
	struct proxy_header h;
	const char *why = NULL;
	ssize_t len = proxy_parse(&h, p, n, &why);

	if (len == -1)
		conn_blame_proxy(c, why);
	if (len <= 0)
		return 0;
	c->proxy_ms = 0;
	if (h.known)
		conn_set_peer(c, (const struct sockaddr *)&h.from);
	return (size_t)len;
}

/* Feed n bytes; returns how many were used. */
static size_t
conn_feed(struct http_conn *c, const char *p, size_t n)
{
	size_t k, used = 0;

	c->stalled = 0;
	while (used < n && !c->cut) {
		if (!conn_wants_input(c) && !conn_make_room(c)) {
			c->stalled = 1;
			break;
		}
		if (c->proxy_ms != 0) {
			k = conn_proxy(c, p + used, n - used);
			if (k > 0 && c->tls != NULL) {
				used += k;
				conn_secure(c, p + used, n - used);
				return n;
			}
		} else if (conn_begin_http2(c, p + used, n - used)) {
			break;
		} else if (c->state == CONN_HEAD)
			k = exchange_head(c, p + used, n - used);
		else if (c->state == CONN_BODY)
			k = exchange_body(c, p + used, n - used);
		else
			k = n - used;
		if (k == 0)
			break;
		used += k;
	}
	if (c->state < CONN_CLOSING)
		return used;
	c->stalled = 0;
	return n;
}

static void
conn_keep(struct http_conn *c, const char *p, size_t n)
{
	if (n == 0) {
		buf_free(&c->in);
		return;
	}
	c->in.len = 0;
	buf_append(&c->in, p, n);
}

/* The peer will send no more; what it sent before may still have to wait, and
 * then its end is read again. */
static void
conn_eof(struct http_conn *c)
{
	if (c->stalled)
		return;
	if (c->framed != NULL) {
		exchange_end_stream(c);
		return;
	}
	switch (c->state) {
	case CONN_HEAD:
		c->state = CONN_CLOSING;
		c->linger = 0;
		break;
	case CONN_BODY:
		c->cut = c->gone = 1;
		break;
	case CONN_LINGER:
		c->cut = 1;
		break;
	default:
		break;
	}
}

static void
conn_input(struct http_conn *c)
{
	struct stream *s = &c->stream;
	char *rbuf = s->sio->rbuf;
	size_t have = c->in.len, used;
	ssize_t n = -1;
	int got_eof = 0;

	if (c->framed != NULL && c->nreqs == 0 && c->state == CONN_HEAD)
		exchange_fields(c);
	if (!conn_wants_input(c) || c->cut)
		return;
	if (have > 0)
		memcpy(rbuf, c->in.p, have);
	if (s->can_read && have < STREAM_RBUF) {
		n = stream_read(s, rbuf + have, STREAM_RBUF - have);
		if (n > 0)
			have += (size_t)n;
		else if (n == 0)
			got_eof = 1;
		else if (errno != EAGAIN) {
			c->cut = c->gone = 1;
			return;
		}
	}
	if (have > 0) {
		used = conn_feed(c, rbuf, have);
		conn_keep(c, rbuf + used, have - used);
	}
	if (got_eof)
		conn_eof(c);
}

/* -- turns -- */

static void
conn_turn(struct http_conn *c)
{
	loop_undefer(c->server->loop, &c->task);
	c->busy = 1;
	stream_cork(&c->stream);
	exchange_advance(c);
	conn_input(c);
	if (c->state == CONN_CLOSING && c->framed == NULL)
		c->stream.ends = 1;
	/* What is released on the way out may wake us again. */
	c->busy = 0;
	stream_uncork(&c->stream);
	conn_settle(c);
}

void
conn_wake(struct http_conn *c)
{
	if (!c->busy && c->state != CONN_CLOSED && c->state != CONN_MOVING)
		loop_defer(c->server->loop, &c->task);
}

static void
conn_task(struct loop_task *t)
{
	conn_turn((struct http_conn *)(void *)((char *)t -
	    offsetof(struct http_conn, task)));
}

static void
conn_readable(struct stream *s)
{
	struct http_conn *c = (struct http_conn *)(void *)s;

	/* A layer does not know that it rests. */
	if (c->state == CONN_MOVING)
		return;
	conn_set_idle(c, 0);
	conn_turn(c);
}

static void
conn_sent(struct stream *s)
{
	conn_settle((struct http_conn *)(void *)s);
}

static void
conn_failed(struct stream *s, int error)
{
	if (error == EPROTOTYPE)
		conn_tell_plain((struct http_conn *)(void *)s);
	conn_close((struct http_conn *)(void *)s, HOSTD_END_GONE);
}

static void
conn_half_closed(struct stream *s)
{
	(void)s;
}

/* Requests whose answers the kernel has taken are over. */
static void
conn_complete(struct http_conn *c)
{
	struct http_req *r;

	while ((r = TAILQ_FIRST(&c->unsent)) != NULL &&
	    r->out_end <= c->stream.sent) {
		TAILQ_REMOVE(&c->unsent, r, link);
		c->nunsent--;
		exchange_end(r, HOSTD_END_DONE);
	}
}

/*
 * A plugin that has not begun to answer a client that has closed its side:
 * nobody is waiting (nginx's 499).
 */
static int
conn_is_forsaken(const struct http_conn *c)
{
	return c->stream.eof && (c->state == CONN_WAIT ||
	    (c->state == CONN_BODY && request_is_paused(c->req))) &&
	    (c->req->deferred || c->req->gated != NULL) &&
	    c->req->phase == RESP_NONE;
}

static void
conn_offer_room(struct http_conn *c)
{
	struct http_req *r = c->req;

	if (r == NULL || !r->high || !r->in_handler ||
	    r->phase != RESP_BEGUN || stream_pending(&c->stream) >
	    (uint64_t)c->server->limits->output_high / 2)
		return;
	r->high = 0;
	r->handler->writable(r->handler, r);
}

/*
 * An answer that ends with the connection, and whose end has not come: a FIN
 * would tell the client that it has.  A reset does not.
 */
static int
conn_break(struct http_conn *c)
{
	const struct http_req *r = c->req;

	if (r == NULL || r->phase != RESP_BEGUN || r->length >= 0 ||
	    r->chunked_out || r->head_only)
		return 0;
	stream_break(&c->stream);
	return 1;
}

/* The request in progress will not be answered, but those before it are. */
static void
conn_give_up(struct http_conn *c, int why)
{
	struct http_req *r = c->req;

	c->cut = c->gone = 0;
	c->state = CONN_CLOSING;
	c->linger = 1;
	c->req = NULL;
	if (r != NULL)
		exchange_end(r, why);
}

/* After every turn: what has ended, what must outlive the read buffer, what
 * to wait for. */
static void
conn_settle(struct http_conn *c)
{
	struct http_req *r;
	int why;

	conn_complete(c);
	if (c->stream.error != 0) {
		conn_close(c, HOSTD_END_GONE);
		return;
	}
	if (c->cut || c->gone || conn_is_forsaken(c)) {
		why = c->cut && !c->gone ? HOSTD_END_ERROR : HOSTD_END_GONE;
		if (conn_break(c) || TAILQ_EMPTY(&c->unsent)) {
			conn_close(c, why);
			return;
		}
		conn_give_up(c, why);
	}
	if (c->state == CONN_UPGRADED && TAILQ_EMPTY(&c->unsent)) {
		conn_hand_over(c);
		return;
	}
	if (c->state == CONN_CLOSING && stream_pending(&c->stream) == 0 &&
	    TAILQ_EMPTY(&c->unsent)) {
		/* Closed with bytes unread, the kernel would take back what
		 * it has not sent yet. */
		if (c->framed != NULL || (!c->linger && !c->stream.can_read)) {
			/* Its giver may be busy, and have it open still. */
			if (c->stream.lent)
				stream_shutdown(&c->stream);
			conn_close(c, HOSTD_END_DONE);
			return;
		}
		conn_linger(c);
	}
	if (c->req != NULL)
		request_persist(c->req);
	TAILQ_FOREACH(r, &c->unsent, link)
		request_persist(r);
	conn_offer_room(c);
	conn_set_idle(c, c->state == CONN_HEAD && c->in.len == 0);
	if (c->server->closing_idle && c->counted_idle && c->nreqs > 0 &&
	    !c->stream.can_read && TAILQ_EMPTY(&c->unsent)) {
		conn_close(c, HOSTD_END_DONE);
		return;
	}
	if (c->server->give != NULL && conn_can_move(c) &&
	    c->server->give(c->server, c) == 0)
		return;
	if (c->state == CONN_AWAY && conn_pass(c) == 0)
		return;
	conn_arm(c);
	if (conn_wants_input(c) && (c->stalled || c->stream.can_read))
		stream_read_again(&c->stream);
}
