/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "http/conn.h"
#include "http/packed.h"
#include "http2/away.h"
#include "http2/server.h"

#define PART	65536		/* read at once */

static void	away_taken(struct http_upgrade *, struct stream *,
		    const char *, size_t);
static void	away_lost(struct http_upgrade *, int);
static void	client_readable(struct stream *);
static void	client_sent(struct stream *);
static void	client_failed(struct stream *, int);
static void	sock_readable(struct stream *);
static void	sock_sent(struct stream *);
static void	sock_failed(struct stream *, int);
static void	nothing(struct stream *);

static const struct stream_ops client_ops = {
	.readable = client_readable,
	.sent = client_sent,
	.failed = client_failed,
	.half_closed = nothing,
};

static const struct stream_ops sock_ops = {
	.readable = sock_readable,
	.sent = sock_sent,
	.failed = sock_failed,
	.half_closed = nothing,
};

static void
nothing(struct stream *s)
{
	(void)s;
}

static struct h2_away *
away_of(struct stream *client)
{
	return (struct h2_away *)(void *)((char *)client -
	    offsetof(struct h2_away, client));
}

static struct h2_away *
away_at(struct stream *sock)
{
	return (struct h2_away *)(void *)((char *)sock -
	    offsetof(struct h2_away, sock));
}

/* -- beginning and ending -- */

static void	away_timeout(struct wheel_timer *);

struct http_upgrade *
h2_away_new(struct http2_hooks *hooks, struct http_conn *c, int *fd)
{
	struct h2_away *a;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    ends) == -1)
		return NULL;
	a = xcalloc(1, sizeof(*a));
	a->upgrade.taken = away_taken;
	a->upgrade.lost = away_lost;
	a->server = (struct http2_server *)(void *)hooks;
	a->framed = c->framed;
	a->said_end = c->framed->no_body;
	a->timer.fire = away_timeout;
	a->home = c->home;
	a->to = c->away.to;
	a->send_ms = c->away.send_ms > 0 ? c->away.send_ms :
	    (uint64_t)c->server->limits->send_timeout;
	a->shed = c->shed;
	a->peer_len = c->peer_len;
	memcpy(a->peer, c->peer, c->peer_len);
	a->fd = ends[0];
	*fd = ends[1];
	return &a->upgrade;
}

static void
away_free(struct h2_away *a)
{
	leases_end(&a->upgrade.leases);
	parcels_free(&a->in);
	free(a);
}

void
h2_aways_free(struct http2_server *srv)
{
	struct h2_away *a;

	while ((a = srv->closed_aways) != NULL) {
		srv->closed_aways = a->next_closed;
		away_free(a);
	}
}

static void
away_lost(struct http_upgrade *u, int why)
{
	struct h2_away *a = (struct h2_away *)(void *)u;

	(void)why;
	(void)close(a->fd);
	away_free(a);
}

static void
away_taken(struct http_upgrade *u, struct stream *from, const char *p,
    size_t n)
{
	struct h2_away *a = (struct h2_away *)(void *)u;
	struct http_server *http = a->server->http;

	(void)p;
	(void)n;
	stream_move(&a->client, from, &client_ops);
	if (stream_open(&a->sock, &http->sio, a->fd, &sock_ops) == -1) {
		log_warn("watching a socket to another worker");
		a->lost = 1;
	}
	stream_read_again(&a->client);
}

static void
away_close(struct h2_away *a)
{
	struct http2_server *srv = a->server;

	if (a->closed)
		return;
	a->closed = 1;
	stream_close(&a->client);
	stream_close(&a->sock);
	wheel_remove(&srv->http->loop->wheel, &a->timer);
	a->next_closed = srv->closed_aways;
	srv->closed_aways = a;
	loop_defer(srv->http->loop, &srv->reap);
}

/* -- its worker is gone -- */

/* It goes on here, as a request that is to be told so. */
static void
away_return(struct h2_away *a)
{
	hostd_buf peer = { a->peer, a->peer_len };
	struct stream_layer *layer = a->client.layer;
	struct http_conn *c = conn_open_framed(a->server->http, layer,
	    a->framed, peer, a->home);

	a->client.layer = NULL;
	c->shed = a->shed;
	c->away.lost = a->to;
	/* As its layer counts. */
	c->stream.queued = c->stream.sent = a->client.queued;
	layer->ops->moved(&c->stream);
	leases_move(&c->leases, &a->upgrade.leases);
	conn_wake(c);
	away_close(a);
}

static void
away_break(struct h2_away *a)
{
	/* What follows an upgrade may end so. */
	if (!a->ended && a->framed->pseudo[PSEUDO_PROTOCOL].name_len == 0)
		stream_break(&a->client);
	away_close(a);
}

/* When what came from there has gone to the client. */
static void
away_end(struct h2_away *a)
{
	if (stream_pending(&a->client) > 0)
		return;
	if (!a->begun && a->client.error == 0) {
		away_return(a);
		return;
	}
	away_break(a);
}

/* -- time -- */

static void
away_arm(struct h2_away *a)
{
	struct loop *l = a->server->http->loop;
	struct stream *s = &a->client;

	if (stream_pending(s) == 0)
		wheel_clear(&a->timer);
	else if (a->timer.deadline == 0 || s->sent != a->seen_sent)
		wheel_set(&l->wheel, &a->timer, l->now_ms + a->send_ms);
	a->seen_sent = s->sent;
}

static void
away_timeout(struct wheel_timer *t)
{
	away_break((struct h2_away *)(void *)((char *)t -
	    offsetof(struct h2_away, timer)));
}

/* -- from the client -- */

static void
put_parcel(struct h2_away *a, enum parcel_kind kind, const char *p, size_t n)
{
	char header[PARCEL_HEADER];

	parcel_header(header, kind, n);
	stream_write(&a->sock, header, sizeof(header));
	stream_write(&a->sock, p, n);
}

/* fin: the client's connection had ended before. */
static void
put_end(struct h2_away *a, int fin)
{
	struct buf *trailers = &a->framed->trailers;

	a->said_end = 1;
	if (trailers->len > 0)
		put_parcel(a, PARCEL_TRAILERS, trailers->p, trailers->len);
	put_parcel(a, PARCEL_END, NULL, 0);
	(void)stream_flush(&a->sock);
	/* It was this stream's end that was read. */
	a->client.eof = (uint8_t)fin;
}

static void
read_client(struct h2_away *a)
{
	struct stream *s = &a->client;
	char *p = s->sio->rbuf;
	int fin = s->eof;
	ssize_t n;

	while (!a->lost && !a->said_end && s->can_read &&
	    a->sock.error == 0 && stream_pending(&a->sock) == 0) {
		n = stream_read(s, p + PARCEL_HEADER, PART);
		if (n == 0)
			put_end(a, fin);
		else if (n > 0) {
			parcel_header(p, PARCEL_DATA, (size_t)n);
			stream_write_through(&a->sock, p, PARCEL_HEADER +
			    (size_t)n);
		}
	}
	if (s->eof && a->said_end && !a->said_fin && !a->lost) {
		a->said_fin = 1;
		put_parcel(a, PARCEL_FIN, NULL, 0);
		(void)stream_flush(&a->sock);
	}
}

/* -- from the worker -- */

static int
take_parcel(struct h2_away *a, const struct parcel *next)
{
	struct stream *s = &a->client;

	if (a->ended || a->begun == (next->kind <= PARCEL_HEAD))
		return -1;
	switch (next->kind) {
	case PARCEL_DATA:
		stream_write(s, next->p, next->n);
		return 0;
	case PARCEL_END:
		a->ended = 1;
		framed_mark(a->framed, FRAMED_END, s->queued, 1);
		stream_write(s, "", 1);
		return 0;
	default:
		if (!packed_fits(next->p, next->n))
			return -1;
		a->begun |= next->kind == PARCEL_HEAD;
		framed_mark(a->framed, (enum framed_kind)next->kind,
		    s->queued, next->n);
		stream_write(s, next->p, next->n);
		return 0;
	}
}

static int
take_parcels(struct h2_away *a, const char *p, size_t n)
{
	struct parcel next;
	int rc;

	while ((rc = parcels_next(&a->in, &p, &n, &next)) == 1)
		if (take_parcel(a, &next) == -1)
			return -1;
	return rc;
}

static void
read_sock(struct h2_away *a)
{
	struct stream *s = &a->sock;
	uint64_t most = (uint64_t)a->server->http->limits->output_high;
	uint64_t had = a->client.queued;
	ssize_t n;

	while (!a->lost && s->can_read &&
	    stream_pending(&a->client) <= most) {
		n = stream_read(s, s->sio->rbuf, PART);
		if (n > 0 ? take_parcels(a, s->sio->rbuf, (size_t)n) == -1 :
		    n == 0 || errno != EAGAIN)
			a->lost = 1;
	}
	if (a->client.queued != had)
		stream_flush_later(&a->client);
}

/* -- events -- */

static void
away_turn(struct h2_away *a)
{
	read_client(a);
	read_sock(a);
	away_arm(a);
	if (a->lost)
		away_end(a);
}

static void
client_readable(struct stream *s)
{
	away_turn(away_of(s));
}

static void
client_sent(struct stream *s)
{
	away_turn(away_of(s));
}

static void
client_failed(struct stream *s, int error)
{
	(void)error;
	away_close(away_of(s));
}

static void
sock_readable(struct stream *s)
{
	away_turn(away_at(s));
}

static void
sock_sent(struct stream *s)
{
	away_turn(away_at(s));
}

static void
sock_failed(struct stream *s, int error)
{
	(void)error;
	/* It does not listen any more; what it has said is there still, and its
	 * end. */
	s->can_read = s->eof = 1;
	away_turn(away_at(s));
}
