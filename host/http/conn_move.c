/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection goes on in another worker: between two requests, or with one
 * that workers of another pool answer, of which no handler has been told yet.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/pack.h"
#include "http/conn.h"
#include "http/server.h"
#include "net/handover.h"
#include "net/tls.h"

/* A record may grow at its end: what a worker does not know, it does not read.
 * What it can't do without makes another version: with TLS, its keys. */
#define RECORD_VERSION	1
#define RECORD_TLS	2
#define GRACE_MS	500	/* until a refusal for its age must be there */

/* What is given away and not answered. */
struct conn_move {
	struct handover_item item;	/* first */
	struct handover_peer *to;
	struct http_conn *conn;		/* NULL: it goes on with us */
	int fd;				/* then, or of a stream: what was
					   given */
	struct http_upgrade *away;	/* who has a stream here when it was
					   taken; NULL: it is none */
	int choice;			/* it had a lease */
};

/* Nothing of ours is under way on it. */
static int
conn_is_still(const struct http_conn *c)
{
	return !c->cut && !c->gone && c->stream.error == 0 && c->req == NULL &&
	    TAILQ_EMPTY(&c->unsent) && stream_pending(&c->stream) == 0;
}

int
conn_can_move(const struct http_conn *c)
{
	return c->state == CONN_HEAD && !c->stays && !c->stream.eof &&
	    c->tls == NULL && conn_is_still(c) &&
	    stream_save(&c->stream, NULL) == 0;
}

/* -- giving -- */

static void
conn_record(const struct http_conn *c, const struct buf *layer,
    uint64_t lease, struct buf *b)
{
	pack_u32(b, layer->len > 0 ? RECORD_TLS : RECORD_VERSION);
	pack_bytes(b, c->peer, c->peer_len);
	pack_u32(b, c->nreqs);
	pack_u32(b, c->skipped_line);
	pack_u32(b, c->timer_kind);
	pack_u64(b, c->timer.deadline);
	pack_bytes(b, c->in.p, c->in.len);
	pack_u64(b, lease);
	pack_u64(b, c->away.asked);
	pack_u32(b, c->away.skip);
	pack_u32(b, c->away.hops + (c->state == CONN_AWAY));
	pack_u32(b, c->proxy_ms);
	if (layer->len > 0)
		pack_bytes(b, layer->p, layer->len);
	leases_pack(c->leases, b);
	pack_u32(b, c->shed);
	pack_u32(b, c->away.counted);
}

/* It is ours as before. */
static void
conn_resume(struct http_conn *c)
{
	c->state = c->away.to != NULL ? CONN_AWAY : CONN_HEAD;
	if (stream_resume(&c->stream) == -1)
		conn_close(c, HOSTD_END_ERROR);
	else
		conn_wake(c);
}

/* Who would have had the stream is not needed. */
static void
free_move(struct conn_move *m)
{
	if (m->away != NULL)
		m->away->lost(m->away, HOSTD_END_GONE);
	free(m);
}

/* A stream was taken: what is said on it goes to and fro from now on. */
static void
conn_lend(struct http_conn *c, struct conn_move *m)
{
	(void)stream_resume(&c->stream);
	leases_move(&m->away->leases, &c->leases);
	m->away->taken(m->away, &c->stream, NULL, 0);
	free(m);
	conn_retire(c);
}

void
conn_forget(struct http_conn *c)
{
	struct conn_move *m = c->move;

	m->conn = NULL;
	m->away->lost(m->away, HOSTD_END_GONE);
	m->away = NULL;
	c->move = NULL;
}

static void
conn_given(struct handover_item *item, enum handover_answer answer)
{
	struct conn_move *m = (struct conn_move *)(void *)item;
	struct http_conn *c = m->conn;
	int choice = m->choice;

	if (c == NULL || m->away != NULL)
		(void)close(m->fd);
	if (c == NULL) {
		free(m);
		return;
	}
	c->move = NULL;
	c->timer_kind = TIMER_NONE;
	wheel_clear(&c->timer);
	if (m->away != NULL && answer == HANDOVER_TAKEN) {
		conn_lend(c, m);
		return;
	}
	free_move(m);
	if (answer == HANDOVER_TAKEN) {
		conn_leave(c);
		return;
	}
	/* A move of choice may be refused for want of room. */
	if (c->framed == NULL)
		c->stays = answer == HANDOVER_REFUSED && !choice;
	if (c->away.to != NULL && c->away.refused < UINT8_MAX)
		c->away.refused++;
	conn_resume(c);
}

int
conn_give(struct http_conn *c, struct handover_peer *to, uint64_t lease)
{
	struct loop *l = c->server->loop;
	struct conn_move *m = xcalloc(1, sizeof(*m));
	struct buf b = { NULL, 0, 0 }, layer = { NULL, 0, 0 };
	struct http2_hooks *http2 = c->server->http2;
	int rc;

	m->fd = c->stream.io.fd;
	if (c->framed != NULL) {
		if ((m->away = http2->pass(http2, c, &m->fd)) != NULL)
			http2->pack(c, &b);
	}
	if (c->framed != NULL ? m->away == NULL :
	    stream_save(&c->stream, &layer) == -1) {
		free(m);
		return -1;
	}
	m->to = to;
	m->conn = c;
	m->choice = lease > 0;
	m->item.done = conn_given;
	conn_record(c, &layer, lease > 0 ? l->now_ms + lease : 0, &b);
	rc = handover_give(to, m->away != NULL ? HANDOVER_STREAM :
	    HANDOVER_HTTP, m->fd, (hostd_buf){ b.p, b.len }, &m->item);
	buf_wipe(&layer);
	buf_wipe(&b);
	if (rc == -1) {
		if (m->away != NULL)
			(void)close(m->fd);
		free_move(m);
		return -1;
	}
	c->move = m;
	c->away.tried = c->state == CONN_AWAY;
	c->state = CONN_MOVING;
	c->timer_kind = TIMER_NONE;
	wheel_clear(&c->timer);
	if (lease > 0) {
		c->away.last = (uint16_t)(to->who.cell + 1);
		c->timer_kind = TIMER_QUEUE;
		wheel_set(&l->wheel, &c->timer, l->now_ms + lease + GRACE_MS);
	}
	loop_undefer(l, &c->task);
	stream_rest(&c->stream);
	return 0;
}

/* -- on its way to another pool -- */

static void
conn_list(struct http_conn *c, int listed)
{
	if (listed == c->away.listed)
		return;
	c->away.listed = (uint8_t)listed;
	if (listed)
		TAILQ_INSERT_TAIL(&c->server->away, c, away_link);
	else
		TAILQ_REMOVE(&c->server->away, c, away_link);
}

/* The request is read again, to be told so. */
static void
conn_nobody(struct http_conn *c)
{
	conn_list(c, 0);
	c->away.to = NULL;
	c->away.nobody = 1;
	c->state = CONN_HEAD;
	/* It may be due in this very turn. */
	c->timer_kind = TIMER_NONE;
	wheel_clear(&c->timer);
	conn_wake(c);
}

static int
conn_has_waited(const struct http_conn *c)
{
	return c->server->loop->now_ms >= c->away.asked +
	    (uint64_t)c->away.to->queue_timeout;
}

/* Where everything ends, nobody takes anything.  Answers before this one may
 * have taken all of its time, so it is tried once in any case. */
static int
conn_is_hopeless(const struct http_conn *c)
{
	return c->server->closing_idle ||
	    (c->away.tried && conn_has_waited(c));
}

int
conn_pass(struct http_conn *c)
{
	struct http_server *srv = c->server;

	if (!conn_is_still(c))
		return -1;
	if (!conn_is_hopeless(c) && srv->pass(srv, c) == 0) {
		conn_list(c, 0);
		return 0;
	}
	if (srv->closing_idle || conn_has_waited(c))
		conn_nobody(c);
	else
		conn_list(c, 1);
	return -1;
}

/*
 * Nobody takes it any more, though it is in a channel still: so it goes on here
 * with a descriptor of its own.
 */
static int
conn_take_back(struct http_conn *c)
{
	struct conn_move *m = c->move;
	int fd;

	if (c->framed != NULL) {
		conn_forget(c);
		conn_resume(c);
		return 0;
	}
	if ((fd = fcntl(c->stream.io.fd, F_DUPFD_CLOEXEC, 0)) == -1)
		return -1;
	m->fd = c->stream.io.fd;
	m->conn = NULL;
	c->move = NULL;
	c->stream.io.fd = fd;
	c->stream.lent = 1;
	conn_resume(c);
	return 0;
}

void
conn_waited(struct http_conn *c)
{
	struct loop *l = c->server->loop;
	uint32_t id;

	if (c->state == CONN_MOVING) {
		/* It may have been us who were late; and it may have come back
		 * and be on its way to somebody else. */
		id = c->move->item.id;
		handover_hear(c->move->to);
		if (c->state != CONN_MOVING || c->move->item.id != id)
			return;
		/* Perhaps there is a descriptor for it later. */
		if (conn_take_back(c) == -1) {
			c->timer_kind = TIMER_QUEUE;
			wheel_set(&l->wheel, &c->timer, l->now_ms + GRACE_MS);
		}
		return;
	}
	if (c->state == CONN_AWAY && conn_has_waited(c))
		conn_nobody(c);
	else
		conn_wake(c);
}

/* -- taking -- */

/* It is its giver's still. */
static void
conn_turn_back(struct http_conn *c)
{
	stream_rest(&c->stream);
	c->stream.io.fd = -1;
	conn_leave(c);
}

/* What the record of a connection says; behind it are its leases. */
struct conn_taken {
	uint32_t version, nreqs, skipped, kind, proxy_ms;
	uint64_t deadline, lease;
	hostd_buf peer, in, layer;
	struct conn_away away;
};

/* Those that have a choice are not taken late, or above what we may have. */
static int
take_is_wanted(const struct http_server *srv, uint64_t lease)
{
	return lease == 0 || (loop_clock_ms() < lease &&
	    srv->nconns < (size_t)srv->limits->max_connections);
}

/* 0, or -1: it does not fit together, or is not wanted. */
static int
record_read(const struct http_server *srv, struct unpack *u,
    struct conn_taken *t)
{
	memset(t, 0, sizeof(*t));
	t->version = unpack_u32(u);
	t->peer = unpack_bytes(u);
	t->nreqs = unpack_u32(u);
	t->skipped = unpack_u32(u);
	t->kind = unpack_u32(u);
	t->deadline = unpack_u64(u);
	t->in = unpack_bytes(u);
	t->lease = unpack_u64(u);
	t->away.asked = unpack_u64(u);
	t->away.skip = (uint8_t)unpack_u32(u);
	t->away.hops = (uint8_t)unpack_u32(u);
	/* Workers of an older hostd do not say. */
	t->proxy_ms = u->n > 0 ? unpack_u32(u) : 0;
	if (t->version == RECORD_TLS)
		t->layer = unpack_bytes(u);
	return (t->version != RECORD_VERSION && t->version != RECORD_TLS) ||
	    u->bad || t->peer.n >= sizeof(((struct http_conn *)0)->peer) ||
	    t->in.n > STREAM_RBUF || !take_is_wanted(srv, t->lease) ? -1 : 0;
}

static int
conn_set_taken(struct http_conn *c, const struct conn_taken *t,
    struct unpack *u)
{
	if (u->n > 0)
		leases_unpack(u, c->server->lessor, &c->leases);
	c->shed = u->n > 0 && unpack_u32(u) != 0;
	c->away = t->away;
	c->away.counted = u->n > 0 ? unpack_u32(u) & LIMITS_ONCE : 0;
	return u->bad ? -1 : 0;
}

int
conn_take(struct http_server *srv, int fd, const struct conf_pool *home,
    hostd_buf record)
{
	struct unpack u = { record.p, record.n, 0 };
	struct conn_taken t;
	struct http_conn *c;

	if (record_read(srv, &u, &t) == -1 ||
	    (c = conn_attach(srv, fd)) == NULL)
		return -1;
	/* By its giver, until that one has heard of it. */
	c->stream.lent = 1;
	if (conn_set_taken(c, &t, &u) == -1 || (t.version == RECORD_TLS &&
	    tls_resume(&c->stream, t.layer) == -1)) {
		conn_turn_back(c);
		return -1;
	}
	memcpy(c->peer, t.peer.p, t.peer.n);
	c->peer_len = (uint8_t)t.peer.n;
	c->home = home;
	c->nreqs = t.nreqs;
	c->skipped_line = t.skipped != 0;
	c->proxy_ms = t.proxy_ms;
	if (t.in.n > 0) {
		buf_append(&c->in, t.in.p, t.in.n);
		conn_wake(c);
	} else if (c->stream.can_read) {
		stream_read_again(&c->stream);
	}
	conn_arm(c);
	/* Its time goes on, by a clock that is the machine's. */
	if (c->timer_kind == t.kind && t.deadline < c->timer.deadline)
		wheel_set(&srv->loop->wheel, &c->timer, t.deadline);
	return 0;
}

struct http_conn *
conn_take_framed(struct http_server *srv, struct unpack *u,
    struct stream_layer *layer, struct http_framed *framed,
    const struct conf_pool *home)
{
	struct conn_taken t;
	struct http_conn *c;

	if (record_read(srv, u, &t) == -1 || t.version != RECORD_VERSION)
		return NULL;
	c = conn_open_framed(srv, layer, framed, t.peer, home);
	if (conn_set_taken(c, &t, u) == -1) {
		c->stream.layer = NULL;
		conn_retire(c);
		return NULL;
	}
	conn_wake(c);
	return c;
}
