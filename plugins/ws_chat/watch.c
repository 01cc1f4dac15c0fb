/* SPDX-License-Identifier: BSD-2-Clause */
#include "chat.h"

#define TICK_MS 100

uint64_t
watch_jitter(struct hostd_inst *in, uint64_t ms)
{
	in->dice = in->dice * 6364136223846793005u + 1442695040888963407u;
	return (in->dice >> 33) % (ms + 1);
}

static void
on_tick(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	(void)timer;
	(void)arg;
	refresh_next(in);
	roll_next(in);
}

static void
on_talk(struct hostd_inst *in, hostd_sub sub, void *arg,
    const struct hostd_channel_event *ev)
{
	(void)sub;
	if (ev->type == HOSTD_CHANNEL_GAP)
		refresh_gap(in, arg);
	else
		refresh_heard(in, arg, ev);
}

static void
on_door(struct hostd_inst *in, hostd_sub sub, void *arg,
    const struct hostd_channel_event *ev)
{
	(void)sub;
	if (ev->type == HOSTD_CHANNEL_GAP)
		roll_gap(in, arg);
	else
		roll_heard(arg, ev);
}

/* A room that there is no subscription left for does without. */
void
watch_open(struct hostd_inst *in, struct room *room)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	char name[CHANNEL_MAX];

	if (TAILQ_EMPTY(&in->open))
		(void)in->timer->start(e->host, TICK_MS, TICK_MS, on_tick,
		    NULL, &in->care);
	TAILQ_INSERT_TAIL(&in->open, room, link);
	if (in->history > 0)
		(void)e->channel->subscribe(e->host, room_channel(in,
		    ROOM_TALK, room->name, name), on_talk, room, &room->talk);
	if (in->roll_call > 0)
		(void)e->channel->subscribe(e->host, room_channel(in,
		    ROOM_DOOR, room->name, name), on_door, room, &room->door);
	roll_begin(in, room);
}

void
watch_close(struct hostd_inst *in, struct room *room)
{
	const struct hostd_easy *e = hostd_easy_of(in);

	(void)e->channel->unsubscribe(e->host, room->talk);
	(void)e->channel->unsubscribe(e->host, room->door);
	room->talk.id = room->door.id = 0;
	refresh_end(in, room);
	roll_end(room);
	TAILQ_REMOVE(&in->open, room, link);
	if (TAILQ_EMPTY(&in->open))
		(void)in->timer->stop(e->host, in->care);
}
