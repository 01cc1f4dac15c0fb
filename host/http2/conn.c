/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/mem.h"
#include "http/conn.h"
#include "http2/conn.h"
#include "http2/stream.h"

#define FRAME_MOST	(16384 + 9)	/* that nghttp2 makes */
#define TURN_BYTES	(512u << 10)	/* sent, then others have theirs */
#define READ_HIGH	16384		/* pending: no more is read */

static void	conn_taken(struct http_upgrade *, struct stream *,
		    const char *, size_t);
static void	conn_lost(struct http_upgrade *, int);
static void	conn_readable(struct stream *);
static void	conn_sent(struct stream *);
static void	conn_failed(struct stream *, int);
static void	conn_half_closed(struct stream *);
static void	conn_task(struct loop_task *);

static const struct stream_ops conn_ops = {
	.readable = conn_readable,
	.sent = conn_sent,
	.failed = conn_failed,
	.half_closed = conn_half_closed,
};

static uint64_t
conn_now(const struct h2_conn *h)
{
	return h->server->http->loop->now_ms;
}

/* -- beginning -- */

struct http_upgrade *
h2_conn_new(struct http2_server *srv, struct http_conn *c)
{
	struct h2_conn *h = xcalloc(1, sizeof(*h));

	h->server = srv;
	h->upgrade.taken = conn_taken;
	h->upgrade.lost = conn_lost;
	h->home = c->home;
	h->shed = c->shed;
	h->peer_len = c->peer_len;
	memcpy(h->peer, c->peer, c->peer_len);
	h->timer.fire = h2_conn_timeout;
	h->task.run = conn_task;
	TAILQ_INIT(&h->streams);
	TAILQ_INIT(&h->ready);
	TAILQ_INIT(&h->dirty);
	return &h->upgrade;
}

static struct h2_conn *
conn_of(struct http_upgrade *u)
{
	return (struct h2_conn *)(void *)((char *)u -
	    offsetof(struct h2_conn, upgrade));
}

static void
conn_lost(struct http_upgrade *u, int why)
{
	(void)why;
	h2_conn_free(conn_of(u));
}

static void
conn_settings(struct h2_conn *h)
{
	const struct conf_http *lim = h->server->http->limits;
	nghttp2_settings_entry s[] = {
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
		    (uint32_t)lim->max_streams },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
		    (uint32_t)lim->stream_window },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
		    (uint32_t)lim->max_head },
		{ NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1 },
		{ NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
	};

	(void)nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, s,
	    sizeof(s) / sizeof(s[0]));
	(void)nghttp2_session_set_local_window_size(h->session,
	    NGHTTP2_FLAG_NONE, 0, (int32_t)lim->connection_window);
}

static void	conn_turn(struct h2_conn *, const char *, size_t);

static void
conn_taken(struct http_upgrade *u, struct stream *from, const char *p,
    size_t n)
{
	struct h2_conn *h = conn_of(u);
	struct http2_server *srv = h->server;

	if (nghttp2_session_server_new2(&h->session, srv->callbacks, h,
	    srv->options) != 0)
		fatalx("no memory for a session of HTTP/2");
	stream_move(&h->stream, from, &conn_ops);
	TAILQ_INSERT_TAIL(&srv->conns, h, link);
	h->seen_sent = h->stream.sent;
	budget_init(&h->budget, conn_now(h));
	h->quiet_ms = conn_now(h);
	conn_settings(h);
	if (srv->http->draining || srv->http->leaving)
		h2_conn_leave(h);
	conn_turn(h, p, n);
}

/* -- ending -- */

void
h2_conn_free(struct h2_conn *h)
{
	leases_end(&h->upgrade.leases);
	free(h->notes);
	free(h);
}

static void
conn_set_idle(struct h2_conn *h, int idle)
{
	struct http_server *http = h->server->http;

	if (idle == h->counted_idle)
		return;
	h->counted_idle = (uint8_t)idle;
	http->nidle += idle ? 1 : (size_t)-1;
	http_server_gauges(http);
}

/* Streams whose owners are told that it is over; they close them. */
static void
conn_end_streams(struct h2_conn *h)
{
	struct h2_stream *st;

	while ((st = TAILQ_FIRST(&h->streams)) != NULL) {
		st->closed = 1;
		if (st->owner == NULL) {
			h2_stream_closed(st);
			continue;
		}
		st->broken = 1;
		h2_stream_wake(st);
		h2_stream_tell(st);
	}
}

void
h2_conn_close(struct h2_conn *h)
{
	struct http2_server *srv = h->server;
	struct http_server *http = srv->http;

	if (h->state == H2_CLOSED)
		return;
	h->state = H2_CLOSED;
	h->busy = 1;
	conn_end_streams(h);
	nghttp2_session_del(h->session);
	h->session = NULL;
	stream_close(&h->stream);
	wheel_remove(&http->loop->wheel, &h->timer);
	loop_undefer(http->loop, &h->task);
	TAILQ_REMOVE(&srv->conns, h, link);
	conn_set_idle(h, 0);
	h->next_closed = srv->closed;
	srv->closed = h;
	loop_defer(http->loop, &srv->reap);
	http_server_ended(http);
}

void
h2_conn_break(struct h2_conn *h, uint32_t code)
{
	if (h->state >= H2_BROKEN)
		return;
	h->state = H2_BROKEN;
	(void)nghttp2_session_terminate_session(h->session, code);
}

int
h2_conn_spend(struct h2_conn *h, int64_t cost)
{
	if (budget_spend(&h->budget, cost, conn_now(h)) == 0)
		return 0;
	if (h->state < H2_BROKEN)
		log_debug("a connection of %s is closed: it resets streams, "
		    "or sends frames without use, faster than anybody needs",
		    h->peer);
	h2_conn_break(h, NGHTTP2_ENHANCE_YOUR_CALM);
	return -1;
}

void
h2_conn_charge(struct h2_conn *h, int64_t cost)
{
	(void)budget_spend(&h->budget, cost, conn_now(h));
}

/* -- output -- */

void
h2_conn_note(struct h2_conn *h, struct h2_stream *st, uint64_t n)
{
	uint32_t i, room = h->notes_room;
	struct h2_note *notes;

	if (h->nnotes == room) {
		notes = xmalloc((room == 0 ? 8 : 2 * room) * sizeof(*notes));
		for (i = 0; i < h->nnotes; i++)
			notes[i] = h->notes[(h->first_note + i) & (room - 1)];
		free(h->notes);
		h->notes = notes;
		h->first_note = 0;
		h->notes_room = room == 0 ? 8 : 2 * room;
	}
	h->notes[(h->first_note + h->nnotes++) & (h->notes_room - 1)] =
	    (struct h2_note){ st, h->stream.queued + h->server->out_len, n };
	st->nnotes++;
}

/* What the socket takes of the frames; it keeps the rest. */
static void
conn_push(struct h2_conn *h)
{
	struct http2_server *srv = h->server;

	if (srv->out_len > 0)
		stream_write_through(&h->stream, srv->out, srv->out_len);
	srv->out_len = 0;
}

int
h2_conn_has_room(struct h2_conn *h)
{
	if (h->stream.error != 0)
		return 0;
	if (H2_OUT - h->server->out_len >= FRAME_MOST)
		return stream_pending(&h->stream) == 0;
	conn_push(h);
	return h->stream.error == 0 && stream_pending(&h->stream) == 0;
}

static void
out_append(struct h2_conn *h, const uint8_t *p, size_t n)
{
	struct http2_server *srv = h->server;
	size_t part;

	while (n > 0) {
		if (srv->out_len == H2_OUT)
			conn_push(h);
		part = H2_OUT - srv->out_len < n ? H2_OUT - srv->out_len : n;
		memcpy(srv->out + srv->out_len, p, part);
		srv->out_len += part;
		p += part;
		n -= part;
	}
}

/* Others have their turn, and then it goes on. */
static int
conn_had_turn(struct h2_conn *h, uint64_t until)
{
	if (h->stream.queued <= until)
		return 0;
	loop_defer(h->server->http->loop, &h->task);
	return 1;
}

void
h2_conn_output(struct h2_conn *h)
{
	uint64_t until = h->stream.queued + TURN_BYTES;
	const uint8_t *p;
	ssize_t n;

	while (h2_conn_has_room(h)) {
		if (conn_had_turn(h, until))
			return;
		if ((n = nghttp2_session_mem_send(h->session, &p)) <= 0) {
			/* Only memory can be lacking. */
			if (n < 0 && n != NGHTTP2_ERR_CALLBACK_FAILURE)
				fatalx("HTTP/2: %s", nghttp2_strerror((int)n));
			return;
		}
		out_append(h, p, (size_t)n);
	}
}

/* Streams hear of what the socket has taken: whether there was any. */
static int
conn_progress(struct h2_conn *h)
{
	struct h2_note *note;
	struct h2_stream *st;
	int told = 0;

	while (h->nnotes > 0) {
		note = &h->notes[h->first_note];
		if (note->at > h->stream.sent)
			break;
		told = 1;
		st = note->stream;
		h->first_note = (h->first_note + 1) & (h->notes_room - 1);
		h->nnotes--;
		if (st == NULL)
			continue;
		st->nnotes--;
		st->owner->sent += note->n;
		if (st->owner->error == 0)
			st->owner->ops->sent(st->owner);
	}
	return told;
}

/* -- turns -- */

static void
conn_run_dirty(struct h2_conn *h)
{
	struct h2_stream *st;

	while ((st = TAILQ_FIRST(&h->dirty)) != NULL &&
	    h2_conn_has_room(h)) {
		TAILQ_REMOVE(&h->dirty, st, dirty_link);
		st->is_dirty = 0;
		if (stream_flush(st->owner) == -1)
			st->owner->ops->failed(st->owner, st->owner->error);
	}
}

static void
conn_run_ready(struct h2_conn *h)
{
	struct h2_stream *st;

	while ((st = TAILQ_FIRST(&h->ready)) != NULL)
		h2_stream_tell(st);
}

static void
conn_feed(struct h2_conn *h, const char *p, size_t n)
{
	ssize_t used = nghttp2_session_mem_recv(h->session,
	    (const uint8_t *)p, n);

	if (used == NGHTTP2_ERR_BAD_CLIENT_MAGIC)
		h->lost = 1;
	else if (used == NGHTTP2_ERR_FLOODED)
		h2_conn_break(h, NGHTTP2_ENHANCE_YOUR_CALM);
	else if (used == NGHTTP2_ERR_NOMEM)
		fatalx("HTTP/2: %s", nghttp2_strerror((int)used));
	else if (used < 0)
		h2_conn_break(h, NGHTTP2_INTERNAL_ERROR);
}

static int
conn_wants_input(const struct h2_conn *h)
{
	return h->state == H2_LINGER || (h->state < H2_BROKEN && !h->ended &&
	    stream_pending(&h->stream) <= READ_HIGH);
}

/* What was asked for before is answered, as far as windows are open. */
static void
conn_end_input(struct h2_conn *h)
{
	struct h2_stream *st;

	h->ended = 1;
	TAILQ_FOREACH(st, &h->streams, link)
		h2_stream_end(st);
}

static void
conn_read(struct h2_conn *h)
{
	struct stream *s = &h->stream;
	ssize_t n;

	if (!s->can_read || !conn_wants_input(h))
		return;
	n = stream_read(s, s->sio->rbuf, STREAM_RBUF);
	if (n > 0 && h->state != H2_LINGER)
		conn_feed(h, s->sio->rbuf, (size_t)n);
	else if (n == 0 && h->state != H2_LINGER)
		conn_end_input(h);
	else if (n == 0 || (n == -1 && errno != EAGAIN))
		h->lost = 1;
}

/* What streams that were told queue may be room for others to say more. */
static void
conn_write(struct h2_conn *h)
{
	uint64_t until = h->stream.queued + TURN_BYTES;
	int told;

	do {
		conn_run_ready(h);
		conn_run_dirty(h);
		h2_conn_output(h);
		conn_push(h);
		told = conn_progress(h);
	} while (h->stream.error == 0 && (told || !TAILQ_EMPTY(&h->ready) ||
	    (h2_conn_has_room(h) && !TAILQ_EMPTY(&h->dirty))) &&
	    !conn_had_turn(h, until));
}

static void
conn_linger(struct h2_conn *h)
{
	h->state = H2_LINGER;
	h->linger_ms = conn_now(h);
	stream_shutdown(&h->stream);
}

static int
conn_is_over(const struct h2_conn *h)
{
	if (stream_pending(&h->stream) > 0 ||
	    nghttp2_session_want_write(h->session))
		return 0;
	return h->state == H2_BROKEN || !nghttp2_session_want_read(h->session)
	    || (h->said_last && h->nopen == 0);
}

/* Its client will neither ask for anything nor take more. */
static int
conn_is_forsaken(const struct h2_conn *h)
{
	const struct h2_stream *st;

	if (!h->ended || stream_pending(&h->stream) > 0 ||
	    nghttp2_session_want_write(h->session))
		return 0;
	TAILQ_FOREACH(st, &h->streams, link)
		if (h2_stream_goes_on(st))
			return 0;
	return 1;
}

static void
conn_settle(struct h2_conn *h)
{
	uint64_t now = conn_now(h);

	if (h->stream.error != 0 || h->lost || conn_is_forsaken(h)) {
		h2_conn_close(h);
		return;
	}
	if (h->state < H2_LINGER && conn_is_over(h)) {
		/* It has promised to send no more. */
		if (h->state == H2_LEAVING && !h->stream.can_read) {
			h2_conn_close(h);
			return;
		}
		conn_end_streams(h);
		conn_linger(h);
	}
	if (h->budget.left < 0 && h->state < H2_BROKEN &&
	    h2_conn_spend(h, 0) == -1)
		h2_conn_wake(h);
	if (!TAILQ_EMPTY(&h->streams))
		h->quiet_ms = 0;
	else if (h->quiet_ms == 0)
		h->quiet_ms = now;
	if (h->state == H2_OPEN && h->nrequests >=
	    (uint64_t)h->server->http->limits->keepalive_requests)
		h2_conn_say_leave(h);
	conn_set_idle(h, h->quiet_ms != 0);
	h2_conn_arm(h);
	if (h->stream.can_read && conn_wants_input(h))
		stream_read_again(&h->stream);
}

/* p: n bytes that have been read before it was ours. */
static void
conn_turn(struct h2_conn *h, const char *p, size_t n)
{
	loop_undefer(h->server->http->loop, &h->task);
	h->busy = 1;
	if (n > 0)
		conn_feed(h, p, n);
	conn_read(h);
	conn_write(h);
	h->busy = 0;
	conn_settle(h);
}

void
h2_conn_wake(struct h2_conn *h)
{
	if (!h->busy && h->state != H2_CLOSED)
		loop_defer(h->server->http->loop, &h->task);
}

void
h2_conn_leave(struct h2_conn *h)
{
	struct http_server *http = h->server->http;

	if (h->state != H2_OPEN)
		return;
	if (http->draining)
		h2_conn_say_leave(h);
	else
		h->leave_ms = !http->leaving ? 0 : conn_now(h) +
		    (uint64_t)random() % (http->leave_ms + 1);
	h2_conn_wake(h);
}

static void
conn_task(struct loop_task *t)
{
	conn_turn((struct h2_conn *)(void *)((char *)t -
	    offsetof(struct h2_conn, task)), NULL, 0);
}

static void
conn_readable(struct stream *s)
{
	conn_turn((struct h2_conn *)(void *)s, NULL, 0);
}

static void
conn_sent(struct stream *s)
{
	conn_turn((struct h2_conn *)(void *)s, NULL, 0);
}

static void
conn_failed(struct stream *s, int error)
{
	(void)error;
	h2_conn_close((struct h2_conn *)(void *)s);
}

static void
conn_half_closed(struct stream *s)
{
	(void)s;
}
