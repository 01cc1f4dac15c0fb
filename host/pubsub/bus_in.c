/* SPDX-License-Identifier: BSD-2-Clause */
/* What other workers say: read, kept until its turn, and taken in order. */
#include <errno.h>
#include <string.h>
#include "base/log.h"
#include "pubsub/bus.h"

#define READS_MAX	16	/* more than the kernel keeps of a worker's */
#define LOOK_AHEAD	16384

static void
take_interest(struct bus_peer *p, const struct envelope *e)
{
	struct channels *all = p->bus->channels;
	struct channel *ch;

	if (!channel_name_ok(e->name))
		return;
	if (e->flags) {
		channel_peer_add(channel_get(all, e->name), p);
	} else if ((ch = channel_find(all, e->name)) != NULL) {
		channel_peer_del(ch, p);
		channel_settle(all, ch);
	}
}

/* What follows is all that it has subscribers of. */
static void
take_gap(struct bus_peer *p, const struct envelope *e)
{
	p->told = 0;
	bus_peer_forget(p);
	p->bus->received(p->bus, p, e);
}

static void
peer_envelope(struct bus_peer *p, const struct envelope *e)
{
	switch (e->type) {
	case ENV_INTEREST:
		take_interest(p, e);
		break;
	case ENV_READY:
		p->told = 1;
		break;
	case ENV_GAP:
		take_gap(p, e);
		break;
	default:
		if (e->type == ENV_MESSAGE)
			board_add(&p->bus->cell->counters.bus_in, 1);
		p->bus->received(p->bus, p, e);
	}
}

/* Read what has come, for later.  What the last read said. */
static ssize_t
peer_fetch(struct bus_peer *p)
{
	ssize_t n;

	do {
		buf_reserve(&p->in, LOOK_AHEAD);
		n = stream_read(&p->stream, p->in.p + p->in.len, LOOK_AHEAD);
		if (n > 0)
			p->in.len += (size_t)n;
	} while (n == LOOK_AHEAD);
	return n;
}

/* What is not taken now waits for its turn. */
static void
peer_keep(struct bus_peer *p)
{
	buf_append(&p->in, p->rest.p, p->rest.n);
	p->rest.n = 0;
}

/*
 * Read what has come, but take only new interest of it: where this is called
 * from, nobody expects a message.  That may be in the middle of a message of
 * the same peer, whose bytes stay where they are; those behind it come along.
 */
static void
peer_look_ahead(struct bus_peer *p)
{
	struct envelope e;
	size_t at = 0;
	int64_t k;

	peer_keep(p);
	(void)peer_fetch(p);
	p->ahead = 1;
	while ((k = envelope_parse(&e, p->in.p + at, p->in.len - at)) > 0) {
		if (e.type == ENV_INTEREST && e.flags)
			take_interest(p, &e);
		at += (size_t)k;
	}
	stream_read_again(&p->stream);
}

void
bus_catch_up(struct bus *bus)
{
	uint32_t now = atomic_load_explicit(bus->interests,
	    memory_order_acquire);
	struct bus_peer *p;

	if (now == bus->interests_seen)
		return;
	bus->interests_seen = now;
	TAILQ_FOREACH(p, &bus->peers, link)
		peer_look_ahead(p);
}

/* Leaves in p->rest what is no whole envelope.  0, or -1: it is not a worker
 * that talks. */
static int
peer_feed(struct bus_peer *p, const char *bytes, size_t n)
{
	struct envelope e;
	int64_t k;

	p->rest = (hostd_buf){ bytes, n };
	while ((k = envelope_parse(&e, p->rest.p, p->rest.n)) > 0) {
		p->rest.p = (const char *)p->rest.p + k;
		p->rest.n -= (size_t)k;
		peer_envelope(p, &e);
	}
	return k < 0 ? -1 : 0;
}

/* All that had to wait.  Who looks ahead meanwhile fills p->in anew. */
static int
peer_feed_waiting(struct bus_peer *p)
{
	struct buf all = p->in;
	int rc;

	memset(&p->in, 0, sizeof(p->in));
	rc = peer_feed(p, all.p, all.len);
	if (p->in.len > 0 || p->rest.n == 0) {
		buf_free(&all);
		return rc;
	}
	buf_free(&p->in);
	buf_consume(&all, all.len - p->rest.n);
	p->rest.n = 0;
	p->in = all;
	return rc;
}

/* n bytes came, behind those that had to wait.  0, or -1: they are nonsense. */
static int
peer_take(struct bus_peer *p, const char *bytes, size_t n)
{
	int rc = 0;

	p->ahead = p->in.len > 0;
	if (p->ahead)
		buf_append(&p->in, bytes, n);
	else if ((rc = peer_feed(p, bytes, n)) == 0)
		peer_keep(p);
	while (rc == 0 && p->ahead) {
		p->ahead = 0;
		rc = peer_feed_waiting(p);
	}
	if (p->in.len == 0)
		buf_free(&p->in);
	return rc;
}

/* n bytes came, behind those that had to wait; -1: none, of that error.  Is
 * there more?  It may have ended and be closed. */
static int
peer_came(struct bus_peer *p, const char *buf, ssize_t n, int error)
{
	/* Without new bytes there may be those of peer_fetch. */
	int ended = n == 0 || (n == -1 && error != EAGAIN);

	if (peer_take(p, buf, n > 0 ? (size_t)n : 0) == -1) {
		log_errorx("another worker sent what is no envelope; it is of "
		    "another version of hostd?");
		ended = 1;
	}
	if (ended)
		bus_peer_close(p);
	return !ended && p->stream.can_read;
}

void
bus_in_last(struct bus_peer *p)
{
	char *buf = p->stream.sio->rbuf;
	ssize_t n;
	int i;

	for (i = 0; i < READS_MAX; i++) {
		n = stream_read(&p->stream, buf, STREAM_RBUF);
		if (peer_take(p, buf, n > 0 ? (size_t)n : 0) == -1 || n <= 0)
			break;
	}
}

static int
peer_read(struct bus_peer *p)
{
	char *buf = p->stream.sio->rbuf;
	ssize_t n = stream_read(&p->stream, buf, STREAM_RBUF);

	return peer_came(p, buf, n, errno);
}

void
bus_read_peer(struct bus_peer *p)
{
	int i;

	for (i = 0; i < READS_MAX && peer_read(p); i++)
		;
	if (i == READS_MAX)
		stream_read_again(&p->stream);
}

/* Does it drain, or has it ended, and what it said last is still to be read?
 * Its cell may be another one's by then. */
static int
is_draining(struct bus_peer *p)
{
	uint32_t state;

	if (p->drains || p->cell >= BOARD_CELLS)
		return p->drains;
	state = atomic_load_explicit(&p->bus->cells[p->cell].state,
	    memory_order_relaxed);
	p->drains = state != CELL_STARTING && state != CELL_READY;
	return p->drains;
}

static void
read_draining(const struct bus *bus, const struct bus_peer *but)
{
	struct bus_peer *p, *next;

	for (p = TAILQ_FIRST(&bus->peers); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p != but && is_draining(p))
			bus_read_peer(p);
	}
}

static int
somebody_drains(const struct bus *bus)
{
	struct bus_peer *p;

	TAILQ_FOREACH(p, &bus->peers, link)
		if (is_draining(p))
			return 1;
	return 0;
}

/*
 * Whoever was moved from one that drains to this one has spoken there before:
 * what was said here by now is taken behind that, and nothing newer.
 */
static void
peer_read_behind(struct bus_peer *p)
{
	ssize_t n = peer_fetch(p);
	int error = n > 0 ? EAGAIN : errno;

	/* Newer words may be read for the interest in them. */
	do {
		p->ahead = 0;
		read_draining(p->bus, p);
	} while (p->ahead);
	if (peer_came(p, NULL, n == 0 ? 0 : -1, error))
		stream_read_again(&p->stream);
}

void
bus_in_readable(struct stream *s)
{
	struct bus_peer *p = (struct bus_peer *)(void *)s;

	if (!is_draining(p) && somebody_drains(p->bus))
		peer_read_behind(p);
	else if (peer_read(p))
		stream_read_again(s);
}

void
bus_read(struct bus *bus)
{
	struct bus_peer *p, *next;

	TAILQ_FOREACH(p, &bus->peers, link)
		if (!is_draining(p))
			(void)peer_fetch(p);
	read_draining(bus, NULL);
	for (p = TAILQ_FIRST(&bus->peers); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (peer_came(p, NULL, -1, EAGAIN))
			stream_read_again(&p->stream);
	}
}
