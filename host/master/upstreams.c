/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "master/master.h"
#include "master/rollout.h"
#include "master/upstreams.h"

#define FREE_LOOKS 4 /* two seconds: workers have looked by then */

/* ---- finding ---- */

const struct conf_upstream *
upstreams_group(const struct conf *c, const char *name)
{
	const struct conf_upstream *u;

	TAILQ_FOREACH (u, &c->upstreams, entry)
		if (strcmp(u->name, name) == 0)
			return u;
	return NULL;
}

struct up_entry *
entry_next(const struct up_table *t, const struct up_entry *e,
    const char *group, const char *server)
{
	const struct up_entry *end = t->entries + up_entries(t);
	struct up_entry *i;

	for (i = e == NULL ? t->entries : t->entries + (e - t->entries) + 1;
	     i < end; i++)
		if (i->id != 0 && strcmp(i->group, group) == 0 &&
		    strcmp(i->server, server) == 0)
			return i;
	return NULL;
}

int
same_addr(const struct addr *a, const struct addr *b)
{
	return a->len == b->len && memcmp(&a->ss, &b->ss, a->len) == 0;
}

int
entry_has_address(const struct up_entry *e, const struct conf_server *s)
{
	return s->addr.len > 0 && same_addr(&e->addr, &s->addr);
}

int
entry_is_called(const struct up_entry *e, const struct conf_server *s)
{
	struct conf_server own;
	const char *why;
	int same;

	if (conf_server_parse(e->server, &own, &why) == -1)
		return 0;
	same = conf_server_same(&own, s);
	conf_server_free(&own);
	return same;
}

/* ---- staging ---- */

static uint32_t
flags_of(const struct conf_server *s)
{
	return (s->backup ? UP_BACKUP : 0) | (s->down ? UP_DOWN : 0) |
	    (s->drain ? UP_DRAINING : 0);
}

void
entry_set(struct up_entry *e, const struct conf_server *s)
{
	e->flags = flags_of(s);
	e->weight = (uint32_t)s->weight;
	e->max_conns = (uint32_t)s->max_conns;
}

struct up_entry *
entry_make(struct up_table *t, const char *group, const char *server)
{
	struct up_entry *e = up_entry_new(t);

	if (e == NULL)
		return NULL;
	(void)snprintf(e->group, sizeof(e->group), "%s", group);
	(void)snprintf(e->server, sizeof(e->server), "%s", server);
	return e;
}

/*
 * One that was taken out by hand and is not freed yet is as good as new.  But a
 * name may lead elsewhere by now: who looks after names says so again when he
 * sees one without an address.  0, or -1: the table is full.
 */
static int
stage_server(struct up_table *t, const struct conf_upstream *u,
    const struct conf_server *s)
{
	struct up_entry *e = NULL;
	int stale = 0;

	while ((e = entry_next(t, e, u->name, s->name)) != NULL) {
		if ((e->flags & UP_STALE) == 0)
			return 0;
		stale++;
	}
	while (stale > 0 &&
	    (e = entry_next(t, e, u->name, s->name)) != NULL)
		entry_set(e, s);
	if (stale > 0 && s->addr.len > 0)
		return 0;
	e = entry_make(t, u->name, s->name);
	if (e == NULL)
		return stale > 0 ? 0 : -1;
	entry_set(e, s);
	e->addr = s->addr;
	return 0;
}

static int
stage_group(struct up_table *t, const struct conf_upstream *u)
{
	const struct conf_server *s;

	TAILQ_FOREACH (s, &u->servers, entry)
		if (stage_server(t, u, s) == -1)
			return -1;
	return 0;
}

void
upstreams_stage(struct master *m, const struct conf *c,
    struct conf_errors *errors)
{
	const struct conf_upstream *u;

	if (TAILQ_EMPTY(&c->upstreams))
		return;
	up_table_begin(&m->servers);
	TAILQ_FOREACH (u, &c->upstreams, entry)
		if (stage_group(&m->servers, u) == -1) {
			conf_error(errors, &u->pos, "upstream \"%s\": there is "
			    "room for %d servers in all, those that are going "
			    "included", u->name, UP_ENTRIES);
			break;
		}
	up_table_end(&m->servers);
}

/* ---- serving ---- */

/* Is it not what its configuration has made it? */
static int
is_by_hand(const struct up_entry *e, const struct generation *g)
{
	const struct conf_server *s = g == NULL ? NULL :
	    up_server_find(upstreams_group(g->conf, e->group), e->server);

	if ((e->flags & UP_STALE) != 0 || g == NULL)
		return 0;
	if (s == NULL)
		return (e->flags & UP_ADDED) != 0;
	return e->flags != flags_of(s) || e->weight != (uint32_t)s->weight ||
	    e->max_conns != (uint32_t)s->max_conns;
}

static int
entry_commit(struct up_entry *e, const struct generation *before,
    const struct generation *g)
{
	const struct conf_server *s =
	    up_server_find(upstreams_group(g->conf, e->group), e->server);
	uint32_t was = e->flags, weight = e->weight, conns = e->max_conns;
	int by_hand = is_by_hand(e, before);

	if (s != NULL) {
		entry_set(e, s);
		e->flags |= was & UP_STALE;
	} else if ((was & UP_ADDED) != 0) {
		e->flags = UP_STALE;
	}
	return by_hand && (((was ^ e->flags) & ~UP_ADDED) != 0 ||
	    weight != e->weight || conns != e->max_conns);
}

int
upstreams_commit(struct master *m, const struct generation *g)
{
	struct up_table *t = &m->servers;
	uint32_t i, n = up_entries(t);
	int changed = 0;

	if (n == 0)
		return 0;
	up_table_begin(t);
	for (i = 0; i < n; i++)
		if (t->entries[i].id != 0)
			changed += entry_commit(&t->entries[i], m->gen, g);
	up_table_end(t);
	return changed;
}

/* ---- freeing ---- */

static int
is_in_use(const struct master *m, const struct generation *g)
{
	return g == m->gen || g->users > 0 || (m->rollout != NULL &&
	    g == rollout_generation(m->rollout));
}

static int
is_wanted(const struct master *m, const struct up_entry *e)
{
	const struct conf_upstream *u;
	const struct generation *g;

	TAILQ_FOREACH (g, &m->generations, link) {
		u = is_in_use(m, g) && g->conf != NULL ?
		    upstreams_group(g->conf, e->group) : NULL;
		if (u != NULL && up_entry_is_of(e, u))
			return 1;
	}
	return 0;
}

static int
is_free(const struct up_table *t, unsigned i)
{
	struct up_sums s;

	up_sum(t, i, &s);
	return s.inflight == 0 && s.idle == 0;
}

/* Has anything changed of what is wanted since we looked last? */
static int
is_news(struct master *m)
{
	struct upstreams_upkeep *k = &m->upstreams;
	uint32_t sequence = atomic_load(&m->servers.head->sequence), n = 0;
	int news = sequence != k->sequence;
	struct generation *g;

	TAILQ_FOREACH (g, &m->generations, link) {
		news |= g->was_in_use != is_in_use(m, g);
		g->was_in_use = is_in_use(m, g);
		n += (uint32_t)g->was_in_use;
	}
	/* One that was in use may be there no more. */
	news |= n != k->nusers;
	k->nusers = n;
	k->sequence = sequence;
	return news;
}

static void
find_spare(struct master *m)
{
	struct upstreams_upkeep *k = &m->upstreams;
	const struct up_entry *e;
	uint32_t i;

	k->nspare = 0;
	for (i = 0; i < UP_ENTRIES; i++) {
		e = &m->servers.entries[i];
		if (e->id == 0 || is_wanted(m, e))
			k->spare[i] = 0;
		else if (k->spare[i] == 0)
			k->spare[i] = 1;
		k->nspare += k->spare[i] != 0;
	}
}

static void
forget_entry(struct master *m, uint32_t i)
{
	struct up_entry *e = &m->servers.entries[i];

	log_debug("upstream %s: forgetting server %s", e->group, e->server);
	m->upstreams.spare[i] = 0;
	up_table_begin(&m->servers);
	up_entry_free(&m->servers, e);
	up_table_end(&m->servers);
}

/* Whether it may go has to be so for a while: who has just picked it is counted
 * soon, and who has not looked yet does so before it picks. */
void
upstreams_look(struct master *m)
{
	uint8_t *spare = m->upstreams.spare;
	uint32_t i;

	if (is_news(m))
		find_spare(m);
	if (m->upstreams.nspare == 0)
		return;
	for (i = 0; i < UP_ENTRIES; i++) {
		if (spare[i] == 0)
			continue;
		if (!is_free(&m->servers, i))
			spare[i] = 1;
		else if (++spare[i] > FREE_LOOKS)
			forget_entry(m, i);
	}
}
