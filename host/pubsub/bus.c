/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "pubsub/bus.h"
#include "ws/message.h"

#define COMPLAIN_MS	5000
#define COPY_MAX	4096	/* larger payloads wait where they are */
#define READS_MAX	16	/* more than the kernel keeps of a worker's */
#define LOOK_AHEAD	16384

static void	peer_readable(struct stream *);
static void	peer_sent(struct stream *);
static void	peer_failed(struct stream *, int);
static void	peer_half_closed(struct stream *);

static const struct stream_ops peer_ops = {
	.readable = peer_readable,
	.sent = peer_sent,
	.failed = peer_failed,
	.half_closed = peer_half_closed,
};

/* -- peers -- */

static void
bus_reap(struct loop_task *t)
{
	struct bus *bus = (struct bus *)(void *)((char *)t -
	    offsetof(struct bus, reap));
	struct bus_peer *p;

	while ((p = bus->closed) != NULL) {
		bus->closed = p->next_closed;
		free(p);
	}
}

void
bus_init(struct bus *bus)
{
	bus->reap.run = bus_reap;
	TAILQ_INIT(&bus->peers);
}

/* Its subscribers are gone with it. */
static void
peer_forget_channels(struct bus_peer *p)
{
	struct channels *all = p->bus->channels;
	struct map_entry *e;
	size_t it = 0;

	while ((e = map_next(&all->map, &it)) != NULL)
		channel_peer_del(e->value, p);
	/* Settling changes the map, so it comes once the walk is over. */
	channels_settle(all);
}

static void
peer_close(struct bus_peer *p)
{
	struct bus *bus = p->bus;

	TAILQ_REMOVE(&bus->peers, p, link);
	bus->npeers--;
	peer_forget_channels(p);
	stream_close(&p->stream);
	buf_free(&p->in);
	p->next_closed = bus->closed;
	bus->closed = p;
	loop_defer(bus->sio->loop, &bus->reap);
	bus->left(bus, p);
}

void
bus_close(struct bus *bus)
{
	struct bus_peer *p;

	while ((p = TAILQ_FIRST(&bus->peers)) != NULL) {
		/* Of the last turn, which has no end. */
		(void)stream_flush(&p->stream);
		peer_close(p);
	}
	if (bus->sio == NULL)
		return;
	loop_undefer(bus->sio->loop, &bus->reap);
	bus_reap(&bus->reap);
}

struct bus_peer *
bus_find(const struct bus *bus, uint32_t ref)
{
	struct bus_peer *p;

	TAILQ_FOREACH(p, &bus->peers, link)
		if (p->ref == ref)
			return p;
	return NULL;
}

struct bus_peer *
bus_find_cell(const struct bus *bus, uint32_t cell)
{
	struct bus_peer *p;

	TAILQ_FOREACH(p, &bus->peers, link)
		if (p->cell == cell)
			return p;
	return NULL;
}

/* -- out -- */

static void
peer_queue(struct bus_peer *p, const struct envelope *e, int with_payload)
{
	struct stream *s = &p->stream;
	size_t n = ENVELOPE_HEAD + e->name.n +
	    (with_payload ? e->payload.n : 0);
	char *to = stream_reserve(s, n);

	envelope_put(to, e);
	if (e->name.n > 0)
		memcpy(to + ENVELOPE_HEAD, e->name.p, e->name.n);
	if (with_payload && e->payload.n > 0)
		memcpy(to + ENVELOPE_HEAD + e->name.n, e->payload.p,
		    e->payload.n);
	stream_commit(s, n);
	stream_flush_later(s);
}

static void
peer_tell(struct bus_peer *p, unsigned type, unsigned flags, hostd_buf name)
{
	struct envelope e = { .type = (uint8_t)type, .flags = (uint8_t)flags,
		.name = name };

	peer_queue(p, &e, 0);
}

/* Everything that we have subscribers of. */
static void
peer_tell_all(struct bus_peer *p)
{
	struct map_entry *e;
	hostd_buf none = { NULL, 0 };
	size_t it = 0;

	while ((e = map_next(&p->bus->channels->map, &it)) != NULL)
		if (channel_is_wanted(e->value))
			peer_tell(p, ENV_INTEREST, 1, channel_name(e->value));
	peer_tell(p, ENV_READY, 0, none);
	p->told_to = p->stream.queued;
}

void
bus_add(struct bus *bus, int fd, uint32_t cell)
{
	struct bus_peer *p = xcalloc(1, sizeof(*p));

	p->bus = bus;
	if (stream_open(&p->stream, bus->sio, fd, &peer_ops) == -1) {
		log_warn("joining another worker's bus");
		close(fd);
		free(p);
		return;
	}
	p->ref = ++bus->last_ref;
	p->cell = cell;
	TAILQ_INSERT_TAIL(&bus->peers, p, link);
	bus->npeers++;
	peer_tell_all(p);
}

uint64_t
bus_waiting(const struct bus_peer *p)
{
	const struct stream *s = &p->stream;
	uint64_t from = s->sent > p->told_to ? s->sent : p->told_to;

	/* Of one that has ended nothing is queued any more. */
	return s->queued > from ? s->queued - from : 0;
}

/* One message always fits, however large. */
static int
peer_fits(const struct bus_peer *p, size_t n)
{
	uint64_t waiting = bus_waiting(p);

	return waiting == 0 || waiting + n <= p->bus->queue;
}

/* What does not fit is counted and dropped. */
static int
peer_has_room(struct bus_peer *p, size_t n)
{
	struct bus *bus = p->bus;
	uint64_t now = bus->sio->loop->now_ms;

	if (!p->lossy && peer_fits(p, n))
		return 1;
	p->lossy = 1;
	board_add(&bus->cell->counters.bus_dropped, 1);
	if (now - bus->complained_ms > COMPLAIN_MS) {
		bus->complained_ms = now;
		log_warnx("a worker does not take its messages: %" PRIu64
		    " bytes wait for it, more are dropped", bus_waiting(p));
	}
	return 0;
}

int
bus_send(struct bus_peer *p, const struct envelope *e)
{
	if (!peer_fits(p, e->payload.n))
		return -1;
	peer_queue(p, e, 1);
	return 0;
}

void
bus_interest(struct bus *bus, const struct channel *ch, int on)
{
	struct bus_peer *p;

	TAILQ_FOREACH(p, &bus->peers, link) {
		/* One that has missed something is told all, later. */
		if (p->lossy || !peer_has_room(p, 0))
			continue;
		peer_tell(p, ENV_INTEREST, on != 0, channel_name(ch));
		if (on)
			(void)stream_flush(&p->stream);
	}
	/* It is in their sockets now. */
	if (on && atomic_fetch_add_explicit(bus->interests, 1,
	    memory_order_acq_rel) == bus->interests_seen)
		bus->interests_seen++;
}

static void
message_release(void *owner, void *arg)
{
	(void)owner;
	ws_message_unref(arg);
}

/* A large payload goes out from where it is, however many it goes to. */
static int
peer_publish(struct bus_peer *p, const struct envelope *e,
    struct ws_message *m)
{
	int is_small = e->payload.n <= COPY_MAX;

	if (!peer_has_room(p, e->payload.n))
		return 1;
	peer_queue(p, e, is_small);
	if (!is_small)
		stream_write_ref(&p->stream, e->payload.p, e->payload.n,
		    message_release, NULL, ws_message_ref(m));
	board_add(&p->bus->cell->counters.bus_out, 1);
	return bus_waiting(p) > p->bus->queue / 2;
}

int
bus_peer_may_want(const struct bus_peer *p, const struct channel *ch)
{
	uint32_t i;

	if (!p->told)
		return 1;
	for (i = 0; ch != NULL && i < ch->npeers; i++)
		if (ch->peers[i] == p)
			return 1;
	return 0;
}

int
bus_publish(struct bus *bus, const struct channel *ch,
    const struct envelope *e, struct ws_message *m)
{
	struct bus_peer *p;
	int full = 0;

	TAILQ_FOREACH(p, &bus->peers, link)
		if (bus_peer_may_want(p, ch))
			full |= peer_publish(p, e, m);
	return full;
}

/* -- in -- */

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
	peer_forget_channels(p);
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
		peer_close(p);
	return !ended && p->stream.can_read;
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

static void
peer_readable(struct stream *s)
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

void
bus_flush(struct bus *bus)
{
	struct bus_peer *p;

	TAILQ_FOREACH(p, &bus->peers, link)
		if (stream_pending(&p->stream) > 0)
			(void)stream_flush(&p->stream);
}

/* It reads again: tell it that it has missed something, and start anew. */
static void
peer_sent(struct stream *s)
{
	struct bus_peer *p = (struct bus_peer *)(void *)s;
	hostd_buf none = { NULL, 0 };

	p->bus->room(p->bus);
	if (!p->lossy || bus_waiting(p) > p->bus->queue / 4)
		return;
	p->lossy = 0;
	log_info("a worker takes its messages again");
	peer_tell(p, ENV_GAP, 0, none);
	peer_tell_all(p);
}

/* It has ended and not read all of ours; what it said last is still there. */
static void
peer_failed(struct stream *s, int error)
{
	struct bus_peer *p = (struct bus_peer *)(void *)s;
	char *buf = s->sio->rbuf;
	ssize_t n;
	int i;

	(void)error;
	for (i = 0; i < READS_MAX; i++) {
		n = stream_read(s, buf, STREAM_RBUF);
		if (peer_take(p, buf, n > 0 ? (size_t)n : 0) == -1 || n <= 0)
			break;
	}
	peer_close(p);
}

static void
peer_half_closed(struct stream *s)
{
	(void)s;
}
