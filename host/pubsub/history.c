/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "pubsub/envelope.h"
#include "pubsub/history.h"
#include "pubsub/hub.h"
#include "ws/message.h"

struct past {
	uint64_t node, seq, time;
	struct ws_message *message;	/* NULL: a gap */
};

struct wish {
	const void *owner;
	uint32_t max, age_ms;
};

struct history {
	TAILQ_ENTRY(history) link;
	struct histories *all;
	struct wish *wishes;
	size_t nwishes;
	uint32_t max, age_ms;	/* the most that anybody wants */
	struct past *ring;	/* max of them */
	uint32_t first, n;
	size_t bytes;
};

void
histories_init(struct histories *all, uint64_t max)
{
	TAILQ_INIT(&all->list);
	all->bytes = 0;
	all->max = max;
}

struct history *
history_new(struct histories *all)
{
	struct history *h = xcalloc(1, sizeof(*h));

	h->all = all;
	TAILQ_INSERT_TAIL(&all->list, h, link);
	return h;
}

static struct past *
past_at(const struct history *h, uint32_t i)
{
	return &h->ring[(h->first + i) % h->max];
}

static hostd_buf
past_payload(const struct past *p)
{
	hostd_buf none = { NULL, 0 };

	return p->message == NULL ? none : ws_message_payload(p->message);
}

static size_t
past_size(const struct past *p)
{
	return ENVELOPE_HEAD + past_payload(p).n;
}

static void
drop_oldest(struct history *h)
{
	struct past *p = past_at(h, 0);

	h->bytes -= past_size(p);
	h->all->bytes -= past_size(p);
	if (p->message != NULL)
		ws_message_unref(p->message);
	h->first = (h->first + 1) % h->max;
	h->n--;
}

void
history_free(struct history *h)
{
	if (h == NULL)
		return;
	while (h->n > 0)
		drop_oldest(h);
	TAILQ_REMOVE(&h->all->list, h, link);
	free(h->ring);
	free(h->wishes);
	free(h);
}

/* A ring of another size, with the newest of what there was. */
static void
history_resize(struct history *h, uint32_t max)
{
	struct past *ring = max > 0 ? xcalloc(max, sizeof(*ring)) : NULL;
	uint32_t i;

	while (h->n > max)
		drop_oldest(h);
	for (i = 0; i < h->n; i++)
		ring[i] = *past_at(h, i);
	free(h->ring);
	h->ring = ring;
	h->first = 0;
	h->max = max;
}

static void
history_adjust(struct history *h)
{
	uint32_t max = 0, age = 0;
	size_t i;

	for (i = 0; i < h->nwishes; i++) {
		if (h->wishes[i].max > max)
			max = h->wishes[i].max;
		if (h->wishes[i].age_ms > age)
			age = h->wishes[i].age_ms;
	}
	h->age_ms = age;
	if (max != h->max)
		history_resize(h, max);
}

void
history_want(struct history *h, const void *owner, uint32_t max,
    uint32_t age_ms)
{
	size_t i = 0;

	while (i < h->nwishes && h->wishes[i].owner != owner)
		i++;
	if (max == 0) {
		if (i < h->nwishes)
			h->wishes[i] = h->wishes[--h->nwishes];
	} else {
		if (i == h->nwishes)
			h->wishes = xrealloc(h->wishes, ++h->nwishes *
			    sizeof(h->wishes[0]));
		h->wishes[i] = (struct wish){ owner, max, age_ms };
	}
	history_adjust(h);
}

int
history_is_wanted(const struct history *h)
{
	return h->nwishes > 0;
}

static void
drop_old(struct history *h, uint64_t now)
{
	while (h->n > 0 && past_at(h, 0)->time + h->age_ms * 1000ull < now)
		drop_oldest(h);
}

/* Within its own limit, and all within theirs. */
static void
make_room(struct history *h)
{
	struct histories *all = h->all;
	struct history *oldest = TAILQ_FIRST(&all->list);

	while (h->bytes > HISTORY_BYTES)
		drop_oldest(h);
	while (all->bytes > all->max) {
		while (oldest->n == 0)
			oldest = TAILQ_NEXT(oldest, link);
		drop_oldest(oldest);
	}
}

void
history_wish(const struct history *h, uint32_t *max, uint32_t *age_ms)
{
	*max = h->max;
	*age_ms = h->age_ms;
}

int
history_is_empty(struct history *h, uint64_t now)
{
	drop_old(h, now);
	return h->n == 0;
}

/* In front of the one that is at i; there is room. */
static void
past_put(struct history *h, uint32_t i, struct delivery *d)
{
	struct past *p;
	uint32_t j;

	for (j = h->n++; j > i; j--)
		*past_at(h, j) = *past_at(h, j - 1);
	p = past_at(h, i);
	p->node = d->node;
	p->seq = d->seq;
	p->time = d->time;
	p->message = d->gap ? NULL : ws_message_ref(delivery_message(d));
	h->bytes += past_size(p);
	h->all->bytes += past_size(p);
	TAILQ_REMOVE(&h->all->list, h, link);
	TAILQ_INSERT_TAIL(&h->all->list, h, link);
	make_room(h);
}

void
history_add(struct history *h, struct delivery *d)
{
	if (h->max == 0)
		return;
	drop_old(h, d->time);
	/* Of gaps in a row the last tells all. */
	if (d->gap && h->n > 0 && past_at(h, h->n - 1)->message == NULL) {
		past_at(h, h->n - 1)->time = d->time;
		return;
	}
	if (h->n == h->max)
		drop_oldest(h);
	past_put(h, h->n, d);
}

void
history_insert(struct history *h, struct delivery *d)
{
	const struct past *p;
	uint32_t i;

	for (i = h->n; i > 0; i--) {
		p = past_at(h, i - 1);
		if (p->node == d->node && p->seq == d->seq &&
		    p->time == d->time)
			return;
		if (p->time <= d->time)
			break;
	}
	if (h->n == h->max) {
		if (i == 0)
			return;
		drop_oldest(h);
		i--;
	}
	past_put(h, i, d);
}

void
history_write(struct history *h, uint64_t now, struct buf *out)
{
	struct envelope e = { .type = ENV_MESSAGE };
	const struct past *p;
	uint32_t i;

	drop_old(h, now);
	for (i = 0; i < h->n; i++) {
		p = past_at(h, i);
		e.type = p->message != NULL ? ENV_MESSAGE : ENV_GAP;
		e.flags = p->message != NULL ? (uint8_t)p->message->flags : 0;
		e.node = p->node;
		e.seq = p->seq;
		e.time = p->time;
		e.payload = past_payload(p);
		envelope_put(buf_reserve(out, ENVELOPE_HEAD), &e);
		out->len += ENVELOPE_HEAD;
		buf_append(out, e.payload.p, e.payload.n);
	}
}
