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

static void	peer_sent(struct stream *);
static void	peer_failed(struct stream *, int);
static void	peer_half_closed(struct stream *);

static const struct stream_ops peer_ops = {
	.readable = bus_in_readable,
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
void
bus_peer_forget(struct bus_peer *p)
{
	struct channels *all = p->bus->channels;
	struct map_entry *e;
	size_t it = 0;

	while ((e = map_next(&all->map, &it)) != NULL)
		channel_peer_del(e->value, p);
	/* Settling changes the map, so it comes once the walk is over. */
	channels_settle(all);
}

void
bus_peer_close(struct bus_peer *p)
{
	struct bus *bus = p->bus;

	TAILQ_REMOVE(&bus->peers, p, link);
	bus->npeers--;
	bus_peer_forget(p);
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
		bus_peer_close(p);
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

/* It has ended and not read all of ours. */
static void
peer_failed(struct stream *s, int error)
{
	struct bus_peer *p = (struct bus_peer *)(void *)s;

	(void)error;
	bus_in_last(p);
	bus_peer_close(p);
}

static void
peer_half_closed(struct stream *s)
{
	(void)s;
}
