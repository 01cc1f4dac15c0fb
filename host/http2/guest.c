/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include "base/mem.h"
#include "base/pack.h"
#include "http/conn.h"
#include "http2/guest.h"
#include "http2/server.h"
#include "net/stream_output.h"
#include "net/tls.h"
#include "net/tls_info.h"

#define RECORD_VERSION	1
#define BATCH		65536		/* sent at once, */
#define TURN_BYTES	(512u << 10)	/* and then others have their turn */

static void	layer_ready(struct stream *, uint32_t);
static ssize_t	layer_read(struct stream *, void *, size_t);
static int	layer_flush(struct stream *);
static void	layer_shutdown(struct stream *);
static void	layer_moved(struct stream *);
static void	layer_close(struct stream *);
static void	sock_readable(struct stream *);
static void	sock_sent(struct stream *);
static void	sock_failed(struct stream *, int);
static void	sock_half_closed(struct stream *);

static const struct stream_layer_ops layer_ops = {
	.ready = layer_ready,
	.read = layer_read,
	.flush = layer_flush,
	.shutdown = layer_shutdown,
	.moved = layer_moved,
	.close = layer_close,
};

static const struct stream_ops sock_ops = {
	.readable = sock_readable,
	.sent = sock_sent,
	.failed = sock_failed,
	.half_closed = sock_half_closed,
};

static struct h2_guest *
guest_of(const struct stream *s)
{
	return (struct h2_guest *)(void *)s->layer;
}

static struct h2_guest *
guest_at(struct stream *sock)
{
	return (struct h2_guest *)(void *)((char *)sock -
	    offsetof(struct h2_guest, sock));
}

/* -- coming -- */

void
h2_guest_pack(const struct http_conn *c, struct buf *b)
{
	const struct tls_info *tls = stream_tls(&c->stream);

	pack_u32(b, RECORD_VERSION);
	pack_text(b, c->home != NULL ? c->home->name : "");
	pack_u32(b, tls != NULL);
	if (tls != NULL)
		tls_info_pack(tls, b);
	framed_pack(c->framed, b);
}

static void
guest_free(struct h2_guest *g)
{
	framed_free(&g->framed);
	parcels_free(&g->in);
	free(g->tls);
	free(g);
}

void
h2_guests_free(struct http2_server *srv)
{
	struct h2_guest *g;

	while ((g = srv->closed_guests) != NULL) {
		srv->closed_guests = g->next_closed;
		guest_free(g);
	}
}

/* The pool in which it was accepted; NULL: it is configured no more. */
static const struct conf_pool *
find_home(const struct conf *conf, hostd_buf name)
{
	const struct conf_pool *p;

	TAILQ_FOREACH(p, &conf->pools, entry)
		if (strlen(p->name) == name.n &&
		    memcmp(p->name, name.p, name.n) == 0)
			return p;
	return NULL;
}

static int
guest_unpack(struct h2_guest *g, struct unpack *u, hostd_buf *home)
{
	struct http_server *http = g->server->http;

	if (unpack_u32(u) != RECORD_VERSION)
		return -1;
	*home = unpack_bytes(u);
	if (unpack_u32(u) != 0 && (g->tls = tls_info_unpack(u)) == NULL)
		return -1;
	framed_init(&g->framed, (size_t)http->limits->max_headers);
	return framed_unpack(&g->framed, &http->guard, u);
}

int
h2_guest_take(struct http2_hooks *hooks, int fd, hostd_buf record)
{
	struct http2_server *srv = (struct http2_server *)(void *)hooks;
	struct h2_guest *g = xcalloc(1, sizeof(*g));
	struct unpack u = { record.p, record.n, 0 };
	const struct conf_pool *home;
	struct http_conn *c;
	hostd_buf name;

	g->server = srv;
	g->layer.ops = &layer_ops;
	if (guest_unpack(g, &u, &name) == -1 ||
	    ((home = find_home(srv->http->conf, name)) == NULL && name.n > 0))
		goto refuse;
	g->layer.tls = g->tls;
	if (stream_open(&g->sock, &srv->http->sio, fd, &sock_ops) == -1)
		goto refuse;
	c = conn_take_framed(srv->http, &u, &g->layer, &g->framed, home);
	if (c == NULL)
		goto close;
	/* By its giver, until that one has heard of it. */
	g->sock.lent = 1;
	g->ended = g->framed.no_body;
	g->owner = &c->stream;
	http_server_began(srv->http);
	return 0;
close:
	/* It is its giver's still. */
	loop_del(srv->http->loop, &g->sock.io);
	g->sock.io.fd = -1;
refuse:
	guest_free(g);
	return -1;
}

/* -- what comes from there -- */

static void
sock_failed(struct stream *sock, int error)
{
	struct stream *s = guest_at(sock)->owner;

	s->ops->failed(s, error);
}

/* It is closed there only when the client has gone: the end of what that says
 * is told. */
static void
sock_half_closed(struct stream *sock)
{
	sock_failed(sock, ECONNRESET);
}

/* It has no socket that could say anything. */
static void
layer_ready(struct stream *s, uint32_t events)
{
	(void)s;
	(void)events;
}

/* Of the n bytes at p the body's move to the front: how many, or -1. */
static ssize_t
guest_open(struct h2_guest *g, char *p, size_t n)
{
	const char *at = p;
	struct parcel next;
	size_t len = 0;
	int rc;

	while ((rc = parcels_next(&g->in, &at, &n, &next)) != 0) {
		if (rc == -1 || g->ended != (next.kind == PARCEL_FIN))
			return -1;
		if (next.kind == PARCEL_DATA) {
			memmove(p + len, next.p, next.n);
			len += next.n;
		} else if (next.kind == PARCEL_TRAILERS) {
			buf_append(&g->framed.trailers, next.p, next.n);
		} else if (next.kind == PARCEL_END) {
			g->ended = 1;
		} else if (next.kind == PARCEL_FIN) {
			g->owner->eof = 1;
		} else {
			return -1;
		}
	}
	return (ssize_t)len;
}

/* Nobody reads any more; what may come is told here. */
static void
hear_fin(struct h2_guest *g)
{
	char p[PARCEL_HEADER];
	ssize_t n;

	while (g->sock.can_read &&
	    (n = stream_read(&g->sock, p, sizeof(p))) > 0)
		(void)guest_open(g, p, (size_t)n);
}

static void
sock_readable(struct stream *sock)
{
	struct h2_guest *g = guest_at(sock);
	struct stream *s = g->owner;

	if (g->ended)
		hear_fin(g);
	s->can_read = 1;
	s->ops->readable(s);
}

static ssize_t
layer_read(struct stream *s, void *p, size_t n)
{
	struct h2_guest *g = guest_of(s);
	ssize_t len = 0;

	while (!g->ended && len == 0) {
		len = stream_read(&g->sock, p, n);
		if (len == 0)
			errno = ECONNRESET;
		if (len <= 0) {
			s->can_read = 0;
			return -1;
		}
		if ((len = guest_open(g, p, (size_t)len)) == -1) {
			errno = EPROTO;
			return -1;
		}
	}
	s->can_read = len > 0 && (g->ended || g->sock.can_read);
	if (len == 0)
		s->eof |= g->moved;
	return len;
}

/* -- what goes there -- */

/* Bytes at the front of the queue to where they go: 0, or -1: a file failed. */
static int
copy_out(struct h2_guest *g, char *to, size_t n)
{
	struct stream *s = g->owner;
	struct iovec iov;
	size_t total;
	ssize_t k;

	g->taken += n;
	for (; n > 0; n -= (size_t)k, to += k) {
		if (stream_next(s, &iov, 1, &total) == 0) {
			if ((k = stream_next_file(s, to, n)) == -1)
				return -1;
		} else {
			k = (ssize_t)(iov.iov_len < n ? iov.iov_len : n);
			memcpy(to, iov.iov_base, (size_t)k);
		}
		stream_consume(s, (uint64_t)k);
	}
	return 0;
}

static int
put_parcel(struct h2_guest *g, struct buf *b, enum parcel_kind kind, size_t n)
{
	char *to = buf_reserve(b, PARCEL_HEADER + n);

	parcel_header(to, kind, n);
	b->len += PARCEL_HEADER + n;
	return copy_out(g, to + PARCEL_HEADER, n);
}

/* The end is a byte in the queue, and none on the way. */
static void
put_end(struct h2_guest *g, struct buf *b)
{
	parcel_header(buf_reserve(b, PARCEL_HEADER), PARCEL_END, 0);
	b->len += PARCEL_HEADER;
	stream_consume(g->owner, 1);
	g->taken++;
}

/* One parcel more of what is queued: 1, 0: there is none, -1: a file failed. */
static int
put_next(struct h2_guest *g, struct buf *b)
{
	const struct framed_mark *m = framed_next(&g->framed);
	uint64_t had = (m != NULL ? m->at : g->owner->queued) - g->taken;
	uint64_t left = stream_allowed(g->owner, g->taken, had);
	size_t room = BATCH - b->len - PARCEL_HEADER;
	int rc = 0;

	if (left == 0 && had > 0)
		return 0;
	if (left > 0)
		rc = put_parcel(g, b, PARCEL_DATA,
		    left < room ? (size_t)left : room);
	else if (m == NULL || m->at >= g->owner->queued)
		return 0;
	else {
		if (m->kind == FRAMED_END)
			put_end(g, b);
		else
			rc = put_parcel(g, b, (enum parcel_kind)m->kind,
			    m->len);
		framed_take(&g->framed);
	}
	return rc == -1 ? -1 : 1;
}

/* A batch of it to the socket: as put_next. */
static int
guest_send(struct h2_guest *g)
{
	struct buf *b = &g->server->batch;
	int rc = 1;

	b->len = 0;
	while (rc == 1 && b->len + 2 * PARCEL_HEADER < BATCH)
		rc = put_next(g, b);
	if (rc == -1 || b->len == 0)
		return rc;
	stream_write_through(&g->sock, b->p, b->len);
	if (b->cap > 2 * BATCH)
		buf_free(b);
	if (g->sock.error == 0)
		return 1;
	stream_fail(g->owner, g->sock.error);
	return -1;
}

static int
layer_flush(struct stream *s)
{
	struct h2_guest *g = guest_of(s);
	uint64_t until = g->sock.queued + TURN_BYTES;
	int rc = 1;

	/* What has no bytes, only a release. */
	stream_consume(s, 0);
	while (rc == 1 && stream_pending(&g->sock) == 0) {
		if (g->sock.queued > until) {
			stream_flush_later(s);
			break;
		}
		rc = guest_send(g);
	}
	if (stream_pending(&g->sock) == 0 && s->error == 0)
		s->sent = g->taken;
	return rc == -1 ? -1 : 0;
}

static void
sock_sent(struct stream *sock)
{
	struct h2_guest *g = guest_at(sock);
	struct stream *s = g->owner;

	if (stream_pending(sock) > 0)
		return;
	s->sent = g->taken;
	if (stream_flush(s) == -1)
		s->ops->failed(s, s->error);
	else
		s->ops->sent(s);
}

static void
layer_shutdown(struct stream *s)
{
	framed_mark(&guest_of(s)->framed, FRAMED_END, s->queued, 1);
	stream_write(s, "", 1);
	stream_flush_later(s);
}

static void
layer_moved(struct stream *s)
{
	struct h2_guest *g = guest_of(s);

	g->owner = s;
	s->can_read = 1;
	/* It counts itself from now on. */
	if (!g->moved)
		http_server_left(g->server->http);
	g->moved = 1;
}

static void
layer_close(struct stream *s)
{
	struct h2_guest *g = guest_of(s);
	struct http2_server *srv = g->server;

	g->owner = NULL;
	stream_close(&g->sock);
	g->next_closed = srv->closed_guests;
	srv->closed_guests = g;
	loop_defer(srv->http->loop, &srv->reap);
	if (!g->moved)
		http_server_left(srv->http);
}
