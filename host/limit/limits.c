/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "http/response.h"
#include "http/router.h"
#include "limit/access.h"
#include "limit/budget.h"
#include "limit/limits.h"

/* Several clocks: workers read theirs at the begin of a turn. */
#define SLACK_US	4000

struct limit_lease {
	struct http_lease lease;	/* first */
	struct limits *all;
	struct limit_lease *next_spare;
	int32_t place;
};

/* -- leases -- */

static void
lease_end(struct http_lease *lease)
{
	struct limit_lease *l = (struct limit_lease *)(void *)lease;

	limit_place_give(l->all->table, l->all->cell, l->place);
	l->next_spare = l->all->spare_leases;
	l->all->spare_leases = l;
}

static struct limit_lease *
lease_new(struct limits *all)
{
	struct limit_lease *l = all->spare_leases;

	if (l != NULL) {
		all->spare_leases = l->next_spare;
		return l;
	}
	l = xcalloc(1, sizeof(*l));
	l->lease.end = lease_end;
	l->all = all;
	return l;
}

struct http_lease *
limits_lease(struct limits *all, struct limit_count *count, uint64_t key,
    uint32_t max, int32_t *place)
{
	struct limit_lease *l;

	*place = limit_place_take(all->table, count, all->cell, key, max);
	if (*place < 0)
		return NULL;
	l = lease_new(all);
	l->lease.key = key;
	l->place = *place;
	return &l->lease;
}

/* Another worker's, which gives its own back. */
static struct http_lease *
lease_take(struct http_lessor *lessor, uint64_t key)
{
	struct limits *all = (struct limits *)(void *)lessor;
	int32_t place;

	return limits_lease(all, &all->none, key, UINT32_MAX, &place);
}

/* -- gates -- */

int32_t
limits_refuse(struct http_req *r, int status, int64_t wait_us)
{
	hostd_hdr h = { { "Retry-After", 11 }, { NULL, 0 } };
	char seconds[24];

	h.value.n = (size_t)snprintf(seconds, sizeof(seconds), "%" PRId64,
	    (wait_us + 999999) / 1000000);
	h.value.p = seconds;
	request_drop_body(r);
	response_error(r, status, wait_us > 0 ? &h : NULL);
	return HOSTD_E_GONE;
}

static struct zone *
zone_of(struct limits *all, const struct conf_limit *c)
{
	struct zone *z;

	STAILQ_FOREACH(z, &all->zones, link)
		if (z->conf == c)
			return z;
	return NULL;
}

static struct limit_gate *
gate_new(struct limits *all, struct http_route *rt, const char *name,
    int32_t (*enter)(struct http_gate *, struct http_req *))
{
	struct limit_gate *g = xcalloc(1, sizeof(*g));

	g->all = all;
	g->gate.enter = enter;
	g->gate.name = name;
	SLIST_INSERT_HEAD(&all->gates, g, link);
	route_add_gate(rt, &g->gate);
	return g;
}

static void
add_gate(struct limits *all, struct http_route *rt,
    const struct conf_limits *list, int late,
    int32_t (*enter)(struct http_gate *, struct http_req *))
{
	int is_rate = enter == rate_enter;
	struct limit_gate *g = NULL;
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (zone_is_late(list->v[i]) != late)
			continue;
		if (g == NULL) {
			g = gate_new(all, rt, is_rate ? "limit_req" :
			    "limit_conn", enter);
			g->zones = xcalloc(list->n, sizeof(struct zone *));
			g->bit = (uint8_t)(1 << (is_rate * 2 + late));
		}
		g->zones[g->n++] = zone_of(all, list->v[i]);
	}
}

void
limits_add_gates(struct limits *all, struct http_route *rt,
    const struct conf_route *c, int late)
{
	if (all->table == NULL)
		return;
	if (!late && c->shed &&
	    (all->budget->max_connections > 0 || all->budget->max_memory > 0))
		(void)gate_new(all, rt, "budget", budget_enter);
	if (!late && c->access.n > 0)
		gate_new(all, rt, "access", access_enter)->access = &c->access;
	if (!late && (c->max_head > 0 || c->max_headers > 0))
		gate_new(all, rt, "head", head_enter)->route = c;
	add_gate(all, rt, &c->limit_reqs, late, rate_enter);
	add_gate(all, rt, &c->limit_conns, late, place_enter);
	if (late && rt->rate > 0) {
		(void)gate_new(all, rt, "limit_rate", pace_enter);
		rt->paced_ms = pace_ms(rt->rate);
	}
}

/* -- all of them -- */

static void
add_zone(struct limits *all, const struct conf_limit *c)
{
	struct zone *z = xcalloc(1, sizeof(*z));
	int i = limit_zone_find(all->table, zone_kind(c), c->name);

	z->conf = c;
	z->table = all->table;
	/* The master makes it before we are started. */
	z->count = i == -1 ? &all->none : limit_count_of(all->table, all->cell,
	    (unsigned)i);
	z->number = i;
	z->salt = zone_salt(all->table, c);
	z->cost_us = (uint64_t)c->cost_us;
	z->room_us = z->cost_us * (uint64_t)c->burst + SLACK_US;
	z->free_us = z->cost_us * (uint64_t)c->delay + SLACK_US;
	STAILQ_INSERT_TAIL(&all->zones, z, link);
}

void
limits_open(struct limits *all, struct loop *loop, const struct conf *conf,
    struct limit_table *table, unsigned cell)
{
	const struct conf_limit *c;

	memset(all, 0, sizeof(*all));
	all->lessor.take = lease_take;
	all->loop = loop;
	all->table = table;
	all->cell = cell;
	STAILQ_INIT(&all->zones);
	SLIST_INIT(&all->gates);
	all->budget = &conf->budget;
	all->address = &all->none;
	if (table == NULL)
		return;
	all->address_zone = limit_zone_find(table, LIMIT_ADDRESS,
	    LIMIT_ADDRESS_NAME);
	if (all->address_zone != -1)
		all->address = limit_count_of(table, cell,
		    (unsigned)all->address_zone);
	TAILQ_FOREACH(c, &conf->limits, entry)
		add_zone(all, c);
}

void
limits_close(struct limits *all)
{
	struct limit_lease *l;
	struct limit_gate *g;
	struct zone *z;

	while ((g = SLIST_FIRST(&all->gates)) != NULL) {
		SLIST_REMOVE_HEAD(&all->gates, link);
		free(g->zones);
		free(g);
	}
	while ((z = STAILQ_FIRST(&all->zones)) != NULL) {
		STAILQ_REMOVE_HEAD(&all->zones, link);
		free(z);
	}
	while ((l = all->spare_leases) != NULL) {
		all->spare_leases = l->next_spare;
		free(l);
	}
	rate_close(all);
	pace_close(all);
}
