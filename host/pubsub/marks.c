/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "pubsub/hub.h"
#include "pubsub/marks.h"

#define LATE_MS		60000	/* a worker that is so late is not alive */

#define PROCESS(seq)	((seq) >> 40)

/*
 * Packed:
 *	u32 n, n times u64	the last number heard of each process here
 *	u32 n, n times		a channel:
 *		bytes		its name
 *		u32 n, n times	u64 node, u64 the last number heard
 */

/* -- packing -- */

static void
pack_processes(const struct hub *hub, struct buf *b)
{
	unsigned i, n = hub->next_departed < HUB_DEPARTED ?
	    hub->next_departed : HUB_DEPARTED;
	const struct bus_peer *p;

	pack_u32(b, 1 + hub->bus.npeers + n);
	pack_u64(b, hub->process << 40 | hub->count);
	TAILQ_FOREACH(p, &hub->bus.peers, link)
		pack_u64(b, p->heard);
	for (i = 0; i < n; i++)
		pack_u64(b, hub->departed[i]);
}

static void
pack_channel(const struct channel *ch, struct buf *b)
{
	uint32_t i;

	pack_bytes(b, ch->name, ch->len);
	pack_u32(b, ch->norigins);
	for (i = 0; i < ch->norigins; i++) {
		pack_u64(b, ch->origins[i].node);
		pack_u64(b, ch->origins[i].seq);
	}
}

void
marks_pack(const struct hub *hub, const struct subscriber *s, struct buf *b)
{
	const struct subscription *sub;

	pack_processes(hub, b);
	pack_u32(b, s == NULL ? 0 : s->n);
	if (s != NULL)
		LIST_FOREACH(sub, &s->subscriptions, of_subscriber)
			pack_channel(sub->channel, b);
}

/* -- reading -- */

static uint64_t
mark_at(const char *p, size_t i)
{
	uint64_t v;

	memcpy(&v, p + i * sizeof(v), sizeof(v));
	return v;
}

/* The marks of a channel, n pairs; NULL: they end before. */
static const char *
unpack_channel(struct unpack *u, hostd_buf *name, uint32_t *n)
{
	*name = unpack_bytes(u);
	*n = unpack_u32(u);
	if (*n > u->n / (2 * sizeof(uint64_t)))
		u->bad = 1;
	return unpack_take(u, *n * 2 * sizeof(uint64_t));
}

static const char *
unpack_processes(struct unpack *u, uint32_t *n)
{
	*n = unpack_u32(u);
	if (*n > u->n / sizeof(uint64_t))
		u->bad = 1;
	return unpack_take(u, *n * sizeof(uint64_t));
}

struct marks *
marks_unpack(struct unpack *u, struct marks *like, uint64_t now_ms)
{
	const char *from = u->p;
	struct marks *m;
	hostd_buf name;
	uint32_t n, i, nchannels;
	size_t size;

	(void)unpack_processes(u, &n);
	nchannels = unpack_u32(u);
	for (i = 0; i < nchannels && !u->bad; i++) {
		(void)unpack_channel(u, &name, &n);
		if (!channel_name_ok(name))
			u->bad = 1;
	}
	if (u->bad)
		return NULL;
	size = (size_t)(u->p - from);
	if (like != NULL && like->n == size &&
	    memcmp(like->bytes, from, size) == 0) {
		like->refs++;
		return like;
	}
	m = xmalloc(sizeof(*m) + size);
	m->refs = 1;
	m->nchannels = nchannels;
	m->until_ms = now_ms + LATE_MS;
	m->n = size;
	memcpy(m->bytes, from, size);
	return m;
}

void
marks_unref(struct marks *m)
{
	if (m != NULL && --m->refs == 0)
		free(m);
}

/* Was a process of this machine heard so far? */
static int
covers_process(struct unpack *u, uint64_t seq)
{
	uint32_t n, i;
	const char *p = unpack_processes(u, &n);
	uint64_t heard;

	for (i = 0; i < n; i++) {
		heard = mark_at(p, i);
		if (PROCESS(heard) == PROCESS(seq))
			return seq <= heard;
	}
	return 0;
}

static int
covers_origin(const char *p, uint32_t n, const struct delivery *d)
{
	uint64_t heard;
	uint32_t i;

	for (i = 0; i < n; i++) {
		heard = mark_at(p, 2 * i + 1);
		if (mark_at(p, 2 * i) == d->node &&
		    PROCESS(heard) == PROCESS(d->seq))
			return d->seq <= heard;
	}
	return 0;
}

int
marks_cover(const struct marks *m, uint64_t node, const struct delivery *d)
{
	struct unpack u = { m->bytes, m->n, 0 };
	hostd_buf name;
	const char *p;
	uint32_t n, i;

	if (d->node == node)
		return covers_process(&u, d->seq);
	(void)unpack_processes(&u, &n);
	(void)unpack_u32(&u);
	for (i = 0; i < m->nchannels; i++) {
		p = unpack_channel(&u, &name, &n);
		if (name.n == d->channel->len &&
		    memcmp(name.p, d->channel->name, name.n) == 0)
			return covers_origin(p, n, d);
	}
	return 0;
}

hostd_buf
marks_channel(const struct marks *m, size_t *at)
{
	struct unpack u = { m->bytes, m->n, 0 };
	hostd_buf name;
	uint32_t n;

	if (*at == 0) {
		(void)unpack_processes(&u, &n);
		(void)unpack_u32(&u);
	} else {
		(void)unpack_take(&u, *at);
	}
	if (u.n == 0)
		return (hostd_buf){ NULL, 0 };
	(void)unpack_channel(&u, &name, &n);
	*at = m->n - u.n;
	return name;
}
