/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Servers of upstreams, changed by hand:
 *
 *	{"cmd": "upstream", "do": "add", "group": "app", "server": "name:80",
 *	 "weight": n, "max_conns": n, "backup": bool, "persist": bool}
 *
 * and remove, drain, enable, down, and weight, whose "weight" is needed.  A
 * server is meant by its name, all of whose addresses it is then, or by one of
 * its addresses.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/schema.h"
#include "master/command.h"
#include "master/control.h"
#include "master/persist.h"
#include "master/pick.h"
#include "net/loop.h"

#define WEIGHT_MAX	65535
#define NAMES_MAX	64

struct change {
	struct control_client *client;
	struct master *m;
	const json_t *request;
	const struct action *action;
	const struct conf_upstream *group;
	struct conf_server server;	/* as it was written */
	const char *name;		/* as it is configured */
	const struct conf_server *taken;	/* configured, and taken out by
						   a change that is kept */
	uint32_t weight, max_conns;	/* 0: not said */
	int backup, persist;
	int by_name;			/* one is called so; else those that
					   have that address are meant */
	int by_address;			/* of one whose name is another */
	size_t n;			/* entries that are meant */
};

struct action {
	const char *name;
	const char *done;		/* "app: 192.0.2.1:80 " and this */
	void (*apply)(struct change *, struct up_entry *);
	void (*persist)(const struct change *, struct persist *);
};

/* ---- what is done to an entry ---- */

static struct up_health *
entry_health(const struct change *ch, const struct up_entry *e)
{
	return &ch->m->servers.health[e - ch->m->servers.entries];
}

/* What it is from now on. */
static void
entry_flag(const struct change *ch, struct up_entry *e, uint32_t flag)
{
	if ((e->flags & flag) == 0)
		atomic_store(&entry_health(ch, e)->since_ms, loop_clock_ms());
	e->flags |= flag;
}

/* It is to be tried anew, whatever it did before. */
static void
apply_enable(struct change *ch, struct up_entry *e)
{
	struct up_health *h = entry_health(ch, e);

	atomic_store(&h->fails, 0);
	atomic_store(&h->down_until_ms, 0);
	if ((e->flags & (UP_DOWN | UP_DRAINING | UP_GONE)) != 0)
		atomic_store(&h->since_ms, loop_clock_ms());
	if ((e->flags & (UP_DOWN | UP_GONE)) != 0)
		atomic_store(&h->up_ms, loop_clock_ms());
	e->flags &= ~(UP_DOWN | UP_DRAINING | UP_REMOVED);
}

static void
apply_drain(struct change *ch, struct up_entry *e)
{
	entry_flag(ch, e, UP_DRAINING);
}

static void
apply_down(struct change *ch, struct up_entry *e)
{
	entry_flag(ch, e, UP_DOWN);
}

static void
apply_weight(struct change *ch, struct up_entry *e)
{
	e->weight = ch->weight;
}

/* What no configuration has is not remembered, unless its name leads there
 * still. */
static void
apply_remove(struct change *ch, struct up_entry *e)
{
	entry_flag(ch, e, ch->by_address ||
	    up_server_find(ch->group, e->server) != NULL ? UP_REMOVED :
	    UP_STALE);
}

/* One that was removed is back, with what is said of it now. */
static void
apply_add(struct change *ch, struct up_entry *e)
{
	apply_enable(ch, e);
	if (ch->weight != 0)
		e->weight = ch->weight;
	if (ch->max_conns != 0)
		e->max_conns = ch->max_conns;
	if (ch->backup)
		e->flags |= UP_BACKUP;
}

/* ---- what is written of it ---- */

static void
persist_enable(const struct change *ch, struct persist *p)
{
	(void)ch;
	persist_set(p, "down", "off");
	persist_set(p, "drain", "off");
}

static void
persist_drain(const struct change *ch, struct persist *p)
{
	(void)ch;
	persist_set(p, "drain", "on");
}

static void
persist_down(const struct change *ch, struct persist *p)
{
	(void)ch;
	persist_set(p, "down", "on");
}

static void
persist_weight(const struct change *ch, struct persist *p)
{
	persist_set_number(p, "weight", ch->weight);
}

/* The configuration's own is to be taken out of it; what only we have added is
 * not there without us. */
static void
persist_remove(const struct change *ch, struct persist *p)
{
	const struct conf_server *s = up_server_find(ch->group, ch->name);

	p->anew = 1;
	if (s == NULL || s->added)
		p->forget = 1;
	else
		persist_set(p, "removed", "on");
}

/* What the configuration has without us need only not be removed. */
static void
persist_add(const struct change *ch, struct persist *p)
{
	const struct conf_server *s = up_server_find(ch->group, ch->name);

	p->anew = 1;
	if (s == NULL ? ch->taken == NULL : s->added)
		persist_set(p, "added", "on");
	else if (ch->weight == 0 && ch->max_conns == 0 && !ch->backup)
		p->forget = 1;
	if (ch->weight != 0)
		persist_set_number(p, "weight", ch->weight);
	if (ch->max_conns != 0)
		persist_set_number(p, "max_conns", ch->max_conns);
	if (ch->backup)
		persist_set(p, "backup", "on");
}

static const struct action actions[] = {
	{ "add", "is added", apply_add, persist_add },
	{ "remove", "is removed", apply_remove, persist_remove },
	{ "drain", "drains", apply_drain, persist_drain },
	{ "enable", "is enabled", apply_enable, persist_enable },
	{ "down", "is down", apply_down, persist_down },
	{ "weight", "has another weight", apply_weight, persist_weight },
};

/* ---- what is meant ---- */

static int
change_refuse(struct change *ch, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int
change_refuse(struct change *ch, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	control_error(ch->client, text);
	control_end(ch->client, 0, NULL);
	return -1;
}

static const char *
request_text(const struct change *ch, const char *key)
{
	const char *s = json_string_value(json_object_get(ch->request, key));

	return s != NULL ? s : "";
}

static int
change_action(struct change *ch)
{
	const char *name = request_text(ch, "do");
	size_t i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i].name, name) == 0)
			ch->action = &actions[i];
	return ch->action != NULL ? 0 :
	    change_refuse(ch, "the request does not say what to do");
}

static int
change_group(struct change *ch)
{
	const char *name = request_text(ch, "group"), *names[NAMES_MAX + 1];
	const struct conf_upstream *u;
	const char *hint;
	size_t n = 0;

	ch->group = upstreams_group(ch->m->gen->conf, name);
	if (ch->group != NULL)
		return 0;
	TAILQ_FOREACH (u, &ch->m->gen->conf->upstreams, entry)
		if (n < NAMES_MAX)
			names[n++] = u->name;
	names[n] = NULL;
	hint = conf_nearest(name, names);
	return change_refuse(ch, "there is no upstream \"%.64s\"%s%s%s", name,
	    hint != NULL ? "; did you mean \"" : "; see hostctl upstream list",
	    hint != NULL ? hint : "", hint != NULL ? "\"?" : "");
}

static int
change_number(struct change *ch, const char *key, json_int_t most,
    uint32_t *n)
{
	const json_t *v = json_object_get(ch->request, key);

	if (v == NULL)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 1 ||
	    json_integer_value(v) > most)
		return change_refuse(ch, "%s is from 1 to %lld", key,
		    (long long)most);
	*n = (uint32_t)json_integer_value(v);
	return 0;
}

static int
change_options(struct change *ch)
{
	ch->backup = json_is_true(json_object_get(ch->request, "backup"));
	ch->persist = json_is_true(json_object_get(ch->request, "persist"));
	if (change_number(ch, "weight", WEIGHT_MAX, &ch->weight) == -1 ||
	    change_number(ch, "max_conns", INT32_MAX, &ch->max_conns) == -1)
		return -1;
	if (ch->action->apply == apply_weight && ch->weight == 0)
		return change_refuse(ch, "the request has no weight");
	return 0;
}

static int
change_server(struct change *ch)
{
	const char *text = request_text(ch, "server"), *why;
	const struct conf_server *s;

	if (conf_server_parse(text, &ch->server, &why) == -1)
		return change_refuse(ch, "server \"%.200s\": %s", text, why);
	ch->name = ch->server.name;
	TAILQ_FOREACH (s, &ch->group->removed, entry)
		if (!s->added && conf_server_same(s, &ch->server)) {
			ch->taken = s;
			ch->name = s->name;
		}
	return 0;
}

/* ---- doing it ---- */

static int
is_meant(const struct change *ch, const struct up_entry *e)
{
	return up_entry_is_of(e, ch->group) && (ch->by_name ?
	    entry_is_called(e, &ch->server) :
	    entry_has_address(e, &ch->server));
}

/* How many are meant, and what they are called. */
static void
change_find(struct change *ch)
{
	const struct up_table *t = &ch->m->servers;
	struct conf_server own;
	uint32_t i;
	const char *why;

	for (i = 0; i < up_entries(t) && !ch->by_name; i++)
		ch->by_name = up_entry_is_of(&t->entries[i], ch->group) &&
		    entry_is_called(&t->entries[i], &ch->server);
	for (i = 0; i < up_entries(t); i++) {
		if (!is_meant(ch, &t->entries[i]))
			continue;
		ch->n++;
		ch->name = t->entries[i].server;
		if (conf_server_parse(ch->name, &own, &why) == -1)
			continue;
		ch->by_address = !conf_server_same(&own, &ch->server);
		conf_server_free(&own);
	}
}

/* Is one of those that are meant in service? */
static int
change_is_there(const struct change *ch)
{
	const struct up_table *t = &ch->m->servers;
	uint32_t i;

	for (i = 0; i < up_entries(t); i++)
		if (is_meant(ch, &t->entries[i]) &&
		    (t->entries[i].flags & UP_REMOVED) == 0)
			return 1;
	return 0;
}

/* Before anything is written: what was there, and is not freed yet, is used
 * again. */
static int
change_has_room(const struct change *ch)
{
	const struct up_table *t = &ch->m->servers;
	uint32_t i;

	for (i = 0; i < UP_ENTRIES; i++)
		if (t->entries[i].id == 0)
			return 1;
	return entry_next(t, NULL, ch->group->name, ch->name) != NULL;
}

static int
change_check(struct change *ch)
{
	int adds = ch->action->apply == apply_add;

	change_find(ch);
	if (adds && ch->n == 0 && !change_has_room(ch))
		return change_refuse(ch, "there is room for %d servers in all, "
		    "those that are going included", UP_ENTRIES);
	if (adds && change_is_there(ch))
		return change_refuse(ch, "upstream %s has %s already",
		    ch->group->name, ch->name);
	if (!adds && ch->n == 0)
		return change_refuse(ch, "upstream %s has no server %s; see "
		    "hostctl upstream list %s", ch->group->name, ch->name,
		    ch->group->name);
	if (!adds && !change_is_there(ch))
		return change_refuse(ch, "%s of upstream %s has been removed; "
		    "hostctl upstream add brings it back", ch->name,
		    ch->group->name);
	if (ch->persist && ch->by_address)
		return change_refuse(ch, "%s is one of the addresses of %s, "
		    "which may be others tomorrow; --persist works on %s "
		    "itself", ch->server.name, ch->name, ch->name);
	return 0;
}

/* One that hands have added has to be added by the file, too. */
static void
persist_whole(const struct change *ch, struct persist *p)
{
	const struct up_table *t = &ch->m->servers;
	const struct up_entry *e = entry_next(t, NULL, ch->group->name,
	    ch->name);

	if (e == NULL || (e->flags & UP_ADDED) == 0 || p->anew ||
	    persist_adds(p))
		return;
	/* Without "removed" the configuration has it again. */
	if (ch->taken != NULL)
		p->anew = 1;
	else
		persist_set(p, "added", "on");
	if (ch->action->apply != apply_weight)
		persist_set_number(p, "weight", e->weight);
	if (e->max_conns != 0)
		persist_set_number(p, "max_conns", e->max_conns);
	if ((e->flags & UP_BACKUP) != 0)
		persist_set(p, "backup", "on");
}

static int
change_persist(struct change *ch)
{
	struct persist p = {
	    .dir = ch->m->gen->conf->conf_dir,
	    .group = ch->group->name,
	    .server = ch->name,
	};
	char why[600];

	if (!ch->persist)
		return 0;
	ch->action->persist(ch, &p);
	persist_whole(ch, &p);
	if (persist_write(&p, why, sizeof(why)) == 0)
		return 0;
	return change_refuse(ch, "%s; nothing was changed", why);
}

static void
make_entry(struct change *ch, struct up_entry *e)
{
	entry_set(e, ch->taken != NULL ? ch->taken : &ch->group->rules);
	e->flags = (e->flags & UP_BACKUP) | UP_ADDED;
	e->added_ms = board_clock_ms();
	apply_add(ch, e);
}

/* What is not freed yet is used again: it must not be there twice.  A name may
 * lead elsewhere by now, so there is one without an address, too. */
static void
change_make(struct change *ch)
{
	struct up_table *t = &ch->m->servers;
	struct up_entry *e = NULL;
	int n = 0;

	up_table_begin(t);
	while ((e = entry_next(t, e, ch->group->name, ch->name)) != NULL) {
		make_entry(ch, e);
		n++;
	}
	e = n > 0 && ch->server.addr.len > 0 ? NULL :
	    entry_make(t, ch->group->name, ch->name);
	if (e != NULL) {
		e->addr = ch->server.addr;
		make_entry(ch, e);
	}
	up_table_end(t);
}

static void
change_apply(struct change *ch)
{
	struct up_table *t = &ch->m->servers;
	int adds = ch->action->apply == apply_add;
	uint32_t i;

	if (ch->n == 0) {
		change_make(ch);
		return;
	}
	up_table_begin(t);
	for (i = 0; i < up_entries(t); i++)
		if (is_meant(ch, &t->entries[i]) &&
		    (adds || (t->entries[i].flags & UP_REMOVED) == 0))
			ch->action->apply(ch, &t->entries[i]);
	up_table_end(t);
}

static int
change_do(struct change *ch)
{
	if (change_options(ch) == -1 || change_check(ch) == -1 ||
	    change_persist(ch) == -1)
		return -1;
	change_apply(ch);
	return 0;
}

void
command_upstream(struct control_client *c, const json_t *request)
{
	struct change ch = {.client = c, .m = c->control->m,
	    .request = request};

	if (ch.m->gen == NULL || master_busy(ch.m) != NULL) {
		command_busy(c);
		return;
	}
	if (change_action(&ch) == -1 || change_group(&ch) == -1 ||
	    change_server(&ch) == -1)
		return;
	if (change_do(&ch) == 0) {
		event_add(ch.m, EVENT_UPSTREAM_CHANGED, "upstream %s: %s %s%s",
		    ch.group->name, ch.server.name, ch.action->done,
		    ch.persist ? ", for good" : "");
		control_end(c, 1, json_pack("{s:s,s:s,s:s,s:b}", "group",
		    ch.group->name, "server", ch.server.name, "done",
		    ch.action->done, "persisted", ch.persist));
	}
	conf_server_free(&ch.server);
}

/* {"cmd": "upstreams", "group": name}: all, or one, and how servers do. */
void
command_upstreams(struct control_client *c, const json_t *request)
{
	const char *only = json_string_value(json_object_get(request, "group"));
	const struct master *m = c->control->m;

	if (m->gen == NULL)
		command_busy(c);
	else if (only != NULL && upstreams_group(m->gen->conf, only) == NULL)
		pick_refuse(c, "there is no upstream \"%.64s\"", only);
	else
		control_end(c, 1, json_pack("{s:o}", "upstreams",
		    up_table_json(&m->servers, m->gen->conf, only)));
}
