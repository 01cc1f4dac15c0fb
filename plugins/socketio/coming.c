/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an adapter has to begin for a namespace or a room takes a moment, and
 * what is said meanwhile would be lost.  So whoever takes a worker's place is
 * told of those that are there, and has the adapter begin before any socket
 * comes; what has no socket for a while after the worker before us has gone is
 * given up.
 *
 * In the state:
 *	u32	1: a namespace: bytes name; 0: no more
 *	u32	1: a room of it: bytes name; 0: no more
 *
 * One that has come to be since:
 *
 *	BUS_ROOM	bytes namespace, bytes room; empty: none
 */
#include "cluster_inside.h"

/* There may be one before it that has not been heard of yet. */
#define GRACE_MS 10000

struct coming_room {
	struct table_entry entry;
	char name[];
};

struct coming {
	struct table_entry entry;	/* of cluster->coming */
	struct table rooms;
	char name[];
};

static struct coming *
coming_find(const struct cluster *c, hostd_buf nsp)
{
	struct table_entry *e = table_find(&c->coming, nsp);

	return e == NULL ? NULL : TABLE_OF(e, struct coming, entry);
}

static struct coming *
coming_get(struct cluster *c, hostd_buf nsp)
{
	struct coming *k = coming_find(c, nsp);

	if (k != NULL || (k = calloc(1, sizeof(*k) + nsp.n)) == NULL)
		return k;
	memcpy(k->name, nsp.p, nsp.n);
	k->entry.name = (hostd_buf){ k->name, nsp.n };
	if (table_add(&c->coming, &k->entry) == 0)
		return k;
	free(k);
	return NULL;
}

/* 0, or -1: it is there already, or no memory. */
static int
room_add(struct coming *k, hostd_buf name)
{
	struct coming_room *r;

	if (table_find(&k->rooms, name) != NULL ||
	    (r = calloc(1, sizeof(*r) + name.n)) == NULL)
		return -1;
	memcpy(r->name, name.p, name.n);
	r->entry.name = (hostd_buf){ r->name, name.n };
	if (table_add(&k->rooms, &r->entry) == 0)
		return 0;
	free(r);
	return -1;
}

int
coming_has(const struct cluster *c, hostd_buf nsp, hostd_buf room)
{
	const struct coming *k = coming_find(c, nsp);

	return k != NULL && (room.n == 0 ||
	    table_find(&k->rooms, room) != NULL);
}

void
coming_each(struct cluster *c, void (*fn)(struct cluster *, hostd_buf nsp,
    hostd_buf room))
{
	static const hostd_buf none = { NULL, 0 };
	struct table_entry *e, *r;
	struct coming *k;

	for (e = table_next(&c->coming, NULL); e != NULL;
	    e = table_next(&c->coming, e)) {
		k = TABLE_OF(e, struct coming, entry);
		fn(c, e->name, none);
		for (r = table_next(&k->rooms, NULL); r != NULL;
		    r = table_next(&k->rooms, r))
			fn(c, e->name, r->name);
	}
}

/* -- to the successor -- */

static void
pack_room(struct cluster *c, struct pack *b, hostd_buf nsp, hostd_buf room)
{
	if (!cluster_is_apart(c, nsp, room))
		return;
	pack_u32(b, 1);
	pack_bytes(b, room);
}

static void
pack_rooms(struct cluster *c, struct pack *b, const struct space *sp)
{
	const struct sio_socket *s;
	struct room *r;
	uint32_t i;

	for (r = room_next(sp, NULL); r != NULL; r = room_next(sp, r))
		pack_room(c, b, space_name(sp), r->entry.name);
	for (i = 0; i < sp->n; i++) {
		s = sp->sockets[i];
		if (s->is_in_own)
			pack_room(c, b, space_name(sp), hostd_str(s->id));
	}
}

/* Those that are waited for still. */
static void
pack_coming(struct cluster *c, struct pack *b, const struct coming *k)
{
	struct table_entry *r;

	for (r = table_next(&k->rooms, NULL); r != NULL;
	    r = table_next(&k->rooms, r))
		pack_room(c, b, k->entry.name, r->name);
}

void
coming_pack(struct cluster *c, struct pack *b)
{
	struct table_entry *e;
	struct space *sp;

	for (sp = space_next(c->in, NULL); sp != NULL;
	    sp = space_next(c->in, sp)) {
		pack_u32(b, 1);
		pack_bytes(b, space_name(sp));
		pack_rooms(c, b, sp);
		pack_u32(b, 0);
	}
	for (e = table_next(&c->coming, NULL); e != NULL;
	    e = table_next(&c->coming, e)) {
		pack_u32(b, 1);
		pack_bytes(b, e->name);
		pack_coming(c, b, TABLE_OF(e, struct coming, entry));
		pack_u32(b, 0);
	}
	pack_u32(b, 0);
}

void
coming_tell(struct cluster *c, hostd_buf nsp, hostd_buf room)
{
	struct pack *b;

	if (!peer_has_heir(c) ||
	    (room.n > 0 && !cluster_is_apart(c, nsp, room)))
		return;
	b = bus_begin(c, BUS_ROOM, c->seq);
	pack_bytes(b, nsp);
	pack_bytes(b, room);
	(void)bus_send_heir(c);
}

/* -- from who was before us -- */

int
coming_unpack(struct cluster *c, struct unpack *u)
{
	struct coming *k;
	hostd_buf name;

	while (unpack_u32(u) != 0) {
		name = unpack_bytes(u);
		if (u->bad || name.n == 0 || (k = coming_get(c, name)) == NULL)
			return -1;
		while (unpack_u32(u) != 0) {
			name = unpack_bytes(u);
			if (name.n > 0)
				(void)room_add(k, name);
		}
	}
	return u->bad ? -1 : 0;
}

void
coming_came(struct cluster *c, struct bus_message *m)
{
	hostd_buf nsp = unpack_bytes(&m->body), room = unpack_bytes(&m->body);
	struct coming *k;
	int is_new;

	if (m->body.bad || nsp.n == 0 || c->in->draining ||
	    !cluster_is_here(c, m->node))
		return;
	c->elder_ms = c->in->easy.host->now_ms(c->in->easy.host);
	is_new = coming_find(c, nsp) == NULL;
	if ((k = coming_get(c, nsp)) == NULL)
		return;
	if (is_new && space_find(c->in, nsp) == NULL)
		adapters_open(c, nsp, 1);
	if (room.n > 0 && room_add(k, room) == 0 &&
	    !space_has_room(c->in, nsp, room))
		adapters_room(c, nsp, room, 1);
}

/* -- no more of them -- */

static void
room_end(struct cluster *c, struct coming *k, struct table_entry *r, int tells)
{
	table_remove(&k->rooms, r);
	if (tells && !space_has_room(c->in, k->entry.name, r->name))
		adapters_room(c, k->entry.name, r->name, 0);
	free(TABLE_OF(r, struct coming_room, entry));
}

static void
all_end(struct cluster *c, int tells)
{
	struct table_entry *e, *r;
	struct coming *k;

	while ((e = table_next(&c->coming, NULL)) != NULL) {
		k = TABLE_OF(e, struct coming, entry);
		while ((r = table_next(&k->rooms, NULL)) != NULL)
			room_end(c, k, r, tells);
		table_remove(&c->coming, e);
		if (tells && space_find(c->in, e->name) == NULL)
			adapters_open(c, e->name, 0);
		table_free(&k->rooms);
		free(k);
	}
	table_free(&c->coming);
}

void
coming_look(struct cluster *c, uint64_t now_ms)
{
	if (peer_elder(c) != NULL)
		c->elder_ms = now_ms;
	else if (now_ms - c->elder_ms >= GRACE_MS)
		all_end(c, 1);
}

void
coming_destroy(struct cluster *c)
{
	all_end(c, 0);
}
