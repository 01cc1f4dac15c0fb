/* SPDX-License-Identifier: BSD-2-Clause */
#include <search.h>
#include "chat.h"

/* -- channels -- */

hostd_buf
room_channel(const struct hostd_inst *in, enum room_channel which,
    hostd_buf name, char out[CHANNEL_MAX])
{
	size_t n = in->prefix.n;
	hostd_buf b = { out, 0 };

	if (n + 1 + name.n > CHANNEL_MAX)
		return b;
	memcpy(out, in->prefix.p, n);
	/* No name of a room starts so. */
	if (which == ROOM_DOOR)
		out[n++] = '/';
	memcpy(out + n, name.p, name.n);
	b.n = n + name.n;
	return b;
}

static void
room_keep(const struct hostd_inst *in, const struct room *room, int on)
{
	char text[CHANNEL_MAX];

	if (in->history > 0)
		(void)in->easy.channel->keep(in->easy.host,
		    room_channel(in, ROOM_TALK, room->name, text),
		    on ? in->history : 0, on ? in->history_age : 0);
}

/* -- the tree -- */

static int
compare(const void *x, const void *y)
{
	const hostd_buf *a = x, *b = y;

	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	return memcmp(a->p, b->p, a->n);
}

static struct room *
room_new(struct hostd_inst *in, hostd_buf name)
{
	struct room *room = calloc(1, sizeof(*room) + name.n);

	if (room == NULL)
		return NULL;
	memcpy(room + 1, name.p, name.n);
	room->name.p = room + 1;
	room->name.n = name.n;
	if (tsearch(room, &in->rooms, compare) == NULL) {
		free(room);
		return NULL;
	}
	room_keep(in, room, 1);
	return room;
}

struct room *
room_find(const struct hostd_inst *in, hostd_buf name)
{
	struct room *const *found = tfind(&name, &in->rooms, compare);

	return found == NULL ? NULL : *found;
}

static void
room_end(struct hostd_inst *in, struct room *room)
{
	room_keep(in, room, 0);
	(void)tdelete(room, &in->rooms, compare);
	free(room);
}

/* -- seats -- */

static void
idle_remove(struct hostd_inst *in, struct room *room)
{
	TAILQ_REMOVE(&in->idle, room, link);
	in->nidle--;
}

static void
idle_end_oldest(struct hostd_inst *in)
{
	struct room *room = TAILQ_FIRST(&in->idle);

	idle_remove(in, room);
	room_end(in, room);
}

struct room *
room_enter(struct hostd_inst *in, hostd_buf name)
{
	struct room *room = room_find(in, name);

	if (room != NULL && room->seats == 0)
		idle_remove(in, room);
	if (room == NULL && (room = room_new(in, name)) == NULL)
		return NULL;
	if (room->seats++ == 0)
		watch_open(in, room);
	return room;
}

void
room_leave(struct hostd_inst *in, struct room *room)
{
	if (--room->seats > 0)
		return;
	watch_close(in, room);
	if (in->history == 0) {
		room_end(in, room);
		return;
	}
	room->idle_since = in->easy.host->now_ms(in->easy.host);
	TAILQ_INSERT_TAIL(&in->idle, room, link);
	if (++in->nidle > in->idle_rooms)
		idle_end_oldest(in);
}

void
rooms_tidy(struct hostd_inst *in)
{
	uint64_t now = in->easy.host->now_ms(in->easy.host);
	struct room *room;

	while ((room = TAILQ_FIRST(&in->idle)) != NULL &&
	    room->idle_since + in->history_age < now)
		idle_end_oldest(in);
}

static void
free_room(void *p)
{
	struct room *room = p;

	roll_end(room);
	free(room);
}

void
rooms_free(struct hostd_inst *in)
{
	tdestroy(in->rooms, free_room);
	in->rooms = NULL;
}
