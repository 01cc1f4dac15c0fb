/* SPDX-License-Identifier: BSD-2-Clause */
/* The giver's side: another worker is to hold what our sockets subscribe to. */
#include <stddef.h>
#include <string.h>
#include "base/log.h"
#include "pubsub/hub.h"
#include "pubsub/marks.h"

#define AHEAD_BYTES	(1u << 20)	/* waiting for the taker */
#define MARK_LOOK_MS	100
#define MARK_LOOKS	10		/* a backend that lost it */
#define SETTLE_MS	100		/* a worker that takes nothing */

enum { IDLE, TELLING, WAITING, MARKING, SETTLING };

static void	ask_settle(struct hub *);

/* -- telling -- */

static int
is_told(const struct hub *hub, const struct channel *ch)
{
	return ch->hold_round > hub->hold.before;
}

/* 0, or -1: it has to take some first. */
static int
tell_channels(struct hub *hub, struct bus_peer *heir)
{
	struct envelope e = { .type = ENV_HOLD, .flags = 1 };
	struct hold_ask *ask = &hub->hold;
	struct map_entry *m;
	struct channel *ch;

	while (bus_waiting(heir) < AHEAD_BYTES) {
		if ((m = map_next(&hub->channels.map, &ask->at)) == NULL)
			return 0;
		ch = m->value;
		if (ch->nsockets == 0 || is_told(hub, ch))
			continue;
		e.name = channel_name(ch);
		(void)bus_send(heir, &e);
		ch->hold_round = ask->round;
	}
	return -1;
}

static void
ask_tell(struct loop_task *t)
{
	struct hub *hub = (struct hub *)(void *)((char *)t -
	    offsetof(struct hub, hold.tell));
	struct hold_ask *ask = &hub->hold;
	struct bus_peer *heir = bus_find(&hub->bus, ask->heir);
	struct envelope e = { .type = ENV_HOLD, .flags = 1,
		.seq = hub->process,
		.payload = { &ask->round, sizeof(ask->round) } };

	if (heir == NULL) {
		ask->state = IDLE;
		return;
	}
	if (ask->state != TELLING || tell_channels(hub, heir) == -1)
		return;
	(void)bus_send(heir, &e);
	ask->state = WAITING;
}

void
hold_ask_room(struct hub *hub)
{
	if (hub->hold.state == TELLING)
		loop_defer(hub->loop, &hub->hold.tell);
}

/* -- and what is true then -- */

static void
ask_late(struct wheel_timer *t)
{
	struct hub *hub = (struct hub *)(void *)((char *)t -
	    offsetof(struct hub, hold.late));

	if (hub->hold.state == SETTLING)
		ask_settle(hub);
	if (hub->hold.state != MARKING)
		return;
	/* Time in which we stood still is none that it had. */
	if (++hub->hold.looks < MARK_LOOKS) {
		wheel_set(&hub->loop->wheel, t,
		    hub->loop->now_ms + MARK_LOOK_MS);
		return;
	}
	log_warnx("pubsub: %s did not bring back a mark in time; what other "
	    "nodes say now may come twice or be lost", hub->backend != NULL ?
	    hub->backend->name : "the backend");
	ask_settle(hub);
}

void
hold_ask_marked(struct hub *hub, const struct envelope *e)
{
	if (hub->hold.state == MARKING && e->time == hub->hold.round)
		ask_settle(hub);
}

static void
ask_mark(struct hub *hub)
{
	struct envelope e = { .type = ENV_MARK, .node = hub->node,
		.seq = hub->process, .time = hub->hold.round };
	hostd_buf inbox = { hub->inbox, strlen(hub->inbox) };

	if (!hub->up || hub->own_due != 0) {
		ask_settle(hub);
		return;
	}
	hub->hold.state = MARKING;
	hub->hold.looks = 0;
	outbox_publish(hub, inbox, &e);
	wheel_set(&hub->loop->wheel, &hub->hold.late,
	    hub->loop->now_ms + MARK_LOOK_MS);
}

void
hold_ask_held(struct hub *hub, const struct bus_peer *p, uint32_t round)
{
	struct hold_ask *ask = &hub->hold;

	if (ask->state == WAITING && p->ref == ask->heir &&
	    round == ask->round)
		ask_mark(hub);
}

static void
ask_settled(void *owner, void *arg, int32_t status, struct buf *answers)
{
	struct hub *hub = (struct hub *)(void *)((char *)owner -
	    offsetof(struct hub, hold));
	struct hold_ask *ask = owner;

	(void)arg;
	(void)answers;
	/* Somebody has not answered, or can't even be asked; sockets go when
	 * they must. */
	if (status != HOSTD_OK) {
		wheel_set(&hub->loop->wheel, &ask->late,
		    hub->loop->now_ms + SETTLE_MS);
		return;
	}
	ask->state = IDLE;
	ask->settled = ask->round;
	ask->done(hub);
}

static void
ask_settle(struct hub *hub)
{
	static const hostd_buf none = { "", 0 };

	wheel_clear(&hub->hold.late);
	hub->hold.state = SETTLING;
	query_start(hub, QUERY_SETTLE, none, ask_settled, &hub->hold, NULL);
}

/* -- the caller's -- */

static void
ask_stop(struct hub *hub)
{
	hub->hold.state = IDLE;
	hub->hold.before = hub->hold.round;
	wheel_clear(&hub->hold.late);
	loop_undefer(hub->loop, &hub->hold.tell);
	query_forget(hub, &hub->hold, 0);
}

void
hub_hold(struct hub *hub, uint32_t cell, void (*done)(struct hub *))
{
	struct bus_peer *p = bus_find_cell(&hub->bus, cell);
	struct hold_ask *ask = &hub->hold;

	if (p == NULL || (ask->state != IDLE && ask->heir == p->ref))
		return;
	if (ask->heir != p->ref)
		ask_stop(hub);
	ask->heir = p->ref;
	ask->done = done;
	ask->round++;
	ask->at = 0;
	ask->state = TELLING;
	loop_defer(hub->loop, &ask->tell);
}

void
hub_hold_end(struct hub *hub)
{
	struct bus_peer *p = bus_find(&hub->bus, hub->hold.heir);
	struct envelope e = { .type = ENV_HOLD };

	ask_stop(hub);
	if (p != NULL && hub->hold.round > 0)
		(void)bus_send(p, &e);
	hub->hold.heir = 0;
}

int
hub_is_held(const struct hub *hub, uint32_t cell, const struct subscriber *s)
{
	const struct bus_peer *p = bus_find_cell(&hub->bus, cell);
	const struct subscription *sub;

	if (s == NULL || LIST_EMPTY(&s->subscriptions))
		return 1;
	/* What another one holds is of no use to it. */
	if (p == NULL || p->ref != hub->hold.heir)
		return 0;
	LIST_FOREACH(sub, &s->subscriptions, of_subscriber)
		if (!is_told(hub, sub->channel) ||
		    sub->channel->hold_round > hub->hold.settled)
			return 0;
	return 1;
}

void
hub_give(const struct hub *hub, const struct subscriber *s, struct buf *b)
{
	pack_u64(b, hub->process);
	marks_pack(hub, s, b);
}

/* -- life -- */

void
hold_init(struct hub *hub)
{
	LIST_INIT(&hub->holds);
	hub->hold.tell.run = ask_tell;
	hub->hold.late.fire = ask_late;
}
