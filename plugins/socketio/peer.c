/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is there: each worker says so when it starts, which all answer, and now
 * and then; and when it ends.  One that has not been heard for a while is gone;
 * so is one whose place somebody has taken, unless it says something.
 *
 * A hello:
 *	u32	HELLO_* flags
 *	u32	slot
 *	u64	when it started, by now_ms
 *	bytes	internal_address
 *
 * A bye:
 *	u32	does it still wait for acknowledgements, so answers come
 */
#include "away.h"
#include "cluster_inside.h"
#include "recover.h"

#define BEAT_MS	5000
#define GONE_MS	16000
#define DOUBT_MS 500
#define HEIR_MS	30000	/* one that got our state comes by then, or not at
			   all */
#define MARKS_MS 600000

#define HELLO_NEW	0x1u	/* I have just come: answer */
#define HELLO_WHO	0x2u	/* you were thought to be gone: answer */

struct peer *
peer_find(const struct cluster *c, uint64_t process)
{
	struct peer *p;

	LIST_FOREACH(p, &c->peers, link)
		if (p->process == process)
			return p;
	return NULL;
}

static int
is_of_slot(const struct cluster *c, const struct peer *p)
{
	return p->slot == c->slot && cluster_is_here(c, p->node);
}

struct peer *
peer_elder(const struct cluster *c)
{
	struct peer *p;

	LIST_FOREACH(p, &c->peers, link)
		if (is_of_slot(c, p) && p->started_ms < c->started_ms)
			return p;
	return NULL;
}

uint32_t
peer_elders(const struct cluster *c)
{
	const struct peer *p;
	uint32_t n = 0;

	LIST_FOREACH(p, &c->peers, link)
		n += is_of_slot(c, p) && p->started_ms < c->started_ms;
	return n;
}

static uint64_t
now_of(const struct cluster *c)
{
	return c->in->easy.host->now_ms(c->in->easy.host);
}

int
peer_has_heir(const struct cluster *c)
{
	struct peer *p;

	LIST_FOREACH(p, &c->peers, link)
		if (is_of_slot(c, p) && p->started_ms > c->started_ms)
			return 1;
	return c->saved_ms != 0 && now_of(c) - c->saved_ms < HEIR_MS;
}

int
cluster_has_heir(const struct hostd_inst *in)
{
	return peer_has_heir(in->cluster);
}

static void
peer_free(struct peer *p)
{
	LIST_REMOVE(p, link);
	free(p);
}

static void
peer_drop(struct cluster *c, uint64_t process)
{
	struct peer *p = peer_find(c, process);

	if (p == NULL)
		return;
	peer_free(p);
	recover_peer_left(c, process);
	eio_expect(c->in, peer_elder(c) != NULL);
}

void
peer_left(struct cluster *c, uint64_t process)
{
	peer_drop(c, process);
	asks_peer_left(c, process);
	away_forget(c, process);
}

void
peer_bye(struct cluster *c, struct bus_message *m)
{
	if (unpack_u32(&m->body) != 0)
		peer_drop(c, m->process);
	else
		peer_left(c, m->process);
}

/* -- saying -- */

static void
hello(struct cluster *c, uint32_t flags, uint64_t process)
{
	struct pack *b = bus_begin(c, BUS_HELLO, c->seq);

	pack_u32(b, flags);
	pack_u32(b, c->slot);
	pack_u64(b, c->started_ms);
	pack_bytes(b, hostd_str(c->address));
	if (process == 0)
		(void)bus_tell(c);
	else
		(void)bus_send(c, process);
}

void
peer_heard(struct cluster *c, const struct bus_message *m)
{
	struct peer *p = peer_find(c, m->process);

	if (p != NULL)
		p->heard_ms = now_of(c);
	else if (m->type == BUS_QUESTION || m->type == BUS_REPLY)
		hello(c, HELLO_WHO, m->process);
	(void)marks_raise(&c->heard, m->process, m->seq, now_of(c));
}

static void
peers_look(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct cluster *c = arg;
	struct peer *p, *next;
	uint64_t now = now_of(c);

	(void)in;
	(void)t;
	hello(c, 0, 0);
	adapters_beat(c);
	lines_beat(c);
	for (p = LIST_FIRST(&c->peers); p != NULL; p = next) {
		next = LIST_NEXT(p, link);
		if (p->heard_ms + GONE_MS < now)
			peer_left(c, p->process);
	}
	if (now > MARKS_MS) {
		marks_forget(&c->heard, now - MARKS_MS);
		marks_forget(&c->log.dropped, now - MARKS_MS);
	}
	coming_look(c, now);
}

/* The others are met only after start. */
static void
say_hello(struct hostd_inst *in, void *arg)
{
	struct cluster *c = arg;

	hello(c, HELLO_NEW, 0);
	(void)in->timer->start(in->easy.host, BEAT_MS, BEAT_MS, peers_look, c,
	    &c->beat);
}

void
peers_start(struct cluster *c)
{
	(void)c->in->easy.host->post(c->in->easy.host, say_hello, c);
}

void
cluster_leave(struct hostd_inst *in)
{
	struct cluster *c = in->cluster;
	int is_owing = away_is_owing(c);

	if (!in->draining || in->is_ending || eio_count(in) > 0 ||
	    c->has_ended || (c->has_left && is_owing))
		return;
	if (!c->has_left)
		(void)in->timer->stop(in->easy.host, c->beat);
	c->has_left = 1;
	c->has_ended = !is_owing;
	pack_u32(bus_begin(c, BUS_BYE, c->seq), is_owing != 0);
	(void)bus_tell(c);
}

/* -- hearing -- */

static void
doubts_end(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct cluster *c = arg;
	struct peer *p, *next;

	(void)in;
	(void)t;
	for (p = LIST_FIRST(&c->peers); p != NULL; p = next) {
		next = LIST_NEXT(p, link);
		if (p->doubt_ms != 0 && p->heard_ms <= p->doubt_ms)
			peer_left(c, p->process);
		else
			p->doubt_ms = 0;
	}
}

/* Others of this place have gone, unless they say something. */
static void
doubt(struct cluster *c, const struct peer *by)
{
	hostd_timer timer;
	struct peer *p;

	LIST_FOREACH(p, &c->peers, link)
		if (p != by && p->slot == by->slot && p->node == by->node)
			p->doubt_ms = now_of(c);
	(void)c->in->timer->start(c->in->easy.host, DOUBT_MS, 0, doubts_end, c,
	    &timer);
}

static struct peer *
peer_new(struct cluster *c, uint64_t process, uint64_t node, hostd_buf address)
{
	struct peer *p = calloc(1, sizeof(*p) + address.n + 1);

	if (p == NULL)
		return NULL;
	p->process = process;
	p->node = node;
	p->heard_ms = now_of(c);
	if (address.n > 0)
		memcpy(p->address, address.p, address.n);
	LIST_INSERT_HEAD(&c->peers, p, link);
	return p;
}

void
peer_add_elder(struct cluster *c, uint64_t process, uint64_t started_ms)
{
	static const hostd_buf none = { NULL, 0 };
	struct peer *p = peer_find(c, process);

	if (p == NULL && (p = peer_new(c, process, c->node, none)) == NULL)
		return;
	p->slot = c->slot;
	p->started_ms = started_ms;
}

void
peer_hello(struct cluster *c, struct bus_message *m)
{
	uint32_t flags = unpack_u32(&m->body);
	uint32_t slot = unpack_u32(&m->body);
	uint64_t started_ms = unpack_u64(&m->body);
	uint64_t now = now_of(c);
	hostd_buf address = unpack_bytes(&m->body);
	struct peer *p = peer_find(c, m->process);
	int is_new = p == NULL;

	if (m->body.bad)
		return;
	if (is_new && (p = peer_new(c, m->process, m->node,
	    address)) == NULL)
		return;
	p->slot = slot;
	p->started_ms = started_ms;
	p->heard_ms = now;
	if (c->has_left)
		return;
	if (flags & HELLO_NEW) {
		doubt(c, p);
		/* Those who doubt that we are there are told, too. */
		hello(c, 0, is_of_slot(c, p) ? 0 : m->process);
	} else if (is_new || (flags & HELLO_WHO) != 0)
		hello(c, 0, m->process);
	eio_expect(c->in, peer_elder(c) != NULL);
}

void
peers_silent(struct cluster *c, const uint64_t *processes, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		peer_left(c, processes[i]);
}

void
peers_destroy(struct cluster *c)
{
	struct peer *p;

	while ((p = LIST_FIRST(&c->peers)) != NULL)
		peer_free(p);
}
