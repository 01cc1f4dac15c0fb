/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stddef.h>
#include "net/relay.h"

#define RELAY_READ	65536		/* more than that at once is bulk */
#define RELAY_SPLICE	(1u << 20)	/* at most, in one call */
#define RELAY_BULK	16384		/* less than that is none any more */
#define RELAY_TURN	(2u << 20)	/* then others have theirs */

static struct relay_side *
relay_other(const struct relay_side *s)
{
	struct relay *r = s->relay;

	return s == &r->left ? &r->right : &r->left;
}

static void
relay_finish(struct relay *r, enum relay_end why, int error)
{
	relay_close(r);
	r->ended(r, why, error);
}

/* As stream_read: through the worker's buffer. */
static ssize_t
side_copy(struct relay_side *from, struct relay_side *to)
{
	char *buf = from->stream.sio->rbuf;
	ssize_t n = stream_read(&from->stream, buf, RELAY_READ);

	if (n > 0)
		stream_write_through(&to->stream, buf, (size_t)n);
	from->bulk = n == RELAY_READ;
	return n;
}

/* The same through a pipe; where none is to be had, or sockets can't do it, as
 * before. */
static ssize_t
side_splice(struct relay_side *from, struct relay_side *to)
{
	ssize_t n = stream_splice(&to->stream, &from->stream, RELAY_SPLICE);

	if (n == -1 && errno != EAGAIN)
		return side_copy(from, to);
	if (n > 0)
		(void)stream_flush(&to->stream);
	if (n != -1)
		from->bulk = n >= RELAY_BULK;
	return n;
}

static ssize_t
side_pass(struct relay_side *from, struct relay_side *to)
{
	ssize_t n = from->bulk ? side_splice(from, to) : side_copy(from, to);

	if (n > 0)
		from->bytes += (uint64_t)n;
	return n;
}

/*
 * One side is broken.  What had come from it before goes on as far as the other
 * takes it, and then the same happens to that one.
 */
static void
side_broken(struct relay_side *s, int error)
{
	struct relay *r = s->relay;
	struct relay_side *to = relay_other(s);
	ssize_t n = 1;
	size_t budget = RELAY_TURN;

	while (n > 0 && budget > 0 && !s->ended && to->stream.error == 0 &&
	    stream_pending(&to->stream) == 0) {
		if ((n = side_pass(s, to)) > 0)
			budget -= (size_t)n < budget ? (size_t)n : budget;
	}
	/* For the other one's was. */
	stream_break(&to->stream);
	relay_finish(r, s == &r->left ? RELAY_LEFT : RELAY_RIGHT, error);
}

/* Both sides have ended, and have been told so. */
static int
relay_is_over(const struct relay *r)
{
	return r->left.done && r->right.done &&
	    stream_pending(&r->left.stream) == 0 &&
	    stream_pending(&r->right.stream) == 0;
}

/* Everything before the end was sent: the end, too.  A socket that is about to
 * be closed says so by that. */
static void
side_end(struct relay_side *from, struct relay_side *to)
{
	from->done = 1;
	if (!to->done || to->stream.layer != NULL)
		stream_shutdown(&to->stream);
}

static void
relay_touch(struct relay *r)
{
	struct loop *l = r->left.stream.sio->loop;

	if (r->idle_ms != 0)
		wheel_set(&l->wheel, &r->idle, l->now_ms + r->idle_ms);
}

/* What there is to read, as far as the other side takes it. */
static void
side_pump(struct relay_side *from)
{
	struct relay_side *to = relay_other(from);
	size_t budget = RELAY_TURN;
	ssize_t n;

	relay_touch(from->relay);
	while (from->stream.can_read && !from->ended &&
	    stream_pending(&to->stream) == 0) {
		if (budget == 0) {
			stream_read_again(&from->stream);
			return;
		}
		n = side_pass(from, to);
		if (n == -1 && errno == EAGAIN)
			break;
		if (n == -1) {
			side_broken(from, errno);
			return;
		}
		if (to->stream.error != 0) {
			side_broken(to, to->stream.error);
			return;
		}
		from->ended = n == 0;
		budget -= (size_t)n < budget ? (size_t)n : budget;
	}
	if (from->ended && !from->done && stream_pending(&to->stream) == 0)
		side_end(from, to);
	if (relay_is_over(from->relay))
		relay_finish(from->relay, RELAY_CLOSED, 0);
}

static void
side_readable(struct stream *st)
{
	side_pump((struct relay_side *)(void *)st);
}

static void
side_sent(struct stream *st)
{
	struct relay_side *to = (struct relay_side *)(void *)st;

	if (stream_pending(st) == 0)
		side_pump(relay_other(to));
	else
		relay_touch(to->relay);
}

static void
side_failed(struct stream *st, int error)
{
	side_broken((struct relay_side *)(void *)st, error);
}

/* It is read, when all before it was. */
static void
side_half_closed(struct stream *st)
{
	(void)st;
}

static const struct stream_ops side_ops = {
	side_readable, side_sent, side_failed, side_half_closed
};

static void
relay_idled(struct wheel_timer *t)
{
	struct relay *r = (struct relay *)(void *)((char *)t -
	    offsetof(struct relay, idle));

	relay_finish(r, RELAY_IDLE, ETIMEDOUT);
}

static void
side_start(struct relay *r, struct relay_side *s, struct stream *from)
{
	stream_move(&s->stream, from, &side_ops);
	s->relay = r;
	s->bytes = s->sent = 0;
	s->bulk = s->ended = s->done = 0;
}

static void
side_begin(struct relay_side *from, const char *p, size_t n)
{
	struct stream *to = &relay_other(from)->stream;

	if (n == 0)
		return;
	from->bytes = n;
	stream_write(to, p, n);
	stream_flush_later(to);
}

void
relay_start(struct relay *r, struct stream *left, const char *pleft,
    size_t nleft, struct stream *right, const char *pright, size_t nright)
{
	side_start(r, &r->left, left);
	side_start(r, &r->right, right);
	side_begin(&r->left, pleft, nleft);
	side_begin(&r->right, pright, nright);
	r->idle.fire = relay_idled;
	relay_touch(r);
}

void
relay_close(struct relay *r)
{
	if (r->left.stream.io.fd == -1)
		return;
	wheel_remove(&r->left.stream.sio->loop->wheel, &r->idle);
	r->left.sent = r->right.bytes - stream_pending(&r->left.stream);
	r->right.sent = r->left.bytes - stream_pending(&r->right.stream);
	stream_close(&r->left.stream);
	stream_close(&r->right.stream);
}
