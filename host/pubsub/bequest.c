/* SPDX-License-Identifier: BSD-2-Clause */
#include <endian.h>
#include <string.h>
#include "base/log.h"
#include "pubsub/bequest.h"
#include "pubsub/hub.h"
#include "ws/message.h"

#define LATE_MS		3000
#define SWEEP_MS	60000
#define AHEAD_BYTES	(1u << 20)	/* waiting for the heir */

enum bequest_state { NONE, KEEPING, SETTLING, SENDING, FLUSHING };

/* The payload of ENV_KEEP. */
struct keep {
	uint32_t max, age_ms;
};

static void	bequest_settle(struct hub *);

/* -- leaving -- */

static void
bequest_end(struct hub *hub)
{
	struct bequest *b = &hub->bequest;

	if (b->state == NONE)
		return;
	b->state = NONE;
	wheel_clear(&b->late);
	loop_undefer(hub->loop, &b->send);
	query_forget(hub, b, 0);
	b->done(hub);
}

static void
bequest_late(struct wheel_timer *t)
{
	struct hub *hub = (struct hub *)(void *)((char *)t -
	    offsetof(struct hub, bequest.late));

	log_warnx("another worker did not take what this one remembers in "
	    "time");
	bequest_end(hub);
}

static void
send_keeps(struct hub *hub, struct bus_peer *heir)
{
	struct envelope e = { .type = ENV_KEEP };
	struct map_entry *m;
	struct channel *ch;
	struct keep k;
	size_t it = 0;

	e.payload = (hostd_buf){ &k, sizeof(k) };
	while ((m = map_next(&hub->channels.map, &it)) != NULL) {
		ch = m->value;
		if (ch->history == NULL)
			continue;
		history_wish(ch->history, &k.max, &k.age_ms);
		k.max = htole32(k.max);
		k.age_ms = htole32(k.age_ms);
		e.name = channel_name(ch);
		(void)bus_send(heir, &e);
	}
}

/* An envelope of history_write, as one that names its channel. */
static void
send_past(struct bus_peer *heir, const struct channel *ch, struct buf *past)
{
	struct envelope e;
	size_t at = 0;
	int64_t n;

	while ((n = envelope_parse(&e, past->p + at, past->len - at)) > 0) {
		/* A gap has no flags. */
		e.type = ENV_PAST;
		e.name = channel_name(ch);
		(void)bus_send(heir, &e);
		at += (size_t)n;
	}
}

static void
send_some(struct hub *hub, struct bus_peer *heir)
{
	struct bequest *b = &hub->bequest;
	struct map_entry *m;
	struct buf past = { NULL, 0, 0 };
	struct channel *ch;

	while (bus_waiting(heir) < AHEAD_BYTES) {
		if ((m = map_next(&hub->channels.map, &b->at)) == NULL) {
			b->state = FLUSHING;
			break;
		}
		ch = m->value;
		if (ch->history == NULL)
			continue;
		past.len = 0;
		history_write(ch->history, hub_now_us(), &past);
		send_past(heir, ch, &past);
	}
	buf_free(&past);
}

static void
bequest_send(struct loop_task *t)
{
	struct hub *hub = (struct hub *)(void *)((char *)t -
	    offsetof(struct hub, bequest.send));
	struct bequest *b = &hub->bequest;
	struct bus_peer *heir = bus_find(&hub->bus, b->heir);

	if (heir != NULL && b->state == SENDING)
		send_some(hub, heir);
	if (heir == NULL ||
	    (b->state == FLUSHING && stream_pending(&heir->stream) == 0))
		bequest_end(hub);
}

void
bequest_room(struct hub *hub)
{
	if (hub->bequest.state >= SENDING)
		loop_defer(hub->loop, &hub->bequest.send);
}

/* All have answered: the heir, so that it keeps, and all know; and then what
 * was published before they knew is here. */
static void
bequest_settled(void *owner, void *arg, int32_t status, struct buf *answers)
{
	struct hub *hub = (struct hub *)(void *)((char *)owner -
	    offsetof(struct hub, bequest));
	struct bequest *b = owner;

	(void)arg;
	(void)status;
	(void)answers;
	if (++b->state == SETTLING) {
		bequest_settle(hub);
		return;
	}
	b->at = 0;
	loop_defer(hub->loop, &b->send);
}

static void
bequest_settle(struct hub *hub)
{
	static const hostd_buf none = { "", 0 };

	query_start(hub, QUERY_SETTLE, none, bequest_settled, &hub->bequest,
	    NULL);
}

void
hub_bequeath(struct hub *hub, uint32_t cell, void (*done)(struct hub *))
{
	struct bequest *b = &hub->bequest;
	struct bus_peer *heir;

	if (b->state != NONE)
		return;
	b->done = done;
	heir = bus_find_cell(&hub->bus, cell);
	b->heir = heir != NULL ? heir->ref : 0;
	b->state = KEEPING;
	wheel_set(&hub->loop->wheel, &b->late, hub->loop->now_ms + LATE_MS);
	if (heir == NULL || hub->histories.bytes == 0) {
		b->state = FLUSHING;
		b->heir = 0;
		loop_defer(hub->loop, &b->send);
		return;
	}
	send_keeps(hub, heir);
	bequest_settle(hub);
}

/* -- inheriting -- */

static void
take_keep(struct hub *hub, const struct envelope *e)
{
	struct keep k;

	if (e->payload.n != sizeof(k))
		return;
	memcpy(&k, e->payload.p, sizeof(k));
	k.max = le32toh(k.max);
	k.age_ms = le32toh(k.age_ms);
	if (k.max == 0 || k.max > HISTORY_MAX)
		return;
	hub_keep(hub, e->name, &hub->bequest, k.max, k.age_ms);
	if (hub->bequest.sweep.deadline == 0)
		wheel_set(&hub->loop->wheel, &hub->bequest.sweep,
		    hub->loop->now_ms + SWEEP_MS);
}

static void
take_past(struct hub *hub, const struct envelope *e)
{
	struct delivery d = { .node = e->node, .seq = e->seq, .time = e->time,
		.flags = e->flags, .gap = e->flags == 0,
		.payload = e->payload };

	d.channel = channel_find(&hub->channels, e->name);
	if (d.channel == NULL || d.channel->history == NULL)
		return;
	hub_saw(hub, e->time);
	history_insert(d.channel->history, &d);
	if (d.message != NULL)
		ws_message_unref(d.message);
}

void
bequest_received(struct hub *hub, const struct envelope *e)
{
	if (!channel_name_ok(e->name))
		return;
	if (e->type == ENV_KEEP)
		take_keep(hub, e);
	else
		take_past(hub, e);
}

/* What we keep for nobody but those who have ended, until it is too old. */
static void
bequest_sweep(struct wheel_timer *t)
{
	struct hub *hub = (struct hub *)(void *)((char *)t -
	    offsetof(struct hub, bequest.sweep));
	uint64_t now = hub_now_us();
	struct map_entry *m;
	struct channel *ch;
	size_t it = 0;
	int some = 0;

	while ((m = map_next(&hub->channels.map, &it)) != NULL) {
		ch = m->value;
		if (ch->history == NULL)
			continue;
		if (history_is_empty(ch->history, now))
			hub_unkeep(hub, ch, &hub->bequest);
		else
			some = 1;
	}
	channels_settle(&hub->channels);
	if (some)
		wheel_set(&hub->loop->wheel, t, hub->loop->now_ms + SWEEP_MS);
}

/* -- life -- */

void
bequest_init(struct hub *hub)
{
	hub->bequest.send.run = bequest_send;
	hub->bequest.late.fire = bequest_late;
	hub->bequest.sweep.fire = bequest_sweep;
}

void
bequest_close(struct hub *hub)
{
	loop_undefer(hub->loop, &hub->bequest.send);
	wheel_remove(&hub->loop->wheel, &hub->bequest.late);
	wheel_remove(&hub->loop->wheel, &hub->bequest.sweep);
}
