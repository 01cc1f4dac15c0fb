/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "net/loop.h"
#include "upstream/table_json.h"

const struct conf_server *
up_server_find(const struct conf_upstream *u, const char *name)
{
	const struct conf_server *s;

	if (u == NULL)
		return NULL;
	TAILQ_FOREACH(s, &u->servers, entry)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

int
up_entry_is_of(const struct up_entry *e, const struct conf_upstream *u)
{
	return e->id != 0 && (e->flags & UP_STALE) == 0 &&
	    strcmp(e->group, u->name) == 0 && ((e->flags & UP_ADDED) != 0 ||
	    up_server_find(u, e->server) != NULL);
}

/* A path need not be UTF-8. */
static json_t *
json_text(const char *text)
{
	json_t *s = json_string(text);
	char *copy, *p;

	if (s != NULL)
		return s;
	copy = xstrdup(text);
	for (p = copy; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	s = json_string(copy);
	free(copy);
	return s;
}

/* -- how one does -- */

/* One server, as it is now. */
struct view {
	const struct conf_upstream *group;
	const struct conf_server *rules;
	struct up_entry e;
	struct up_sums n;
	uint32_t checked, fails, why, what, share;
	uint32_t check_why, check_what, streak;	/* of the last check; how many
						   in a row say that it differs
						   from what it is taken for */
	uint64_t down_until, since, latency, why_at, checked_at;
};

/* What is to be known of all servers of a group, for any of them. */
struct others {
	uint64_t oldest_ms;	/* since when the first has been there */
	uint32_t n;		/* addresses that may be picked */
};

static struct others
look_at_others(const struct up_table *t, const struct conf_upstream *u)
{
	struct others o = { .oldest_ms = UINT64_MAX };
	struct up_entry e;
	uint32_t i;

	for (i = 0; i < up_entries(t); i++) {
		if (up_entry_read(t, i, &e) == -1 || !up_entry_is_of(&e, u) ||
		    (e.flags & UP_GONE) != 0 || e.addr.len == 0)
			continue;
		o.n++;
		if (e.added_ms < o.oldest_ms)
			o.oldest_ms = e.added_ms;
	}
	return o;
}

/* Of entry i, which is in v->e. */
static void
view_fill(struct view *v, const struct up_table *t, const struct others *o,
    unsigned i)
{
	const struct conf_server *s = up_server_find(v->group, v->e.server);
	const struct up_health *h = &t->health[i];

	v->rules = s != NULL ? s : &v->group->rules;
	up_sum(t, i, &v->n);
	v->checked = v->group->health.type != CONF_CHECK_NONE ?
	    atomic_load(&h->checked) : UP_UNCHECKED;
	v->fails = atomic_load(&h->fails);
	v->why = atomic_load(&h->why);
	v->what = atomic_load(&h->what);
	/* The only one is neither left alone, nor spared. */
	v->down_until = o->n > 1 ? atomic_load(&h->down_until_ms) : 0;
	v->since = atomic_load(&h->since_ms);
	v->latency = atomic_load(&h->latency_us);
	v->why_at = atomic_load(&h->why_ms);
	v->checked_at = v->group->health.type != CONF_CHECK_NONE ?
	    atomic_load(&h->checked_ms) : 0;
	v->check_why = atomic_load(&h->check_why);
	v->check_what = atomic_load(&h->check_what);
	v->streak = atomic_load(&h->streak);
	v->share = o->n > 1 ? up_share(&v->e, atomic_load(&h->up_ms),
	    (uint64_t)v->rules->slow_start, o->oldest_ms, loop_clock_ms()) :
	    UP_FULL_SHARE;
}

/* What people see first. */
static const char *
view_state(const struct view *v)
{
	uint32_t flags = v->e.flags;

	if ((flags & UP_STALE) != 0)
		return "leaving";
	if ((flags & UP_REMOVED) != 0)
		return "removed";
	if ((flags & UP_DOWN) != 0)
		return "down";
	if (v->e.addr.len == 0)
		return "unresolved";
	if (v->checked == UP_CHECKED_DOWN || v->down_until > loop_clock_ms())
		return "failed";
	if ((flags & UP_DRAINING) != 0)
		return "draining";
	return v->share < UP_FULL_SHARE ? "slow-starting" : "up";
}

struct text {
	char s[256];
};

/* Who is not given more may have some still. */
static struct text
text_left(const struct view *v, const char *why)
{
	unsigned long long n = v->n.inflight;
	struct text t;

	if (n == 0)
		(void)snprintf(t.s, sizeof(t.s), "%s", why);
	else
		(void)snprintf(t.s, sizeof(t.s), "%s; %llu request%s or "
		    "connection%s left", why, n, n == 1 ? "" : "s",
		    n == 1 ? "" : "s");
	return t;
}

/* What checks have said of one that they have found down. */
static struct text
text_checked(const struct view *v)
{
	struct text t;
	char why[128];

	if (v->check_why != UP_WHY_NONE)
		(void)snprintf(t.s, sizeof(t.s), "check: %s", up_why_text(
		    v->check_why, v->check_what, why, sizeof(why)));
	else
		(void)snprintf(t.s, sizeof(t.s), "check: %s; %u of %d went "
		    "well since", up_why_text(v->why, v->what, why,
		    sizeof(why)), v->streak, v->group->health.rise);
	return t;
}

/* And of one that serves. */
static struct text
text_serving(const struct view *v)
{
	uint64_t whole = (uint64_t)v->rules->slow_start;
	struct text t = { "" };
	char why[128];

	if (v->share < UP_FULL_SHARE)
		(void)snprintf(t.s, sizeof(t.s), "slow start: %u%% of its "
		    "share, all of it in %llus", v->share * 100 / UP_FULL_SHARE,
		    (unsigned long long)(whole * (UP_FULL_SHARE - v->share) /
		    UP_FULL_SHARE + 999) / 1000);
	else if (v->checked_at != 0 && v->check_why != UP_WHY_NONE)
		(void)snprintf(t.s, sizeof(t.s), "check: %s; down after %d "
		    "like that, this is %u", up_why_text(v->check_why,
		    v->check_what, why, sizeof(why)), v->group->health.fall,
		    v->streak);
	return t;
}

/* Why it does not serve as others do. */
static struct text
text_reason(const struct view *v)
{
	const struct conf_server *s = up_server_find(v->group, v->e.server);
	uint64_t now = loop_clock_ms();
	struct text t;
	char why[128];

	(void)up_why_text(v->why, v->what, why, sizeof(why));
	if ((v->e.flags & UP_STALE) != 0)
		return text_left(v, "finishing what is under way");
	if ((v->e.flags & UP_REMOVED) != 0)
		return text_left(v, "by hand");
	if ((v->e.flags & UP_DOWN) != 0)
		return text_left(v, s != NULL && s->down ? "configured" :
		    "by hand");
	if (v->e.addr.len > 0 && v->checked == UP_CHECKED_DOWN)
		return text_checked(v);
	if (v->e.addr.len > 0 && v->down_until <= now)
		return (v->e.flags & UP_DRAINING) == 0 ? text_serving(v) :
		    text_left(v, s != NULL && s->drain ? "configured" :
		    "by hand");
	if (v->e.addr.len > 0)
		(void)snprintf(t.s, sizeof(t.s), "%s; tried again in %llus",
		    why, 
		    (unsigned long long)(v->down_until - now + 999) / 1000);
	else
		(void)snprintf(t.s, sizeof(t.s), "%s", v->why == UP_WHY_NAME ?
		    why : "its name leads nowhere yet");
	return t;
}

static void
put_number(json_t *o, const char *key, uint64_t n)
{
	(void)json_object_set_new(o, key, json_integer((json_int_t)n));
}

static void
put_counts(json_t *o, const struct view *v)
{
	put_number(o, "inflight", v->n.inflight);
	put_number(o, "upgraded", v->n.upgraded);
	put_number(o, "idle", v->n.idle);
	put_number(o, "requests", v->n.requests);
	put_number(o, "failures", v->n.failures);
	put_number(o, "bytes_in", v->n.bytes_in);
	put_number(o, "bytes_out", v->n.bytes_out);
	put_number(o, "latency_us", v->latency);
	put_number(o, "header_us", v->n.header_us);
}

/* Times are unix times; how long it is so already is for_ms. */
static void
put_health(json_t *o, const struct view *v)
{
	static const char *const checks[] = {
	    [UP_UNCHECKED] = "none",
	    [UP_CHECKED_UP] = "up",
	    [UP_CHECKED_DOWN] = "down",
	};
	uint64_t now = loop_clock_ms(), clock = board_clock_ms();
	char why[128];

	put_number(o, "for_ms", v->since != 0 ?
	    now > v->since ? now - v->since : 0 :
	    clock > v->e.added_ms ? clock - v->e.added_ms : 0);
	put_number(o, "fails", v->fails);
	(void)json_object_set_new(o, "check", json_string(
	    checks[v->checked <= UP_CHECKED_DOWN ? v->checked : 0]));
	if (v->checked_at != 0) {
		put_number(o, "checked_ms", v->checked_at);
		(void)json_object_set_new(o, "last_check", json_text(
		    v->check_why == UP_WHY_NONE ? "passed" : up_why_text(
		    v->check_why, v->check_what, why, sizeof(why))));
	}
	if (v->why_at == 0)
		return;
	(void)json_object_set_new(o, "last_failure", json_text(
	    up_why_text(v->why, v->what, why, sizeof(why))));
	put_number(o, "last_failure_ms", v->why_at);
}

static json_t *
server_json(const struct view *v)
{
	const struct up_entry *e = &v->e;
	char at[ADDR_TEXT_MAX] = "";
	struct text reason = text_reason(v);
	json_t *o;

	if (e->addr.len > 0)
		(void)addr_format(&e->addr, at, sizeof(at));
	o = json_pack("{s:o,s:o,s:I,s:s,s:o,s:I,s:I,s:I,s:b,s:b}", "server",
	    json_text(e->server), "address", json_text(at), "id",
	    (json_int_t)e->id, "state", view_state(v), "reason",
	    json_text(reason.s), "weight", (json_int_t)e->weight, "share",
	    (json_int_t)v->share * 100 / UP_FULL_SHARE, "max_conns",
	    (json_int_t)e->max_conns, "backup", (e->flags & UP_BACKUP) != 0,
	    "added", (e->flags & UP_ADDED) != 0);
	put_counts(o, v);
	put_health(o, v);
	return o;
}

/* Those that are going are shown as long as somebody is there. */
static int
is_shown(const struct up_table *t, const struct conf_upstream *u,
    const struct up_entry *e, unsigned i)
{
	return up_entry_is_of(e, u) || ((e->flags & UP_STALE) != 0 &&
	    strcmp(e->group, u->name) == 0 && up_inflight(t, i) > 0);
}

/* In the order of the configuration, what was added by hand behind it. */
static size_t
entry_rank(const struct conf_upstream *u, const struct up_entry *e)
{
	const struct conf_server *s;
	size_t i = 0;

	TAILQ_FOREACH(s, &u->servers, entry) {
		if (strcmp(s->name, e->server) == 0)
			break;
		i++;
	}
	return i;
}

/* Where that rank goes among those there are. */
static size_t
rank_insert(size_t *ranks, size_t n, size_t rank)
{
	size_t at = n;

	for (; at > 0 && ranks[at - 1] > rank; at--)
		ranks[at] = ranks[at - 1];
	ranks[at] = rank;
	return at;
}

static json_t *
servers_json(const struct up_table *t, const struct conf_upstream *u)
{
	struct others others = look_at_others(t, u);
	size_t ranks[UP_ENTRIES], n = 0;
	json_t *list = json_array();
	struct view v = { .group = u };
	uint32_t i;

	for (i = 0; i < up_entries(t); i++) {
		if (up_entry_read(t, i, &v.e) == -1 ||
		    !is_shown(t, u, &v.e, i))
			continue;
		view_fill(&v, t, &others, i);
		(void)json_array_insert_new(list, rank_insert(ranks, n++,
		    entry_rank(u, &v.e)), server_json(&v));
	}
	return list;
}

json_t *
up_table_json(const struct up_table *t, const struct conf *c, const char *only)
{
	const struct conf_upstream *u;
	json_t *list = json_array();

	TAILQ_FOREACH(u, &c->upstreams, entry)
		if (only == NULL || strcmp(only, u->name) == 0)
			(void)json_array_append_new(list, json_pack(
			    "{s:s,s:s,s:o}", "name", u->name, "balancer",
			    u->balancer_name, "servers", servers_json(t, u)));
	return list;
}
