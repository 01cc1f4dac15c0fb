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
		return pattern_name(in, nsp);
	case REQUESTS:
		return channel_name(in, "-request", nsp, none);
	case RESPONSES:
		return channel_name(in, "-response", nsp, none);
	default:
		return channel_name(in, "-response", nsp, uid);
	}
}

/* -- rooms -- */

static struct table_entry *
entry_new(hostd_buf name)
{
	struct table_entry *e = calloc(1, sizeof(*e) + name.n);

	if (e == NULL)
		return NULL;
	memcpy(e + 1, name.p, name.n);
	e->name.p = e + 1;
	e->name.n = name.n;
	return e;
}

static void
entries_free(struct table *t)
{
	struct table_entry *e;

	while ((e = table_next(t, NULL)) != NULL) {
		table_remove(t, e);
		free(e);
	}
	table_free(t);
}

void
space_room(struct hostd_inst *in, hostd_buf name, hostd_buf room, int32_t on)
{
	struct space *s = space_find(in, name);
	struct table_entry *e;

	if (s == NULL)
		return;
	e = table_find(&s->rooms, room);
	if (on && e == NULL && room.n > 0) {
		if ((e = entry_new(room)) == NULL ||
		    table_add(&s->rooms, e) == -1) {
			free(e);
			hostd_logf(in->host, HOSTD_LOG_ERROR, "out of memory: "
			    "a room does not hear of other nodes");
		}
	} else if (!on && e != NULL) {
		table_remove(&s->rooms, e);
		free(e);
	}
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
	struct hostd_inst *in = s->in;
	struct channel *c;
	int i;

	for (i = 0; i < ROLES; i++) {
		c = &s->channels[i];
		if (c->space != NULL)
			table_remove(&in->channels, &c->entry);
		free((char *)(uintptr_t)c->entry.name.p);
	}
	entries_free(&s->rooms);
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
		link_subscribe(in, &s->channels[i], 1);
}

void
space_close(struct hostd_inst *in, hostd_buf name)
{
	struct space *s = space_find(in, name);
	int i;

	if (s == NULL)
		return;
	for (i = 0; i < ROLES; i++)
		link_subscribe(in, &s->channels[i], 0);
	in->waiting -= s->waiting;
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
