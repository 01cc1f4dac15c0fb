/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits of requests, as they are:
 *
 *	{"cmd": "limits"}
 *	{"cmd": "limits-reset", "name": "api", "values": ["192.0.2.1"]}
 *
 * values: what the variables of its key are, in their order; without them all
 * of its keys are meant.
 */
#include <stdio.h>
#include <string.h>

#include "limit/table_json.h"
#include "limit/use.h"
#include "limit/zone.h"
#include "master/command.h"
#include "master/control.h"
#include "master/pick.h"
#include "net/loop.h"

#define VALUES_MAX 16

static void
set_number(json_t *o, const char *key, int64_t n)
{
	(void)json_object_set_new(o, key, json_integer((json_int_t)n));
}

/* ---- what they are ---- */

static const struct conf_limit *
conf_find(const struct conf *c, uint32_t kind, const char *name)
{
	const struct conf_limit *l;

	TAILQ_FOREACH (l, &c->limits, entry)
		if ((uint32_t)zone_kind(l) == kind &&
		    strcmp(l->name, name) == 0)
			return l;
	return NULL;
}

static void
rule_json(json_t *o, const struct conf_limit *l)
{
	if (l->kind == CONF_LIMIT_REQ) {
		(void)json_object_set_new(o, "rate", control_text(l->rate));
		set_number(o, "burst", l->burst);
		set_number(o, "delay", l->delay);
	} else {
		set_number(o, "max", l->max);
	}
	(void)json_object_set_new(o, "key", control_text(l->key_text));
	set_number(o, "ipv6_prefix", l->ipv6_prefix);
	set_number(o, "status", l->status);
	(void)json_object_set_new(o, "dry_run", json_boolean(l->dry_run));
}

/* Of an address: the most that any listen block lets it have. */
static int64_t
address_max(const struct conf *c)
{
	const struct conf_listen *l;
	int64_t max = 0;

	TAILQ_FOREACH (l, &c->listens, entry)
		if (l->max_per_address > max)
			max = l->max_per_address;
	return max;
}

static json_t *
zone_json(const struct master *m, unsigned i, const struct limit_use *use)
{
	const struct limit_zone *z = &m->limits.head->zones[i];
	const struct conf_limit *l = conf_find(m->gen->conf, z->kind, z->name);
	json_t *o = limit_zone_json(&m->limits, i);
	int64_t max = z->kind == LIMIT_ADDRESS ? address_max(m->gen->conf) : 0;

	(void)json_object_set_new(
	    o, "configured", json_boolean(l != NULL || max > 0));
	if (l != NULL)
		rule_json(o, l);
	else if (max > 0)
		set_number(o, "max", max);
	set_number(o, "keys", (int64_t)use->keys);
	if (z->kind != LIMIT_REQ)
		set_number(o, "taken", (int64_t)use->taken);
	return o;
}

void
command_limits(struct control_client *c, const json_t *request)
{
	const struct master *m = c->control->m;
	struct limit_use uses[LIMIT_ZONES];
	json_t *all, *zones;
	unsigned i;

	(void)request;
	if (m->gen == NULL) {
		command_busy(c);
		return;
	}
	limit_uses(&m->limits, loop_clock_ms() * 1000, uses);
	all = limit_table_json(&m->limits);
	zones = json_array();
	for (i = 0; i < LIMIT_ZONES; i++)
		if (m->limits.head->zones[i].kind != 0)
			(void)json_array_append_new(zones,
			    zone_json(m, i, &uses[i]));
	(void)json_object_set_new(all, "zones", zones);
	control_end(c, 1, json_pack("{s:o}", "limits", all));
}

/* ---- letting clients in again ---- */

static size_t
variables_of(const struct conf_limit *l)
{
	size_t i, n = 0;

	for (i = 0; i < l->key.n; i++)
		n += l->key.v[i].what != CONF_KEY_TEXT;
	return n;
}

/* How many have been let in again; -1: the client has been told. */
static int64_t
reset(struct control_client *c, const struct conf_limit *l, unsigned zone,
    const json_t *list)
{
	struct limit_table *t = &c->control->m->limits;
	size_t i, want = variables_of(l), n = json_array_size(list);
	uint64_t now_us = loop_clock_ms() * 1000;
	hostd_buf values[VALUES_MAX];

	if (n == 0)
		return (int64_t)limit_rates_forget(t, zone, now_us);
	if (n != want || n > VALUES_MAX) {
		pick_refuse(c, "the key of limit_req \"%s\" is \"%.60s\": "
		    "it has %zu variables, and %zu values are given; give one "
		    "for each, or none for all keys", l->name, l->key_text,
		    want, n);
		return -1;
	}
	for (i = 0; i < n; i++) {
		values[i].p = json_string_value(json_array_get(list, i));
		values[i].n = json_string_length(json_array_get(list, i));
		if (values[i].p == NULL) {
			pick_refuse(c, "a value is not a text");
			return -1;
		}
	}
	return (int64_t)limit_rate_forget(t, zone_key_of(t, l, (int)zone,
	    values), now_us);
}

void
command_limits_reset(struct control_client *c, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "name"));
	const json_t *values = json_object_get(request, "values");
	struct master *m = c->control->m;
	const struct conf_limit *l;
	int64_t n;
	int zone;

	if (m->gen == NULL) {
		command_busy(c);
		return;
	}
	if (name == NULL) {
		pick_refuse(c, "no limit is named");
		return;
	}
	l = conf_find(m->gen->conf, LIMIT_REQ, name);
	zone = limit_zone_find(&m->limits, LIMIT_REQ, name);
	if (l == NULL || zone == -1) {
		if (conf_find(m->gen->conf, LIMIT_CONN, name) != NULL)
			pick_refuse(c, "\"%.64s\" is a limit_conn: its places "
			    "are those of requests under way, and free when "
			    "these end", name);
		else
			pick_refuse(c, "there is no limit_req \"%.64s\"",
			    name);
		return;
	}
	n = reset(c, l, (unsigned)zone, values);
	if (n == -1)
		return;
	event_add(m, EVENT_LIMIT_RESET, "limit_req %s: %lld of its keys "
	    "begin anew", l->name, (long long)n);
	control_end(c, 1, json_pack("{s:s,s:I}", "name", l->name, "keys",
	    (json_int_t)n));
}
