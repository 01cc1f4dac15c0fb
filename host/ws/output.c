/* SPDX-License-Identifier: BSD-2-Clause */
/* What we send: frames of one connection, within its limits. */
#include <string.h>
#include "base/utf8.h"
#include "ws/conn.h"
#include "ws/deflate.h"
#include "ws/frame.h"
#include "ws/message.h"

#define THROUGH_MIN	16384	/* larger ones are not copied if they can go */
#define SMALL_MAX	1024	/* copied behind SMALL_FROM bytes that wait */
#define SMALL_FROM	2048
#define REASON_MAX	123

#define TYPES	(HOSTD_WS_TEXT | HOSTD_WS_BINARY)
#define OPTIONS	(HOSTD_WS_VOLATILE | HOSTD_WS_PLAIN)

int32_t
ws_check_message(hostd_buf b, uint32_t flags, hostd_buf known)
{
	uint32_t type = flags & TYPES;

	if ((flags & ~(TYPES | OPTIONS)) != 0 || type == 0 || type == TYPES ||
	    (b.n > 0 && b.p == NULL))
		return HOSTD_E_INVAL;
	if (type == HOSTD_WS_TEXT && (b.p != known.p || b.n != known.n) &&
	    !utf8_is_valid(b.p, b.n))
		return HOSTD_E_INVAL;
	return HOSTD_OK;
}

/* -- limits -- */

/* Before something is queued: what waits now has not waited before. */
static void
conn_queueing(struct ws_conn *c)
{
	if (stream_pending(&c->stream) == 0)
		c->stuck_ms = c->server->loop->now_ms;
}

/* What waits, when it is about more than n.  Perhaps only that it was not sent
 * yet is in the way. */
static uint64_t
conn_pending(struct ws_conn *c, uint64_t n)
{
	if (stream_pending(&c->stream) > n && c->stream.can_write)
		(void)stream_flush(&c->stream);
	return stream_pending(&c->stream);
}

/* May n more bytes be queued? */
static int32_t
conn_has_room(struct ws_conn *c, size_t n, uint32_t flags)
{
	const struct conf_websocket *conf = c->conf;
	uint64_t high = (uint64_t)conf->high_water;
	uint64_t most = (uint64_t)conf->max_output;
	uint64_t room = n < most ? most - n : 0, pending;
	hostd_buf none = { NULL, 0 };

	if (c->state != WS_OPEN)
		return HOSTD_E_STATE;
	pending = conn_pending(c, room < high ? room : high);
	if (c->stream.error != 0)
		return HOSTD_E_GONE;
	if (pending + n <= most &&
	    (pending <= high || !(flags & HOSTD_WS_VOLATILE))) {
		conn_queueing(c);
		return HOSTD_OK;
	}
	board_add(&c->server->cell->counters.ws_dropped, 1);
	/* What could never fit is not the peer's fault, and no room that it
	 * makes is of use. */
	if (n > most)
		return HOSTD_E_FULL;
	c->high = 1;
	if (conf->slow_close && !(flags & HOSTD_WS_VOLATILE))
		(void)ws_conn_close(c, HOSTD_WS_TRY_LATER, none);
	return HOSTD_E_FULL;
}

/* After something was queued. */
static int32_t
conn_queued(struct ws_conn *c)
{
	board_add(&c->server->cell->counters.ws_out, 1);
	if (!c->busy)
		stream_flush_later(&c->stream);
	if (conn_pending(c, (uint64_t)c->conf->high_water) <=
	    (uint64_t)c->conf->high_water)
		return HOSTD_OK;
	c->high = 1;
	return HOSTD_AGAIN;
}

/* -- frames -- */

static void
queue_frame(struct ws_conn *c, unsigned first, const void *p, size_t n)
{
	struct stream *s = &c->stream;
	int through = n >= THROUGH_MIN;
	char *to = stream_reserve(s, WS_HEAD_OUT + (through ? 0 : n));
	size_t head = ws_head_put(to, first, n);

	if (!through && n > 0)
		memcpy(to + head, p, n);
	stream_commit(s, head + (through ? 0 : n));
	if (through)
		stream_write_through(s, p, n);
}

void
ws_conn_control(struct ws_conn *c, unsigned opcode, const void *p, size_t n)
{
	conn_queueing(c);
	queue_frame(c, WS_FIN | opcode, p, n);
	if (!c->busy)
		stream_flush_later(&c->stream);
}

static int
wants_packing(const struct ws_conn *c, size_t n, uint32_t flags)
{
	return c->deflate && !(flags & HOSTD_WS_PLAIN) &&
	    n >= (size_t)c->conf->deflate_min;
}

/* Compress into the server's buffer; 0, or -1: send it as it is. */
static int
conn_pack(struct ws_conn *c, hostd_buf msg)
{
	struct ws_zpool *pool = c->server->readers.zpool;
	struct buf *out = &c->server->packed;
	struct ws_deflater *d = c->deflater;
	int rc;

	if (d == NULL)
		d = ws_deflater_get(pool, c->params.server_bits);
	if (d == NULL)
		return -1;
	out->len = 0;
	rc = ws_deflate(d, msg.p, msg.n, out);
	if (c->params.server_takeover)
		c->deflater = d;
	else
		ws_deflater_put(pool, d);
	return rc;
}

int32_t
ws_conn_send(struct ws_conn *c, hostd_buf msg, uint32_t flags)
{
	unsigned first = WS_FIN |
	    (flags & HOSTD_WS_TEXT ? WS_TEXT : WS_BINARY);
	int32_t rc = conn_has_room(c, msg.n, flags);

	if (rc != HOSTD_OK)
		return rc;
	if (wants_packing(c, msg.n, flags) && conn_pack(c, msg) == 0)
		queue_frame(c, first | WS_RSV1, c->server->packed.p,
		    c->server->packed.len);
	else
		queue_frame(c, first, msg.p, msg.n);
	return conn_queued(c);
}

static void
message_release(void *owner, void *arg)
{
	(void)owner;
	ws_message_unref(arg);
}

int32_t
ws_conn_send_message(struct ws_conn *c, struct ws_message *m)
{
	hostd_buf frame = { m->frame, m->n }, packed;
	int32_t rc;

	if (ws_conn_is_on_its_way(c)) {
		ws_conn_hold_message(c, m);
		return HOSTD_OK;
	}
	if (wants_packing(c, m->n - m->head, m->flags)) {
		if (c->params.server_takeover)
			return ws_conn_send(c, ws_message_payload(m),
			    m->flags);
		packed = ws_message_packed(m, c->server->readers.zpool,
		    c->params.server_bits);
		if (packed.p != NULL && packed.n < frame.n)
			frame = packed;
	}
	if ((rc = conn_has_room(c, frame.n, m->flags)) != HOSTD_OK)
		return rc;
	/* Many references to small frames would take more than their bytes,
	 * which is what max_output counts. */
	if (frame.n <= SMALL_MAX && stream_pending(&c->stream) > SMALL_FROM)
		stream_write(&c->stream, frame.p, frame.n);
	else
		stream_write_ref(&c->stream, frame.p, frame.n, message_release,
		    NULL, ws_message_ref(m));
	return conn_queued(c);
}

/* -- closing -- */

int32_t
ws_conn_close(struct ws_conn *c, int32_t code, hostd_buf reason)
{
	unsigned char frame[2 + REASON_MAX];

	if (code < 0 || !ws_close_code_ok((unsigned)code) ||
	    reason.n > REASON_MAX || (reason.n > 0 && (reason.p == NULL ||
	    !utf8_is_valid(reason.p, reason.n))))
		return HOSTD_E_INVAL;
	if (c->state != WS_OPEN)
		return HOSTD_E_STATE;
	frame[0] = (unsigned char)(code >> 8);
	frame[1] = (unsigned char)code;
	if (reason.n > 0)
		memcpy(frame + 2, reason.p, reason.n);
	ws_conn_control(c, WS_CLOSE, frame, 2 + reason.n);
	c->code = (uint16_t)code;
	c->state = WS_CLOSING;
	c->state_ms = c->server->loop->now_ms;
	/* It is read from again, for the client's answer. */
	if (!c->busy)
		stream_read_again(&c->stream);
	ws_conn_arm(c);
	return HOSTD_OK;
}
