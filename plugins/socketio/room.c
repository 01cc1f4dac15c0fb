/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rooms.  A socket's own, of its id, mostly has no struct room: is_in_own says
 * that it is in it, and space->ids finds it.  It gets one as soon as another
 * socket joins it, and then the owner is among the members.
 */
#include <stdlib.h>
#include <string.h>
#include "cluster.h"

static struct room *
room_find(const struct space *sp, hostd_buf name)
{
	struct table_entry *e = table_find(&sp->rooms, name);

	return e == NULL ? NULL : TABLE_OF(e, struct room, entry);
}

static int
is_id(const struct sio_socket *s, hostd_buf room)
{
	return room.n == strlen(s->id) && memcmp(room.p, s->id, room.n) == 0;
}

static void
room_free(struct room *r)
{
	table_remove(&r->space->rooms, &r->entry);
	free(r->members);
	free(r);
}

static int
reserve(struct sio_socket *s, struct room *r)
{
	struct room_place *places;
	struct member *members;
	uint32_t size;

	if (r->n == r->size) {
		size = r->size == 0 ? 2 : r->size * 2;
		places = realloc(r->members, size * sizeof(*places));
		if (places == NULL)
			return -1;
		r->members = places;
		r->size = size;
	}
	if (s->nrooms == s->size_rooms) {
		size = s->size_rooms == 0 ? 1 : s->size_rooms * 2;
		members = realloc(s->rooms, size * sizeof(*members));
		if (members == NULL)
			return -1;
		s->rooms = members;
		s->size_rooms = size;
	}
	return 0;
}

static int
room_add(struct room *r, struct sio_socket *s)
{
	if (reserve(s, r) == -1)
		return -1;
	s->rooms[s->nrooms].room = r;
	s->rooms[s->nrooms].place = r->n;
	r->members[r->n].socket = s;
	r->members[r->n++].of_socket = s->nrooms++;
	return 0;
}

/* Room number i of this socket loses it; the last one takes that number. */
static void
room_remove(struct sio_socket *s, uint32_t i)
{
	struct room *r = s->rooms[i].room;
	uint32_t place = s->rooms[i].place;
	struct member *m;

	r->members[place] = r->members[--r->n];
	if (place < r->n)
		r->members[place].socket->rooms[r->members[place].of_socket]
		    .place = place;
	s->rooms[i] = s->rooms[--s->nrooms];
	if (i < s->nrooms) {
		m = &s->rooms[i];
		m->room->members[m->place].of_socket = i;
	}
}

/* A room that has no struct room, with who is in it already. */
static struct room *
room_new(struct space *sp, hostd_buf name)
{
	struct sio_socket *owner = socket_find(sp, name);
	struct room *r = calloc(1, sizeof(*r) + name.n + 1);

	if (r == NULL)
		return NULL;
	memcpy(r->name, name.p, name.n);
	r->entry.name.p = r->name;
	r->entry.name.n = name.n;
	r->space = sp;
	if (table_add(&sp->rooms, &r->entry) == -1) {
		free(r);
		return NULL;
	}
	if (owner != NULL && owner->is_in_own && room_add(r, owner) == -1) {
		room_free(r);
		return NULL;
	}
	return r;
}

/* It has been left. */
static void
room_settle(struct room *r)
{
	if (r->n > 0)
		return;
	cluster_room(r->space->in, r->space->entry.name, r->entry.name, 0);
	room_free(r);
}

static uint32_t
index_of(const struct sio_socket *s, hostd_buf name)
{
	const struct room *r;
	uint32_t i;

	if (s->nrooms == 0 || (r = room_find(s->space, name)) == NULL)
		return s->nrooms;
	/* Whichever list is shorter. */
	if (r->n < s->nrooms) {
		for (i = 0; i < r->n; i++)
			if (r->members[i].socket == s)
				return r->members[i].of_socket;
		return s->nrooms;
	}
	for (i = 0; i < s->nrooms; i++)
		if (s->rooms[i].room == r)
			break;
	return i;
}

int32_t
room_own_enter(struct sio_socket *s)
{
	struct room *r = room_find(s->space, hostd_str(s->id));

	if (s->is_in_own)
		return HOSTD_OK;
	if (r != NULL && index_of(s, r->entry.name) == s->nrooms &&
	    room_add(r, s) == -1)
		return HOSTD_E_NOMEM;
	s->is_in_own = 1;
	if (r == NULL)
		cluster_room(s->space->in, s->space->entry.name,
		    hostd_str(s->id), 1);
	return HOSTD_OK;
}

int32_t
socket_join(struct sio_socket *s, hostd_buf name)
{
	struct space *sp = s->space;
	struct room *r;
	int is_new;

	if (name.n == 0 || name.n > HOSTD_SIO_ROOM_MAX)
		return HOSTD_E_INVAL;
	if (socket_is_in(s, name))
		return HOSTD_OK;
	if (is_id(s, name) && s->state == SOCKET_CONNECTED)
		return room_own_enter(s);
	if (s->nrooms >= sp->in->opt.max_rooms)
		return HOSTD_E_FULL;
	if ((r = room_find(sp, name)) == NULL && (r = room_new(sp, name)) ==
	    NULL)
		return HOSTD_E_NOMEM;
	is_new = r->n == 0;
	if (room_add(r, s) == -1) {
		if (is_new)
			room_free(r);
		return HOSTD_E_NOMEM;
	}
	if (is_new)
		cluster_room(sp->in, sp->entry.name, r->entry.name, 1);
	return HOSTD_OK;
}

void
socket_leave(struct sio_socket *s, hostd_buf name)
{
	uint32_t i = index_of(s, name);
	int was_in_own = is_id(s, name) && s->is_in_own;
	struct room *r;

	if (was_in_own)
		s->is_in_own = 0;
	if (i < s->nrooms) {
		r = s->rooms[i].room;
		room_remove(s, i);
		room_settle(r);
	} else if (was_in_own)
		cluster_room(s->space->in, s->space->entry.name,
		    hostd_str(s->id), 0);
}

void
rooms_leave(struct sio_socket *s)
{
	struct room *r;

	socket_leave(s, hostd_str(s->id));
	while (s->nrooms > 0) {
		r = s->rooms[s->nrooms - 1].room;
		room_remove(s, s->nrooms - 1);
		room_settle(r);
	}
}

int
socket_is_in(const struct sio_socket *s, hostd_buf name)
{
	return (s->is_in_own && is_id(s, name)) ||
	    index_of(s, name) < s->nrooms;
}

uint32_t
socket_rooms(const struct sio_socket *s, hostd_buf *out, uint32_t max)
{
	uint32_t i, n = 0;
	hostd_buf name;

	if (s->is_in_own && n++ < max)
		out[0] = hostd_str(s->id);
	for (i = 0; i < s->nrooms; i++) {
		name = s->rooms[i].room->entry.name;
		if (s->is_in_own && is_id(s, name))
			continue;
		if (n < max)
			out[n] = name;
		n++;
	}
	return n;
}

uint32_t
room_members(const struct space *sp, hostd_buf name,
    const struct room_place **members, struct room_place *one)
{
	const struct room *r = room_find(sp, name);

	if (r != NULL) {
		*members = r->members;
		return r->n;
	}
	one->socket = socket_find(sp, name);
	*members = one;
	return one->socket != NULL && one->socket->is_in_own;
}

int
space_has_room(const struct hostd_inst *in, hostd_buf nsp, hostd_buf room)
{
	const struct space *sp = space_find(in, nsp);
	const struct room_place *members;
	struct room_place one;

	return sp != NULL && room_members(sp, room, &members, &one) > 0;
}

struct room *
room_next(const struct space *sp, const struct room *r)
{
	struct table_entry *e = table_next(&sp->rooms,
	    r == NULL ? NULL : &r->entry);

	return e == NULL ? NULL : TABLE_OF(e, struct room, entry);
}
