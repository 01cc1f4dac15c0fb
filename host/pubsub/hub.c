/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "pubsub/hub.h"
#include "ws/message.h"

#define SKEW_MAX_US	60000000u	/* clocks that are further off are
					   wrong */

uint64_t
hub_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* Later than whatever was seen here: an answer sorts behind its question,
 * though the clocks of two machines differ a little. */
static uint64_t
hub_tick(struct hub *hub)
{
	uint64_t now = hub_now_us();

	hub->clock = now > hub->clock ? now : hub->clock + 1;
	return hub->clock;
}

void
hub_saw(struct hub *hub, uint64_t time)
{
	if (time > hub->clock && time < hub_now_us() + SKEW_MAX_US)
		hub->clock = time;
}

/* -- delivery here -- */

struct ws_message *
delivery_message(struct delivery *d)
{
	if (d->message == NULL)
		d->message = ws_message_new(d->payload, d->flags);
	return d->message;
}

/* Has its former worker delivered it? */
static int
is_before(const struct hub *hub, struct subscriber *s,
    const struct delivery *d)
{
	if (hub->loop->now_ms > s->since->until_ms) {
		marks_unref(s->since);
		s->since = NULL;
		return 0;
	}
	return !d->gap && marks_cover(s->since, hub->node, d);
}

static void
deliver_here(const struct hub *hub, struct delivery *d)
{
	struct subscription *sub;
	struct subscriber *s;
	uint64_t n = 0;

	if (d->channel->history != NULL)
		history_add(d->channel->history, d);
	TAILQ_FOREACH(sub, &d->channel->subscriptions, of_channel) {
		s = sub->subscriber;
		if (s != d->except &&
		    (s->since == NULL || !is_before(hub, s, d))) {
			s->deliver(s, d);
			n++;
		}
	}
	if (!d->gap)
		board_add(&hub->cell->counters.delivered, n);
}

/* A message from elsewhere. */
void
hub_deliver_envelope(struct hub *hub, struct channel *ch,
    const struct envelope *e)
{
	struct delivery d = { .channel = ch, .node = e->node, .seq = e->seq,
		.time = e->time, .flags = e->flags, .payload = e->payload };

	hub_saw(hub, e->time);
	deliver_here(hub, &d);
	if (d.message != NULL)
		ws_message_unref(d.message);
}

static void
deliver_gap(struct hub *hub, struct channel *ch)
{
	struct delivery d = { .channel = ch, .gap = 1, .time = hub_tick(hub) };

	deliver_here(hub, &d);
}

void
hub_gap(struct hub *hub, const hostd_buf *name)
{
	struct map_entry *e;
	struct channel *ch;
	size_t it = 0;

	if (name != NULL) {
		if ((ch = channel_find(&hub->channels, *name)) != NULL)
			deliver_gap(hub, ch);
		return;
	}
	while ((e = map_next(&hub->channels.map, &it)) != NULL)
		deliver_gap(hub, e->value);
}

/* -- publishing -- */

int32_t
hub_publish(struct hub *hub, hostd_buf name, hostd_buf payload,
    uint32_t flags, const struct subscriber *except)
{
	struct delivery d = { .node = hub->node,
		.seq = hub->process << 40 | ++hub->count,
		.time = hub_tick(hub), .flags = flags, .payload = payload,
		.except = except };
	struct envelope e = { .type = ENV_MESSAGE, .flags = (uint8_t)flags,
		.node = d.node, .seq = d.seq, .time = d.time };
	int full = 0;

	board_add(&hub->cell->counters.published, 1);
	bus_catch_up(&hub->bus);
	if ((d.channel = channel_find(&hub->channels, name)) != NULL)
		deliver_here(hub, &d);
	if (hub->bus.npeers > 0) {
		e.name = name;
		e.payload = ws_message_payload(delivery_message(&d));
		full = bus_publish(&hub->bus, d.channel, &e, d.message);
	}
	e.name.n = 0;
	e.payload = payload;
	outbox_publish(hub, name, &e);
	if (d.message != NULL)
		ws_message_unref(d.message);
	return full || hub->full ? HOSTD_AGAIN : HOSTD_OK;
}

void
hub_keep(struct hub *hub, hostd_buf name, const void *owner, uint32_t max,
    uint32_t age_ms)
{
	struct channel *ch = max > 0 ? channel_get(&hub->channels, name) :
	    channel_find(&hub->channels, name);
	int wanted;

	if (ch == NULL)
		return;
	if (max == 0) {
		hub_unkeep(hub, ch, owner);
		channel_settle(&hub->channels, ch);
		return;
	}
	wanted = channel_is_wanted(ch);
	if (ch->history == NULL)
		ch->history = history_new(&hub->histories);
	history_want(ch->history, owner, max, age_ms);
	if (!wanted)
		hub->channels.interest(&hub->channels, ch, 1);
}

void
hub_unkeep(struct hub *hub, struct channel *ch, const void *owner)
{
	if (ch->history == NULL)
		return;
	history_want(ch->history, owner, 0, 0);
	if (history_is_wanted(ch->history))
		return;
	history_free(ch->history);
	ch->history = NULL;
	if (!channel_is_wanted(ch))
		hub->channels.interest(&hub->channels, ch, 0);
}

void
hub_forget(struct hub *hub, const void *owner)
{
	struct map_entry *e;
	struct channel *ch;
	size_t it = 0;

	while ((e = map_next(&hub->channels.map, &it)) != NULL) {
		ch = e->value;
		if (ch->history != NULL)
			history_want(ch->history, owner, 0, 0);
	}
}

/* -- from elsewhere -- */

static void
bus_received(struct bus *bus, struct bus_peer *p, const struct envelope *e)
{
	struct hub *hub = (struct hub *)(void *)((char *)bus -
	    offsetof(struct hub, bus));
	struct channel *ch;

	switch (e->type) {
	case ENV_MESSAGE:
		p->heard = e->seq;
		ch = channel_find(&hub->channels, e->name);
		if (ch != NULL)
			hub_deliver_envelope(hub, ch, e);
		break;
	case ENV_GAP:
		hub_gap(hub, NULL);
		break;
	case ENV_KEEP:
	case ENV_PAST:
		bequest_received(hub, e);
		break;
	case ENV_HOLD:
	case ENV_HELD:
		hold_received(hub, p, e);
		break;
	default:
		query_received(hub, p, e);
	}
}

static void
bus_room(struct bus *bus)
{
	struct hub *hub = (struct hub *)(void *)((char *)bus -
	    offsetof(struct hub, bus));

	query_room(hub);
	bequest_room(hub);
	hold_ask_room(hub);
}

static void
bus_left(struct bus *bus, struct bus_peer *p)
{
	struct hub *hub = (struct hub *)(void *)((char *)bus -
	    offsetof(struct hub, bus));

	/* Others may still have some of it to read. */
	hub->departed[hub->next_departed++ % HUB_DEPARTED] = p->heard;
	query_peer_left(hub, p);
	hold_peer_left(hub, p);
}

/* The first subscriber of a channel has come, or the last has gone. */
static void
hub_interest(struct channels *all, struct channel *ch, int on)
{
	struct hub *hub = (struct hub *)(void *)((char *)all -
	    offsetof(struct hub, channels));

	bus_interest(&hub->bus, ch, on);
	/* Behind an up all are subscribed later in the turn. */
	if (hub->up && !hub->resubscribe.queued)
		outbox_subscribe(hub, channel_name(ch), on);
	ch->due = on && hub->up;
}

/* -- life -- */

void
hub_init(struct hub *hub, struct loop *loop, struct board *board,
    struct board_cell *cell, const struct conf_pubsub *conf)
{
	memset(hub, 0, sizeof(*hub));
	hub->loop = loop;
	hub->cell = cell;
	hub->conf = conf;
	hub->node = board->node->id;
	hub->process = atomic_fetch_add(&board->node->processes, 1) + 1;
	hub->channels.interest = hub_interest;
	hub->bus.cell = cell;
	hub->bus.cells = board->cells;
	hub->bus.channels = &hub->channels;
	hub->bus.interests = &board->node->interests;
	hub->bus.queue = (uint64_t)conf->queue;
	hub->bus.received = bus_received;
	hub->bus.left = bus_left;
	hub->bus.room = bus_room;
	bus_init(&hub->bus);
	outbox_init(hub);
	histories_init(&hub->histories, (uint64_t)conf->history);
	queries_init(hub);
	bequest_init(hub);
	hold_init(hub);
	nodes_init(hub);
}

void
hub_serve(struct hub *hub, struct stream_io *sio)
{
	hub->bus.sio = sio;
}

void
hub_stop(struct hub *hub)
{
	/* Of the last turn, which has no end. */
	outbox_post(hub);
	hub->up = 0;
	hub->backend = NULL;
}

void
hub_close(struct hub *hub)
{
	struct map_entry *e;
	size_t it = 0;

	nodes_close(hub);
	outbox_close(hub);
	bequest_close(hub);
	hold_close(hub);
	queries_close(hub);
	bus_close(&hub->bus);
	while ((e = map_next(&hub->channels.map, &it)) != NULL)
		history_free(((struct channel *)e->value)->history);
	channels_free(&hub->channels);
}
