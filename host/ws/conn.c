/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/mem.h"
#include "http/identity.h"
#include "ws/conn.h"
#include "ws/deflate.h"

#define TURN_MESSAGES	64	/* then others have their turn */
#define MESSAGE_BYTES	16384	/* decompressed; longer ones count as several */
#define TURN_BYTES	(1u << 20)	/* the same */
#define CHUNK		(512u << 10)	/* of a long payload, at once */

static void	conn_turn(struct ws_conn *);
static void	conn_settle(struct ws_conn *);
static void	conn_readable(struct stream *);
static void	conn_sent(struct stream *);
static void	conn_failed(struct stream *, int);
static void	conn_half_closed(struct stream *);

static const struct stream_ops conn_ops = {
	.readable = conn_readable,
	.sent = conn_sent,
	.failed = conn_failed,
	.half_closed = conn_half_closed,
};

static struct ws_conn *
conn_of(struct ws_reader *r)
{
	return (struct ws_conn *)(void *)((char *)r -
	    offsetof(struct ws_conn, reader));
}

/* -- ending -- */

/* The handler's part is over. */
static void
conn_tell_close(struct ws_conn *c, unsigned code, hostd_buf reason)
{
	if (c->id == 0)
		return;
	c->handler->close(c->handler, c, (int32_t)code, reason);
	handle_free(&c->server->handles, c->id);
	c->id = 0;
}

static void
conn_free_parts(struct ws_conn *c)
{
	struct ws_server *srv = c->server;

	ws_reader_close(&c->reader);
	if (c->deflater != NULL)
		ws_deflater_put(srv->readers.zpool, c->deflater);
	buf_free(&c->in);
	free(c->text);
	free(c->label);
	free(c->session_id);
	leases_end(&c->upgrade.leases);
	identity_unref(c->who);
}

/* Has the output moved? */
static void
conn_note_sent(struct ws_conn *c)
{
	uint64_t moved = c->stream.sent - c->seen_sent;

	if (moved > 0) {
		board_add(&c->server->cell->counters.bytes_out, moved);
		board_add(&c->server->cell->counters.ws_bytes_out, moved);
		c->moved_ms = c->server->loop->now_ms;
	}
	if (moved > 0 || stream_pending(&c->stream) == 0)
		c->stuck_ms = c->server->loop->now_ms;
	c->seen_sent = c->stream.sent;
}

static void
conn_retire(struct ws_conn *c)
{
	struct ws_server *srv = c->server;

	c->state = WS_GONE;
	conn_note_sent(c);
	stream_close(&c->stream);
	wheel_remove(&srv->loop->wheel, &c->timer);
	conn_free_parts(c);
	TAILQ_REMOVE(&srv->conns, c, link);
	srv->nconns--;
	c->next_closed = srv->closed;
	srv->closed = c;
	loop_defer(srv->loop, &srv->reap);
	atomic_store_explicit(&srv->cell->websockets, srv->nconns,
	    memory_order_relaxed);
}

static void
conn_end(struct ws_conn *c)
{
	struct http_server *http = c->server->http;

	conn_retire(c);
	http_server_ended(http);
}

void
ws_conn_leave(struct ws_conn *c)
{
	struct http_server *http = c->server->http;

	handle_free(&c->server->handles, c->id);
	c->id = 0;
	conn_retire(c);
	http_server_left(http);
}

static void
conn_linger(struct ws_conn *c)
{
	c->state = WS_LINGER;
	c->state_ms = c->server->loop->now_ms;
}

void
ws_conn_cut(struct ws_conn *c, unsigned code)
{
	hostd_buf none = { NULL, 0 };

	c->state = WS_GONE;
	conn_tell_close(c, c->code != 0 ? c->code : code, none);
	conn_end(c);
}

void
ws_conn_fail(struct ws_conn *c, unsigned code)
{
	unsigned char frame[2] = { (unsigned char)(code >> 8),
		(unsigned char)code };
	hostd_buf none = { NULL, 0 };

	if (c->state == WS_OPEN)
		ws_conn_control(c, WS_CLOSE, frame, sizeof(frame));
	conn_linger(c);
	conn_tell_close(c, c->code != 0 ? c->code : code, none);
}

/* -- what the reader finds -- */

/* Within message_rate?  Tokens are thousandths of a message. */
static int
conn_has_token(struct ws_conn *c)
{
	const struct conf_websocket *conf = c->conf;
	int64_t burst = conf->message_burst > 0 ? conf->message_burst :
	    conf->message_rate;
	uint64_t now = c->server->loop->now_ms;

	if (conf->message_rate == 0)
		return 1;
	if (c->rate_ms == 0)
		c->tokens = burst * 1000;
	else
		c->tokens += (int64_t)(now - c->rate_ms) * conf->message_rate;
	c->rate_ms = now;
	if (c->tokens > burst * 1000)
		c->tokens = burst * 1000;
	if (c->tokens < 1000)
		return 0;
	c->tokens -= 1000;
	return 1;
}

/* May a send's result, or says what was wrong. */
static int
is_failure(int32_t rc)
{
	return rc < 0 && rc != HOSTD_E_FULL && rc != HOSTD_E_GONE &&
	    rc != HOSTD_E_STATE;
}

/* Is it somebody else's turn, or another worker's?  Few bytes may have become
 * many. */
static int
conn_spend(struct ws_conn *c, size_t n)
{
	size_t cost = 1 + n / MESSAGE_BYTES;

	c->budget -= cost < c->budget ? (uint8_t)cost : c->budget;
	return c->budget == 0 ||
	    (c->server->give != NULL && ws_conn_may_move(c));
}

static int
conn_message(struct ws_reader *r, hostd_buf msg, uint32_t flags)
{
	const uint32_t whole = HOSTD_WS_TEXT | HOSTD_WS_FIRST | HOSTD_WS_FIN;
	struct ws_conn *c = conn_of(r);
	int32_t rc;

	if (flags & HOSTD_WS_FIN)
		c->began_ms = 0;
	if (c->state != WS_OPEN)
		return 0;
	if (flags & HOSTD_WS_FIRST) {
		board_add(&c->server->cell->counters.ws_in, 1);
		if (!conn_has_token(c)) {
			ws_conn_fail(c, HOSTD_WS_POLICY);
			return -1;
		}
	}
	if (flags == whole)
		c->server->text = msg;
	rc = c->handler->message(c->handler, c, msg, flags);
	c->server->text.p = NULL;
	if (is_failure(rc) && c->state == WS_OPEN)
		ws_conn_fail(c, HOSTD_WS_SERVER_ERROR);
	return c->state == WS_OPEN && conn_spend(c, msg.n);
}

static int
conn_control(struct ws_reader *r, unsigned opcode, hostd_buf b)
{
	struct ws_conn *c = conn_of(r);
	const unsigned char *p = b.p;
	unsigned code = b.n >= 2 ? (unsigned)p[0] << 8 | p[1] :
	    HOSTD_WS_NO_STATUS;
	hostd_buf reason = { p + 2, b.n >= 2 ? b.n - 2 : 0 };

	/* A frame is complete; the next one's time is its own. */
	if (!r->in_message)
		c->began_ms = 0;
	if (opcode == WS_PING && c->state == WS_OPEN)
		ws_conn_control(c, WS_PONG, b.p, b.n);
	if (opcode != WS_CLOSE)
		return conn_spend(c, 0);
	if (c->state == WS_OPEN)
		ws_conn_control(c, WS_CLOSE, b.p, b.n >= 2 ? 2 : 0);
	conn_linger(c);
	if (c->code != 0)
		reason.n = 0;
	conn_tell_close(c, c->code != 0 ? c->code : code, reason);
	return -1;
}

static const struct ws_reader_ops reader_ops = {
	.message = conn_message,
	.control = conn_control,
};

/* -- input -- */

static int
conn_wants_input(const struct ws_conn *c)
{
	if (c->got_fin)
		return 0;
	if (c->state != WS_OPEN)
		return c->state == WS_CLOSING || c->state == WS_LINGER;
	return !c->paused && stream_pending(&c->stream) <=
	    (uint64_t)c->conf->high_water;
}

/* Feed n bytes; what others' turns leave for later is kept. */
static void
conn_feed(struct ws_conn *c, char *p, size_t n)
{
	size_t used = n;

	if (c->state != WS_LINGER)
		used = ws_reader_feed(&c->reader, p, n);
	if (c->reader.error != 0 && c->state != WS_LINGER)
		ws_conn_fail(c, c->reader.error);
	if (c->state == WS_LINGER || c->state == WS_GONE)
		used = n;
	if (p == c->in.p)
		buf_consume(&c->in, used);
	else
		buf_append(&c->in, p + used, n - used);
	if (c->in.len == 0)
		buf_free(&c->in);
}

/* Bytes to where they belong: the message in progress, or the reader. */
static ssize_t
conn_read(struct ws_conn *c)
{
	char *p = c->server->http->sio.rbuf, *direct = NULL;
	size_t room = STREAM_RBUF;
	ssize_t n;

	if (c->state != WS_LINGER)
		direct = ws_reader_direct(&c->reader, &room);
	/* No more than stays in the cache until it is unmasked. */
	if (room > CHUNK)
		room = CHUNK;
	n = stream_read(&c->stream, direct != NULL ? direct : p, room);
	if (n <= 0)
		return n;
	c->heard_ms = c->server->loop->now_ms;
	c->asked_ms = 0;
	board_add(&c->server->cell->counters.bytes_in, (uint64_t)n);
	board_add(&c->server->cell->counters.ws_bytes_in, (uint64_t)n);
	if (direct == NULL) {
		conn_feed(c, p, (size_t)n);
		return n;
	}
	ws_reader_got(&c->reader, (size_t)n);
	if (c->reader.error != 0 && c->state != WS_LINGER)
		ws_conn_fail(c, c->reader.error);
	return n;
}

static void
conn_input(struct ws_conn *c)
{
	size_t total = 0;
	ssize_t n;

	if (!conn_wants_input(c))
		return;
	c->budget = TURN_MESSAGES;
	if (c->in.len > 0) {
		conn_feed(c, c->in.p, c->in.len);
		return;
	}
	if (!c->stream.can_read)
		return;
	/* A long message is read on while its connection's memory is in the
	 * cache. */
	do {
		n = conn_read(c);
		total += n > 0 ? (size_t)n : 0;
	} while (n > 0 && c->stream.can_read && total < TURN_BYTES &&
	    c->reader.in_frame && c->in.len == 0 && conn_wants_input(c));
	/* A client that has said all, and its close, may still be reading. */
	if (n == 0 && c->state == WS_LINGER && !c->fin_sent)
		c->got_fin = 1;
	else if (n == 0 || (n == -1 && errno != EAGAIN))
		ws_conn_cut(c, HOSTD_WS_ABNORMAL);
}

/* -- turns -- */

static void
conn_turn(struct ws_conn *c)
{
	c->busy = 1;
	stream_cork(&c->stream);
	conn_input(c);
	c->busy = 0;
	if (c->state == WS_GONE)
		return;
	stream_uncork(&c->stream);
	conn_settle(c);
}

static void
conn_offer_room(struct ws_conn *c)
{
	if (!c->high || c->state != WS_OPEN ||
	    stream_pending(&c->stream) > (uint64_t)c->conf->high_water / 2)
		return;
	c->high = 0;
	c->handler->writable(c->handler, c);
}

/* Since when is a message incomplete that we would read on? */
static void
conn_note_message(struct ws_conn *c)
{
	int is_deaf = !conn_wants_input(c);

	if (!ws_reader_is_busy(&c->reader))
		c->began_ms = 0;
	else if (c->began_ms == 0 || c->deaf)
		c->began_ms = c->server->loop->now_ms;
	c->deaf = (uint8_t)is_deaf;
}

static void
conn_settle(struct ws_conn *c)
{
	if (c->stream.error != 0) {
		ws_conn_cut(c, HOSTD_WS_ABNORMAL);
		return;
	}
	if (c->state == WS_LINGER && stream_pending(&c->stream) == 0 &&
	    !c->fin_sent) {
		stream_shutdown(&c->stream);
		c->fin_sent = 1;
	}
	if (c->fin_sent && c->got_fin) {
		ws_conn_cut(c, HOSTD_WS_NORMAL);
		return;
	}
	conn_offer_room(c);
	conn_note_sent(c);
	conn_note_message(c);
	if (c->server->give != NULL && ws_conn_can_move(c) &&
	    c->server->give(c->server, c) == WS_GIVEN)
		return;
	ws_conn_arm(c);
	if (conn_wants_input(c) && (c->in.len > 0 || c->stream.can_read))
		stream_read_again(&c->stream);
}

static void
conn_readable(struct stream *s)
{
	conn_turn((struct ws_conn *)(void *)s);
}

static void
conn_sent(struct stream *s)
{
	conn_settle((struct ws_conn *)(void *)s);
}

static void
conn_failed(struct stream *s, int error)
{
	(void)error;
	ws_conn_cut((struct ws_conn *)(void *)s, HOSTD_WS_ABNORMAL);
}

static void
conn_half_closed(struct stream *s)
{
	(void)s;
}

void
ws_conn_pause(struct ws_conn *c, int on)
{
	c->paused = on != 0;
	/* Silence that we asked for is not the client's. */
	c->heard_ms = c->server->loop->now_ms;
	c->asked_ms = 0;
	c->deaf = 1;
	if (!on && !c->busy)
		stream_read_again(&c->stream);
}

/* -- beginning -- */

void
ws_conn_keep_texts(struct ws_conn *c, hostd_buf peer, hostd_buf path,
    hostd_buf protocol)
{
	char *p = xmalloc(peer.n + path.n + protocol.n + 1);

	c->text = p;
	c->peer_len = (uint16_t)peer.n;
	c->path_len = (uint16_t)path.n;
	c->protocol_len = (uint16_t)protocol.n;
	memcpy(p, peer.p, peer.n);
	memcpy(p + peer.n, path.p, path.n);
	if (protocol.n > 0)
		memcpy(p + peer.n + path.n, protocol.p, protocol.n);
}

static void
conn_enter(struct ws_conn *c)
{
	struct ws_server *srv = c->server;

	TAILQ_INSERT_TAIL(&srv->conns, c, link);
	srv->nconns++;
	atomic_store_explicit(&srv->cell->websockets, srv->nconns,
	    memory_order_relaxed);
	c->id = handle_new(&srv->handles, c);
}

int
ws_conn_attach(struct ws_conn *c, int fd)
{
	struct http_server *http = c->server->http;

	if (stream_open(&c->stream, &http->sio, fd, &conn_ops) == -1)
		return -1;
	conn_enter(c);
	http->nconns++;
	http_server_gauges(http);
	return 0;
}

/* The connection is ours; what came behind the request is a client's first
 * frames. */
static void
conn_taken(struct http_upgrade *u, struct stream *from, const char *p,
    size_t n)
{
	struct ws_conn *c = (struct ws_conn *)(void *)((char *)u -
	    offsetof(struct ws_conn, upgrade));
	struct ws_server *srv = c->server;

	stream_move(&c->stream, from, &conn_ops);
	buf_append(&c->in, p, n);
	conn_enter(c);
	board_add(&srv->cell->counters.ws_opened, 1);
	/* A stream of HTTP/2. */
	c->stays = c->stream.io.fd == STREAM_NO_SOCKET;
	c->state = WS_OPEN;
	c->opened_ms = c->heard_ms = srv->loop->now_ms;
	c->seen_sent = c->stream.sent;
	c->handler->open(c->handler, c);
	if (srv->http->draining || srv->http->leaving)
		ws_server_send_away(srv, c);
	stream_read_again(&c->stream);
	ws_conn_arm(c);
}

static void
conn_lost(struct http_upgrade *u, int why)
{
	struct ws_conn *c = (struct ws_conn *)(void *)((char *)u -
	    offsetof(struct ws_conn, upgrade));

	c->handler->lost(c->handler, c, why);
	ws_conn_discard(c);
}

struct ws_conn *
ws_conn_new(struct ws_server *srv, struct ws_handler *h,
    const struct conf_websocket *conf)
{
	struct ws_conn *c = xcalloc(1, sizeof(*c) + h->data_size);

	c->server = srv;
	c->handler = h;
	c->conf = conf;
	c->timer.fire = ws_conn_timeout;
	c->upgrade.taken = conn_taken;
	c->upgrade.lost = conn_lost;
	c->reader.ops = &reader_ops;
	c->reader.pool = &srv->readers;
	c->reader.max = (uint64_t)conf->max_message;
	c->reader.fragments = (uint8_t)h->fragments;
	return c;
}

void
ws_conn_discard(struct ws_conn *c)
{
	conn_free_parts(c);
	free(c);
}
