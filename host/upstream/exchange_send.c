/* SPDX-License-Identifier: BSD-2-Clause */
/* A request on its way to the server. */
#include <string.h>
#include <strings.h>
#include "http/guard.h"
#include "upstream/exchange.h"

#define HIGH		131072	/* bytes that the server has not taken */
#define FULL		(4 * HIGH)

static struct stream *
stream_of(const struct up_exchange *x)
{
	return &x->link->stream;
}

/* Is there a connection that takes bytes of it? */
static int
is_sending(const struct up_exchange *x)
{
	return x->link != NULL && x->state >= UP_SEND;
}

/* A piece of the body as the server wants it. */
static void
queue_body(struct up_exchange *x, const char *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	struct stream *s = stream_of(x);
	char line[20];
	size_t i = sizeof(line), rest = n;

	if (n == 0)
		return;
	if (x->length >= 0) {
		stream_write(s, p, n);
		return;
	}
	line[--i] = '\n';
	line[--i] = '\r';
	for (; rest > 0; rest >>= 4)
		line[--i] = digits[rest & 15];
	stream_write(s, line + i, sizeof(line) - i);
	stream_write(s, p, n);
	stream_write(s, "\r\n", 2);
}

static void
queue_end(struct up_exchange *x)
{
	struct stream *s = stream_of(x);

	x->end_queued = 1;
	if (x->length >= 0)
		return;
	stream_write(s, "0\r\n", 3);
	stream_write(s, x->last.p, x->last.len);
	stream_write(s, "\r\n", 2);
}

/* How far has it come, and how long may the rest take? */
static void
note_sent(struct up_exchange *x)
{
	struct stream *s = stream_of(x);
	uint64_t n = s->sent - x->sent_seen;

	x->sent_seen = s->sent;
	board_add(&peer_count(x->peer)->bytes_out, n);
	if (s->error != 0 && x->error == 0) {
		x->error = s->error;
		exchange_wake(x);
	}
	if (x->state != UP_SEND)
		return;
	if (x->error != 0) {
		/* Perhaps it has said why. */
		if (x->step_ms == 0)
			exchange_arm(x, x->rules.read_ms);
		return;
	}
	if (x->end_queued && stream_pending(s) == 0) {
		x->state = UP_HEAD;
		x->sent_us = x->fresh || x->try_us == 0 || x->given > 0 ?
		    exchange_clock_us() : x->try_us;
		exchange_arm(x, x->paused ? 0 : x->rules.read_ms);
	} else if (stream_pending(s) == 0) {
		exchange_arm(x, 0);
	} else if (n > 0 || x->step_ms == 0) {
		exchange_arm(x, x->rules.send_ms);
	}
}

int
exchange_send(struct up_exchange *x)
{
	struct stream *s = stream_of(x);

	x->state = UP_SEND;
	x->step_ms = 0;
	x->sent_from = x->sent_seen = s->sent;
	stream_cork(s);
	if (x->fresh)
		stream_write(s, x->proxy, x->proxy_len);
	stream_write(s, x->out.p, x->head_len);
	queue_body(x, x->out.p + x->head_len, x->out.len - x->head_len);
	if (x->complete)
		queue_end(x);
	stream_uncork(s);
	note_sent(x);
	if (x->owed)
		exchange_wake(x);
	return 0;
}

int
exchange_sent(struct up_exchange *x)
{
	if (!is_sending(x))
		return 0;
	note_sent(x);
	if (x->owed && stream_pending(stream_of(x)) <= HIGH / 2) {
		x->owed = 0;
		if (x->rewound) {
			x->rewound = 0;
			x->ops->rewind(x);
		} else
			x->ops->writable(x);
	}
	return 0;
}

/* -- the owner's -- */

/* For another try, as long as it is not too much. */
static void
keep_body(struct up_exchange *x, hostd_buf b)
{
	if (x->over)
		return;
	if (is_sending(x) && x->out.len - x->head_len + b.n > EXCHANGE_KEEP) {
		x->over = 1;
		x->out.len = x->head_len;
	} else {
		buf_append(&x->out, b.p, b.n);
	}
}

static uint64_t
waiting(const struct up_exchange *x)
{
	return is_sending(x) ? stream_pending(stream_of(x)) :
	    x->out.len - x->head_len;
}

static uint64_t
high_water(const struct up_exchange *x)
{
	return is_sending(x) ? HIGH : EXCHANGE_KEEP;
}

int32_t
exchange_write(struct up_exchange *x, hostd_buf b)
{
	struct stream *s;

	if (x->complete || x->state == UP_DONE)
		return HOSTD_E_STATE;
	if (x->rewound)
		return HOSTD_E_FULL;
	if ((b.n > 0 && b.p == NULL) || (x->length >= 0 &&
	    b.n > (uint64_t)x->length - x->given))
		return HOSTD_E_INVAL;
	if (waiting(x) > (is_sending(x) ? FULL : EXCHANGE_KEEP)) {
		x->owed = 1;
		return HOSTD_E_FULL;
	}
	x->given += b.n;
	keep_body(x, b);
	if (is_sending(x) && x->error == 0) {
		s = stream_of(x);
		stream_cork(s);
		queue_body(x, b.p, b.n);
		stream_uncork(s);
		note_sent(x);
	}
	if (waiting(x) <= high_water(x))
		return HOSTD_OK;
	x->owed = 1;
	return HOSTD_AGAIN;
}

/* Lines for the end of a chunked body. */
static int32_t
make_trailers(struct up_exchange *x, const hostd_hdr *h, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (h[i].name.p == NULL ||
		    !is_token(h[i].name.p, h[i].name.n) ||
		    !is_trailer(h[i].name) || (h[i].value.n > 0 &&
		    (h[i].value.p == NULL ||
		    !is_field_value(h[i].value.p, h[i].value.n))))
			return HOSTD_E_INVAL;
	for (i = 0; i < n && x->length < 0; i++) {
		buf_append(&x->last, h[i].name.p, h[i].name.n);
		buf_append(&x->last, ": ", 2);
		buf_append(&x->last, h[i].value.p, h[i].value.n);
		buf_append(&x->last, "\r\n", 2);
	}
	return HOSTD_OK;
}

int32_t
exchange_finish(struct up_exchange *x, const hostd_hdr *trailers, uint32_t n)
{
	struct stream *s;
	int32_t rc;

	/* A body of known length is complete with its last byte; saying so
	 * does no harm. */
	if (x->complete && x->length >= 0 && x->state != UP_DONE)
		return HOSTD_OK;
	if (x->complete || x->rewound || x->state == UP_DONE)
		return HOSTD_E_STATE;
	if (x->length >= 0 && x->given < (uint64_t)x->length)
		return HOSTD_E_INVAL;
	if ((rc = make_trailers(x, trailers, n)) != HOSTD_OK)
		return rc;
	x->complete = 1;
	x->owed = 0;
	if (is_sending(x) && x->error == 0) {
		s = stream_of(x);
		stream_cork(s);
		queue_end(x);
		stream_uncork(s);
		note_sent(x);
	}
	return HOSTD_OK;
}
