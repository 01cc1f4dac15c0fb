/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include "base/mem.h"
#include "http/conn.h"
#include "http/packed.h"
#include "http2/conn.h"
#include "http2/stream.h"
#include "net/stream_output.h"
#include "net/tls.h"

#define FREE_MAX	1024	/* kept for the next ones */
#define IN_ROOM		4096	/* of a body, kept with them */

static void	layer_ready(struct stream *, uint32_t);
static ssize_t	layer_read(struct stream *, void *, size_t);
static int	layer_flush(struct stream *);
static void	layer_shutdown(struct stream *);
static void	layer_moved(struct stream *);
static void	layer_close(struct stream *);

static const struct stream_layer_ops layer_ops = {
	.ready = layer_ready,
	.read = layer_read,
	.flush = layer_flush,
	.shutdown = layer_shutdown,
	.moved = layer_moved,
	.close = layer_close,
};

static struct h2_stream *
stream_of(const struct stream *s)
{
	return (struct h2_stream *)(void *)s->layer;
}

/* -- memory -- */

struct h2_stream *
h2_stream_new(struct h2_conn *h, int32_t id)
{
	struct http2_server *srv = h->server;
	struct h2_stream *st = srv->free_streams;
	struct http_framed framed;
	struct buf in;

	if (st != NULL) {
		srv->free_streams = st->next_free;
		srv->nfree--;
	} else {
		st = xcalloc(1, sizeof(*st));
		framed_init(&st->framed,
		    (size_t)srv->http->limits->max_headers);
	}
	framed = st->framed;
	in = st->in;
	memset(st, 0, sizeof(*st));
	st->framed = framed;
	st->in = in;
	framed_reset(&st->framed);
	st->layer.ops = &layer_ops;
	st->layer.tls = stream_tls(&h->stream);
	st->conn = h;
	st->id = id;
	TAILQ_INSERT_TAIL(&h->streams, st, link);
	return st;
}

static void
stream_delete(struct h2_stream *st)
{
	framed_free(&st->framed);
	buf_free(&st->in);
	free(st);
}

void
h2_streams_free(struct http2_server *srv)
{
	struct h2_stream *st;

	while ((st = srv->free_streams) != NULL) {
		srv->free_streams = st->next_free;
		stream_delete(st);
	}
}

static void
stream_forget_notes(struct h2_stream *st)
{
	struct h2_conn *h = st->conn;
	uint32_t i, at;

	for (i = 0; i < h->nnotes && st->nnotes > 0; i++) {
		at = (h->first_note + i) & (h->notes_room - 1);
		if (h->notes[at].stream != st)
			continue;
		h->notes[at].stream = NULL;
		st->nnotes--;
	}
}

/* Nobody's any more. */
static void
stream_release(struct h2_stream *st)
{
	struct h2_conn *h = st->conn;
	struct http2_server *srv = h->server;

	if (st->is_ready)
		TAILQ_REMOVE(&h->ready, st, ready_link);
	TAILQ_REMOVE(&h->streams, st, link);
	if (srv->nfree >= FREE_MAX) {
		stream_delete(st);
		return;
	}
	if (st->in.cap > IN_ROOM)
		buf_free(&st->in);
	st->in.len = 0;
	st->next_free = srv->free_streams;
	srv->free_streams = st;
	srv->nfree++;
}

/* -- what the session tells -- */

void
h2_stream_wake(struct h2_stream *st)
{
	if (st->is_ready)
		return;
	st->is_ready = 1;
	TAILQ_INSERT_TAIL(&st->conn->ready, st, ready_link);
}

/* n bytes of a body have found their way. */
static void
stream_consumed(struct h2_stream *st, size_t n)
{
	nghttp2_session *session = st->conn->session;

	if (n == 0)
		return;
	if (st->closed)
		(void)nghttp2_session_consume_connection(session, n);
	else
		(void)nghttp2_session_consume(session, st->id, n);
}

void
h2_stream_feed(struct h2_stream *st, const void *p, size_t n)
{
	if (st->owner == NULL && st->begun) {
		stream_consumed(st, n);
		return;
	}
	buf_append(&st->in, p, n);
	h2_stream_wake(st);
}

void
h2_stream_closed(struct h2_stream *st)
{
	st->closed = 1;
	if (st->owner == NULL) {
		stream_release(st);
		return;
	}
	/* An answer that is complete goes on its way, whatever follows. */
	st->broken = !st->finished || st->noted != st->taken;
	if (st->broken)
		h2_stream_wake(st);
}

static void
stream_begin(struct h2_stream *st)
{
	struct h2_conn *h = st->conn;
	hostd_buf peer = { h->peer, h->peer_len };
	struct http_conn *c;

	c = conn_open_framed(h->server->http, &st->layer, &st->framed, peer,
	    h->home);
	c->shed = h->shed;
	c->stream.eof = h->ended;
	st->owner = &c->stream;
	h->nrequests++;
}

void
h2_stream_tell(struct h2_stream *st)
{
	st->is_ready = 0;
	TAILQ_REMOVE(&st->conn->ready, st, ready_link);
	if (st->broken || (st->owner != NULL && st->owner->error != 0)) {
		if (st->owner != NULL)
			st->owner->ops->failed(st->owner, ECONNRESET);
		return;
	}
	if (st->owner == NULL) {
		if (!st->has_head || st->begun || st->closed)
			return;
		st->begun = 1;
		stream_begin(st);
	}
	st->owner->can_read = 1;
	st->owner->ops->readable(st->owner);
}

void
h2_stream_end(struct h2_stream *st)
{
	if (!st->ended)
		st->broken = 1;
	else if (st->owner != NULL)
		st->owner->eof = 1;
	h2_stream_wake(st);
}

int
h2_stream_goes_on(const struct h2_stream *st)
{
	nghttp2_session *session = st->conn->session;

	return st->owner != NULL && (stream_pending(st->owner) == 0 ||
	    (nghttp2_session_get_remote_window_size(session) > 0 &&
	    nghttp2_session_get_stream_remote_window_size(session,
	    st->id) > 0));
}

/* -- what its owner does -- */

/* It has no socket that could say anything. */
static void
layer_ready(struct stream *s, uint32_t events)
{
	(void)s;
	(void)events;
}

static ssize_t
layer_read(struct stream *s, void *p, size_t n)
{
	struct h2_stream *st = stream_of(s);
	size_t left = st->in.len - st->in_at;

	if (left == 0) {
		s->can_read = 0;
		if (st->ended) {
			s->eof |= st->moved;
			return 0;
		}
		errno = EAGAIN;
		return -1;
	}
	if (n > left)
		n = left;
	memcpy(p, st->in.p + st->in_at, n);
	st->in_at += n;
	if (n == left)
		st->in_at = st->in.len = 0;
	s->can_read = n < left || st->ended;
	stream_consumed(st, n);
	h2_conn_wake(st->conn);
	return (ssize_t)n;
}

/* The first n bytes of the queue are in a frame, or are about to be. */
static void
stream_take(struct h2_stream *st, size_t n)
{
	stream_consume(st->owner, n);
	st->taken += n;
}

/* The fields of a packed head. */
static size_t
read_fields(struct http2_server *srv, const char *p, int *status, char *text)
{
	hostd_buf name, value;
	uint32_t i, n;
	size_t k = 0;

	p = packed_read(p, status, &n);
	if (srv->nv_room < (size_t)n + 1) {
		srv->nv_room = (size_t)n + 32;
		srv->nv = xrealloc(srv->nv, srv->nv_room *
		    sizeof(srv->nv[0]));
	}
	if (*status != 0) {
		text[0] = (char)('0' + *status / 100);
		text[1] = (char)('0' + *status / 10 % 10);
		text[2] = (char)('0' + *status % 10);
		srv->nv[k++] = (nghttp2_nv){ (uint8_t *)(uintptr_t)":status",
			(uint8_t *)text, 7, 3, NGHTTP2_NV_FLAG_NONE };
	}
	for (i = 0; i < n; i++) {
		p = packed_next(p, &name, &value);
		srv->nv[k++] = (nghttp2_nv){
			(uint8_t *)(uintptr_t)name.p,
			(uint8_t *)(uintptr_t)value.p, name.n, value.n,
			NGHTTP2_NV_FLAG_NONE };
	}
	return k;
}

/* Bytes that are queued and lie in one piece. */
static const char *
stream_peek(const struct h2_stream *st)
{
	struct iovec iov;
	size_t total;

	return stream_next(st->owner, &iov, 1, &total) == 1 ? iov.iov_base :
	    NULL;
}

static ssize_t
source_read(nghttp2_session *session, int32_t id, uint8_t *buf, size_t length,
    uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	(void)session;
	(void)id;
	(void)buf;
	(void)arg;
	return h2_stream_next(source->ptr, length, flags);
}

/* The head of the answer; and its end, if nothing is between them. */
static int
submit_head(struct h2_stream *st, const struct framed_mark *m)
{
	nghttp2_data_provider body = { .source.ptr = st,
		.read_callback = source_read };
	struct h2_conn *h = st->conn;
	size_t len = m->len, n;
	const struct framed_mark *end;
	char text[3];
	int status, rc;

	n = read_fields(h->server, stream_peek(st), &status, text);
	framed_take(&st->framed);
	end = framed_next(&st->framed);
	st->finished = end != NULL && end->kind == FRAMED_END &&
	    end->at == st->taken + len;
	if (st->finished)
		framed_take(&st->framed);
	rc = nghttp2_submit_response(h->session, st->id, h->server->nv, n,
	    st->finished ? NULL : &body);
	stream_take(st, len + st->finished);
	return rc;
}

static int
submit_interim(struct h2_stream *st, const struct framed_mark *m)
{
	struct h2_conn *h = st->conn;
	size_t len = m->len, n;
	char text[3];
	int status, rc;

	n = read_fields(h->server, stream_peek(st), &status, text);
	framed_take(&st->framed);
	rc = nghttp2_submit_headers(h->session, NGHTTP2_FLAG_NONE, st->id,
	    NULL, h->server->nv, n, NULL);
	stream_take(st, len);
	return rc;
}

/* What is queued is told to the session. */
static void
stream_submit(struct h2_stream *st)
{
	const struct framed_mark *m;
	int rc = 0;

	/* What has no bytes, only a release. */
	stream_consume(st->owner, 0);
	while (rc == 0 && (m = framed_next(&st->framed)) != NULL &&
	    m->at == st->taken && m->at < st->owner->queued &&
	    m->kind <= FRAMED_HEAD)
		rc = m->kind == FRAMED_HEAD ? submit_head(st, m) :
		    submit_interim(st, m);
	if (st->waits && st->taken < st->owner->queued) {
		st->waits = 0;
		(void)nghttp2_session_resume_data(st->conn->session, st->id);
	}
}

static int
layer_flush(struct stream *s)
{
	struct h2_stream *st = stream_of(s);
	struct h2_conn *h = st->conn;

	if (st->closed)
		return 0;
	if (h->busy) {
		stream_submit(st);
		h2_conn_output(h);
		return 0;
	}
	if (!st->is_dirty) {
		st->is_dirty = 1;
		TAILQ_INSERT_TAIL(&h->dirty, st, dirty_link);
	}
	h2_conn_wake(h);
	return 0;
}

static void
layer_shutdown(struct stream *s)
{
	struct h2_stream *st = stream_of(s);

	framed_mark(&st->framed, FRAMED_END, s->queued, 1);
	stream_write(s, "", 1);
	stream_flush_later(s);
}

static void
layer_moved(struct stream *s)
{
	struct h2_stream *st = stream_of(s);

	st->owner = s;
	st->moved = 1;
	s->can_read = 1;
}

/* Why a stream ends before it has. */
static uint32_t
reset_code(const struct h2_stream *st, const struct stream *owner)
{
	if (st->finished)
		return NGHTTP2_NO_ERROR;
	return st->moved && !owner->broken ? NGHTTP2_CANCEL :
	    NGHTTP2_INTERNAL_ERROR;
}

static void
layer_close(struct stream *s)
{
	struct h2_stream *st = stream_of(s);
	struct h2_conn *h = st->conn;

	st->owner = NULL;
	if (st->is_dirty)
		TAILQ_REMOVE(&h->dirty, st, dirty_link);
	st->is_dirty = 0;
	stream_forget_notes(st);
	if (h->session != NULL) {
		stream_consumed(st, st->in.len - st->in_at);
		if (!st->closed && (!st->finished || !st->ended))
			(void)nghttp2_submit_rst_stream(h->session,
			    NGHTTP2_FLAG_NONE, st->id, reset_code(st, s));
		h2_conn_wake(h);
	}
	st->in.len = st->in_at = 0;
	if (st->closed || h->session == NULL)
		stream_release(st);
}

/* -- DATA -- */

static void
submit_trailers(struct h2_stream *st, const struct framed_mark *m)
{
	struct h2_conn *h = st->conn;
	size_t len = m->len, n;
	char text[3];
	int status;

	n = read_fields(h->server, stream_peek(st), &status, text);
	(void)nghttp2_submit_trailer(h->session, st->id, h->server->nv, n);
	framed_take(&st->framed);
	/* The end behind them. */
	framed_take(&st->framed);
	stream_take(st, len + 1);
	st->finished = 1;
}

ssize_t
h2_stream_next(struct h2_stream *st, size_t most, uint32_t *flags)
{
	const struct framed_mark *m = framed_next(&st->framed);
	uint64_t left, allowed;

	if (st->owner == NULL || st->owner->error != 0)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	left = (m != NULL ? m->at : st->owner->queued) - st->taken;
	*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	if (left > most && most < DRIBBLE)
		h2_conn_charge(st->conn, COST_DRIBBLE);
	allowed = stream_allowed(st->owner, st->taken, left);
	if (allowed == 0 && (left > 0 || m == NULL)) {
		st->waits = 1;
		return NGHTTP2_ERR_DEFERRED;
	}
	if (allowed < most)
		most = allowed;
	if (left > most)
		return (ssize_t)most;
	if (m != NULL && m->kind == FRAMED_END) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		st->finished = 1;
	} else if (m != NULL && left == 0) {
		*flags |= NGHTTP2_DATA_FLAG_EOF |
		    NGHTTP2_DATA_FLAG_NO_END_STREAM;
		submit_trailers(st, m);
	}
	return (ssize_t)left;
}

/* What is at the front of the queue, up to n bytes of it; -1: a file failed. */
static ssize_t
copy_some(struct stream *s, char *p, size_t n)
{
	struct iovec iov;
	size_t total;

	if (stream_next(s, &iov, 1, &total) == 0)
		return stream_next_file(s, p, n);
	if (iov.iov_len < n)
		n = iov.iov_len;
	memcpy(p, iov.iov_base, n);
	return (ssize_t)n;
}

int
h2_stream_copy(struct h2_stream *st, char *p, size_t n)
{
	const struct framed_mark *m;
	ssize_t k;

	if (st->owner == NULL || st->owner->error != 0)
		return -1;
	for (; n > 0; n -= (size_t)k, p += k) {
		if ((k = copy_some(st->owner, p, n)) == -1) {
			h2_stream_wake(st);
			h2_conn_wake(st->conn);
			return -1;
		}
		stream_take(st, (size_t)k);
	}
	m = framed_next(&st->framed);
	if (m != NULL && m->kind == FRAMED_END && m->at == st->taken &&
	    st->finished) {
		framed_take(&st->framed);
		stream_take(st, 1);
	}
	return 0;
}
