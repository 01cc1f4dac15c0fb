/* SPDX-License-Identifier: BSD-2-Clause */
/* The namespaces of this worker: their channels, and which rooms have sockets
 * here. */
#include <stdlib.h>
#include <string.h>
#include "adapter.h"

hostd_buf
channel_name(const struct hostd_inst *in, const char *kind, hostd_buf nsp,
    hostd_buf tail)
{
	hostd_buf out = { NULL, 0 };
	size_t n = strlen(kind);
	char *p = malloc(in->key.n + n + nsp.n + tail.n + 3), *to = p;

	if (p == NULL)
		return out;
	to = mempcpy(to, in->key.p, in->key.n);
	to = mempcpy(to, kind, n);
	*to++ = '#';
	to = mempcpy(to, nsp.p, nsp.n);
	*to++ = '#';
	if (tail.n > 0) {
		to = mempcpy(to, tail.p, tail.n);
		*to++ = '#';
	}
	out.p = p;
	out.n = (size_t)(to - p);
	return out;
}

/* All that begins with the name of the namespace's own channel. */
static hostd_buf
pattern_name(const struct hostd_inst *in, hostd_buf nsp)
{
	static const hostd_buf none = { NULL, 0 };
	hostd_buf b = channel_name(in, "", nsp, none);
	char *p;

	if (b.p == NULL)
		return b;
	if ((p = realloc((char *)(uintptr_t)b.p, b.n + 1)) == NULL) {
		free((char *)(uintptr_t)b.p);
		b.p = NULL;
		return b;
	}
	p[b.n++] = '*';
	b.p = p;
	return b;
}

static hostd_buf
name_of(const struct hostd_inst *in, hostd_buf nsp, enum role role)
{
	static const hostd_buf none = { NULL, 0 };
	hostd_buf uid = { in->uid, UID_LEN };

	switch (role) {
	case BROADCASTS:
		return in->sharded ? channel_name(in, "", nsp, none) :
		    pattern_name(in, nsp);
	case REQUESTS:
		return channel_name(in, "-request", nsp, none);
	case RESPONSES:
		return channel_name(in, "-response", nsp, none);
	default:
		return channel_name(in, in->sharded ? "" : "-response", nsp,
		    uid);
	}
}

static int
has_role(const struct hostd_inst *in, int role)
{
	return !in->sharded || role == BROADCASTS || role == ANSWERS;
}

static void
channel_end(struct hostd_inst *in, struct channel *c)
{
	link_forget(in, c);
	if (c->space != NULL)
		table_remove(&in->channels, &c->entry);
	free((char *)(uintptr_t)c->entry.name.p);
}

/* -- rooms -- */

struct room {
	struct table_entry entry;	/* of rooms */
	struct channel channel;		/* if it has one of its own */
	char name[];
};

static void
room_free(struct space *s, struct room *r)
{
	table_remove(&s->rooms, &r->entry);
	channel_end(s->in, &r->channel);
	free(r);
}

static struct room *
room_new(struct space *s, hostd_buf name)
{
	struct room *r = calloc(1, sizeof(*r) + name.n);

	if (r == NULL)
		return NULL;
	memcpy(r->name, name.p, name.n);
	r->entry.name.p = r->name;
	r->entry.name.n = name.n;
	if (table_add(&s->rooms, &r->entry) == 0)
		return r;
	free(r);
	return NULL;
}

/* 0, or -1: out of memory. */
static int
room_subscribe(struct space *s, struct room *r)
{
	struct channel *c = &r->channel;

	if (!sharded_has_channel(s->in, r->entry.name))
		return 0;
	c->role = ROOM;
	c->entry.name = channel_name(s->in, "", s->name, r->entry.name);
	if (c->entry.name.p == NULL ||
	    table_add(&s->in->channels, &c->entry) == -1)
		return -1;
	c->space = s;
	link_subscribe(s->in, c, 1);
	return 0;
}

static void
room_came(struct space *s, hostd_buf name)
{
	struct room *r = room_new(s, name);

	if (r != NULL && room_subscribe(s, r) == 0)
		return;
	if (r != NULL)
		room_free(s, r);
	hostd_logf(s->in->host, HOSTD_LOG_ERROR, "out of memory: a room does "
	    "not hear of other nodes");
}

static void
room_went(struct space *s, struct room *r)
{
	if (r->channel.space != NULL)
		link_subscribe(s->in, &r->channel, 0);
	room_free(s, r);
}

void
space_room(struct hostd_inst *in, hostd_buf name, hostd_buf room, int32_t on)
{
	struct space *s = space_find(in, name);
	struct table_entry *e;

	if (s == NULL)
		return;
	e = table_find(&s->rooms, room);
	if (on && e == NULL && room.n > 0)
		room_came(s, room);
	else if (!on && e != NULL)
		room_went(s, TABLE_OF(e, struct room, entry));
}

int32_t
space_is_apart(struct hostd_inst *in, hostd_buf name, hostd_buf room)
{
	(void)name;
	return sharded_has_channel(in, room);
}

int
space_has(const struct space *s, hostd_buf room)
{
	return table_find(&s->rooms, room) != NULL;
}

/* -- namespaces -- */

static void
space_free(struct space *s)
{
	struct table_entry *e;
	int i;

	while ((e = table_next(&s->rooms, NULL)) != NULL)
		room_free(s, TABLE_OF(e, struct room, entry));
	table_free(&s->rooms);
	for (i = 0; i < ROLES; i++)
		channel_end(s->in, &s->channels[i]);
	free((char *)(uintptr_t)s->name.p);
	free(s);
}

static int
add_channels(struct space *s)
{
	struct channel *c;
	int i;

	for (i = 0; i < ROLES; i++) {
		c = &s->channels[i];
		if (!has_role(s->in, i))
			continue;
		c->role = (enum role)i;
		c->entry.name = name_of(s->in, s->name, c->role);
		if (c->entry.name.p == NULL ||
		    table_add(&s->in->channels, &c->entry) == -1)
			return -1;
		c->space = s;
	}
	return 0;
}

static struct space *
space_new(struct hostd_inst *in, hostd_buf name)
{
	struct space *s = calloc(1, sizeof(*s));
	char *copy;

	if (s == NULL)
		return NULL;
	s->in = in;
	if ((copy = malloc(name.n + 1)) != NULL) {
		memcpy(copy, name.p, name.n);
		s->name.p = copy;
		s->name.n = name.n;
		s->entry.name = s->name;
	}
	if (copy != NULL && add_channels(s) == 0 &&
	    table_add(&in->spaces, &s->entry) == 0)
		return s;
	space_free(s);
	return NULL;
}

struct space *
space_find(const struct hostd_inst *in, hostd_buf name)
{
	struct table_entry *e = table_find(&in->spaces, name);

	return e == NULL ? NULL : TABLE_OF(e, struct space, entry);
}

void
space_open(struct hostd_inst *in, hostd_buf name)
{
	struct space *s;
	int i;

	if (name.n == 0 || space_find(in, name) != NULL)
		return;
	if ((s = space_new(in, name)) == NULL) {
		hostd_logf(in->host, HOSTD_LOG_ERROR, "out of memory: the "
		    "namespace %.*s does not hear of other nodes",
		    (int)name.n, (const char *)name.p);
		return;
	}
	for (i = 0; i < ROLES; i++)
		if (has_role(in, i))
			link_subscribe(in, &s->channels[i], 1);
}

static void
unsubscribe_all(struct space *s)
{
	struct table_entry *e;
	struct room *r;
	int i;

	for (i = 0; i < ROLES; i++)
		if (has_role(s->in, i))
			link_subscribe(s->in, &s->channels[i], 0);
	for (e = table_next(&s->rooms, NULL); e != NULL;
	    e = table_next(&s->rooms, e)) {
		r = TABLE_OF(e, struct room, entry);
		if (r->channel.space != NULL)
			link_subscribe(s->in, &r->channel, 0);
	}
}

void
space_close(struct hostd_inst *in, hostd_buf name)
{
	struct space *s = space_find(in, name);

	if (s == NULL)
		return;
	unsubscribe_all(s);
	table_remove(&in->spaces, &s->entry);
	ask_gone(in, s);
	space_free(s);
}

void
spaces_free(struct hostd_inst *in)
{
	struct table_entry *e;

	while ((e = table_next(&in->spaces, NULL)) != NULL) {
		table_remove(&in->spaces, e);
		space_free(TABLE_OF(e, struct space, entry));
	}
	table_free(&in->spaces);
	table_free(&in->channels);
}
