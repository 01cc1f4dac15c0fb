/* SPDX-License-Identifier: BSD-2-Clause */
/* The taker's side: what is held for sockets that are about to come. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/mem.h"
#include "pubsub/hub.h"
#include "ws/message.h"

#define LOOK_MS		100
#define LOOKS		10	/* a backend that does not say "subscribed" */

struct held {
	STAILQ_ENTRY(held) link;
	struct channel *channel;	/* ours as long as the hold */
	uint64_t node, seq;
	struct ws_message *message;
};

/* For one worker that gives. */
struct hold {
	struct subscriber subscriber;	/* first */
	LIST_ENTRY(hold) link;
	struct hub *hub;
	uint32_t peer;			/* its number on the bus */
	uint64_t process;		/* and its name in messages */
	STAILQ_HEAD(, held) items;
	size_t bytes;
	int lost;			/* there was too much */
	int owing;			/* HELD, of that round: */
	uint32_t round;
	int looks;
	struct wheel_timer late;
};

/* -- what is held -- */

static void
held_free(struct hold *h)
{
	struct held *it = STAILQ_FIRST(&h->items);

	STAILQ_REMOVE_HEAD(&h->items, link);
	h->bytes -= it->message->n;
	ws_message_unref(it->message);
	free(it);
}

static void
hold_deliver(struct subscriber *s, struct delivery *d)
{
	struct hold *h = (struct hold *)(void *)s;
	struct held *it;

	if (d->gap || h->lost)
		return;
	it = xmalloc(sizeof(*it));
	it->channel = d->channel;
	it->node = d->node;
	it->seq = d->seq;
	it->message = ws_message_ref(delivery_message(d));
	STAILQ_INSERT_TAIL(&h->items, it, link);
	h->bytes += it->message->n;
	if (h->bytes <= h->hub->bus.queue)
		return;
	log_warnx("more than %zu bytes came for sockets that another worker "
	    "is about to give; see pubsub { queue }", h->bytes);
	h->lost = 1;
	while (!STAILQ_EMPTY(&h->items))
		held_free(h);
}

static struct delivery
held_delivery(const struct held *it)
{
	return (struct delivery){ .channel = it->channel, .node = it->node,
		.seq = it->seq, .flags = it->message->flags,
		.payload = ws_message_payload(it->message),
		.message = it->message };
}

/* -- holds -- */

static struct hold *
hold_find(struct hub *hub, uint32_t peer)
{
	struct hold *h;

	LIST_FOREACH(h, &hub->holds, link)
		if (h->peer == peer)
			return h;
	return NULL;
}

static void
hold_free(struct hold *h)
{
	struct hub *hub = h->hub;

	LIST_REMOVE(h, link);
	wheel_remove(&hub->loop->wheel, &h->late);
	while (!STAILQ_EMPTY(&h->items))
		held_free(h);
	subscriber_close(&hub->channels, &h->subscriber);
	free(h);
}

static void
hold_answer(struct hold *h)
{
	struct envelope e = { .type = ENV_HELD,
		.payload = { &h->round, sizeof(h->round) } };
	struct bus_peer *p = bus_find(&h->hub->bus, h->peer);

	wheel_clear(&h->late);
	h->owing = 0;
	if (p != NULL)
		(void)bus_send(p, &e);
}

static void
hold_late(struct wheel_timer *t)
{
	struct hold *h = (struct hold *)(void *)((char *)t -
	    offsetof(struct hold, late));

	/* Time in which we stood still is none that it had. */
	if (++h->looks < LOOKS)
		wheel_set(&h->hub->loop->wheel, t,
		    h->hub->loop->now_ms + LOOK_MS);
	else
		hold_answer(h);
}

/* Are all of its channels in force? */
static int
hold_is_in_force(const struct hold *h)
{
	const struct hub *hub = h->hub;
	const struct subscription *sub;

	if (!hub->up)
		return !hub->resubscribe.queued;
	LIST_FOREACH(sub, &h->subscriber.subscriptions, of_subscriber)
		if (sub->channel->due)
			return 0;
	return !hub->resubscribe.queued;
}

void
hold_check(struct hub *hub)
{
	struct hold *h;

	LIST_FOREACH(h, &hub->holds, link)
		if (h->owing && hold_is_in_force(h))
			hold_answer(h);
}

static struct hold *
hold_new(struct hub *hub, const struct bus_peer *p)
{
	struct hold *h = xcalloc(1, sizeof(*h));

	h->hub = hub;
	h->peer = p->ref;
	h->subscriber.deliver = hold_deliver;
	h->late.fire = hold_late;
	LIST_INIT(&h->subscriber.subscriptions);
	STAILQ_INIT(&h->items);
	LIST_INSERT_HEAD(&hub->holds, h, link);
	return h;
}

/* All channels of a round are named. */
static void
hold_owe(struct hold *h, const struct envelope *e)
{
	if (e->payload.n != sizeof(h->round))
		return;
	memcpy(&h->round, e->payload.p, sizeof(h->round));
	h->process = e->seq;
	h->owing = 1;
	h->looks = 0;
	wheel_set(&h->hub->loop->wheel, &h->late,
	    h->hub->loop->now_ms + LOOK_MS);
	hold_check(h->hub);
}

static void
take_held(struct hub *hub, const struct bus_peer *p, const struct envelope *e)
{
	uint32_t round;

	if (e->payload.n != sizeof(round))
		return;
	memcpy(&round, e->payload.p, sizeof(round));
	hold_ask_held(hub, p, round);
}

void
hold_received(struct hub *hub, struct bus_peer *p, const struct envelope *e)
{
	struct hold *h = hold_find(hub, p->ref);

	if (e->type == ENV_HELD) {
		take_held(hub, p, e);
		return;
	}
	if (!e->flags) {
		if (h != NULL)
			hold_free(h);
		return;
	}
	if (h == NULL)
		h = hold_new(hub, p);
	if (e->name.n == 0)
		hold_owe(h, e);
	else if (channel_name_ok(e->name))
		(void)channel_subscribe(&hub->channels, &h->subscriber,
		    e->name);
}

void
hold_peer_left(struct hub *hub, const struct bus_peer *p)
{
	struct hold *h = hold_find(hub, p->ref);

	if (h != NULL)
		hold_free(h);
}

/* -- sockets that come -- */

static struct hold *
hold_of(struct hub *hub, uint64_t process)
{
	struct hold *h;

	LIST_FOREACH(h, &hub->holds, link)
		if (h->process == process)
			return h;
	return NULL;
}

static int
is_held(const struct hold *h, hostd_buf name)
{
	return h != NULL && !h->lost &&
	    channel_subscription(&h->subscriber, name) != NULL;
}

/* The next ones that come from there have heard at least as much. */
static void
hold_trim(struct hold *h, const struct marks *m)
{
	struct held *it;
	struct delivery d;

	while ((it = STAILQ_FIRST(&h->items)) != NULL) {
		d = held_delivery(it);
		if (!marks_cover(m, h->hub->node, &d))
			break;
		held_free(h);
	}
}

static void
hold_tell(struct hold *h, struct subscriber *s)
{
	struct delivery d;
	struct held *it;

	hold_trim(h, s->since);
	STAILQ_FOREACH(it, &h->items, link) {
		d = held_delivery(it);
		if (!marks_cover(s->since, h->hub->node, &d) &&
		    channel_subscription(s, channel_name(it->channel)) != NULL)
			s->deliver(s, &d);
	}
}

/* 0, or -1: one of its channels is not held. */
static int
hold_subscribe(struct hold *h, struct hub *hub, struct subscriber *s)
{
	hostd_buf name;
	size_t at = 0;

	while ((name = marks_channel(s->since, &at)).p != NULL) {
		if (!is_held(h, name)) {
			subscriber_close(&hub->channels, s);
			return -1;
		}
		(void)channel_subscribe(&hub->channels, s, name);
	}
	return 0;
}

static void
hub_remember(struct hub *hub, struct marks *m)
{
	if (m == hub->last_marks)
		return;
	marks_unref(hub->last_marks);
	hub->last_marks = m;
	m->refs++;
}

int
hub_take(struct hub *hub, struct subscriber *s, struct unpack *u)
{
	uint64_t process = unpack_u64(u);
	struct hold *h = hold_of(hub, process);
	struct bus_peer *p;

	s->since = marks_unpack(u, hub->last_marks, hub->loop->now_ms);
	if (s->since == NULL)
		return -1;
	hub_remember(hub, s->since);
	/* What its client has said there comes before what it says here. */
	if (h != NULL && (p = bus_find(&hub->bus, h->peer)) != NULL)
		bus_read_peer(p);
	h = hold_of(hub, process);
	if (hold_subscribe(h, hub, s) == -1)
		return -1;
	if (h != NULL)
		hold_tell(h, s);
	return 0;
}

/* -- life -- */

void
hold_close(struct hub *hub)
{
	struct hold *h;

	while ((h = LIST_FIRST(&hub->holds)) != NULL)
		hold_free(h);
	marks_unref(hub->last_marks);
	hub->last_marks = NULL;
	loop_undefer(hub->loop, &hub->hold.tell);
	wheel_remove(&hub->loop->wheel, &hub->hold.late);
}
