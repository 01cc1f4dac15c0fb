/* SPDX-License-Identifier: BSD-2-Clause */
/* A group of three servers, as two workers see it, with a balancer that is
 * played here. */
#ifndef UNIT_GROUP_CASE_H
#define UNIT_GROUP_CASE_H

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "upstream/group.h"

#define NOBODY	0u

/* One worker; its balancer takes the first that it may, or what it is told
 * to. */
struct side {
	struct upstreams all;
	struct loop loop;
	struct up_balancer balancer;
	struct up_group *group;
};

static struct up_table table;
static struct conf conf;
static struct conf_upstream app;
static struct conf_server servers[3];
static struct side a, b;
static struct up_entry *entries[3];

/* What a balancer knows, what the last was told, and what they are to say. */
struct known {
	struct hostd_peer v[8];
	uint32_t n;
};

static struct hostd_peer told[8];
static uint32_t ntold, updates, closes, reports, forced;
static int32_t update_rc;
/* Happens once, while a balancer makes up its mind. */
static void (*meanwhile)(void);
static struct hostd_report last_report;

static inline int32_t
fake_update(struct up_balancer *bal, void *data,
    const struct hostd_peer *const *peers)
{
	struct known *d = data;

	(void)bal;
	updates++;
	for (ntold = 0; peers[ntold] != NULL; ntold++)
		told[ntold] = *peers[ntold];
	if (update_rc != HOSTD_OK)
		return update_rc;
	memcpy(d->v, told, sizeof(told));
	d->n = ntold;
	return HOSTD_OK;
}

static inline void
fake_close(struct up_balancer *bal, void *data)
{
	(void)bal;
	(void)data;
	closes++;
}

static inline int
was_tried(const struct hostd_pick *k, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < k->ntried; i++)
		if (k->tried[i] == id)
			return 1;
	return 0;
}

static inline int32_t
fake_pick(struct up_balancer *bal, void *data, const struct hostd_pick *k,
    uint32_t *id)
{
	void (*happens)(void) = meanwhile;
	const struct known *d = data;
	uint32_t i;

	(void)bal;
	meanwhile = NULL;
	if (happens != NULL)
		happens();
	if (forced != NOBODY) {
		*id = forced;
		return HOSTD_OK;
	}
	for (i = 0; i < d->n; i++)
		if ((d->v[i].flags & (HOSTD_PEER_DOWN |
		    HOSTD_PEER_DRAINING)) == 0 && !was_tried(k, d->v[i].id)) {
			*id = d->v[i].id;
			return HOSTD_OK;
		}
	return HOSTD_E_FULL;
}

static inline void
fake_report(struct up_balancer *bal, void *data, uint32_t id,
    const struct hostd_report *r)
{
	(void)bal;
	(void)data;
	(void)id;
	reports++;
	last_report = *r;
}

static inline void
server_init(unsigned i, const char *name)
{
	memset(&servers[i], 0, sizeof(servers[i]));
	servers[i].name = (char *)(uintptr_t)name;
	servers[i].weight = 1;
	servers[i].max_fails = 2;
	servers[i].fail_timeout = 10000;
	TAILQ_INSERT_TAIL(&app.servers, &servers[i], entry);
}

static inline struct up_entry *
entry_put(const char *server, uint32_t flags)
{
	struct up_entry *e;
	const char *why;

	up_table_begin(&table);
	e = up_entry_new(&table);
	assert_non_null(e);
	(void)snprintf(e->group, sizeof(e->group), "app");
	(void)snprintf(e->server, sizeof(e->server), "%s", server);
	assert_int_equal(addr_parse(server, &e->addr, &why), 0);
	e->flags = flags;
	e->added_ms = 1;
	up_table_end(&table);
	return e;
}

static inline void
side_open(struct side *s, unsigned cell)
{
	memset(s, 0, sizeof(*s));
	s->loop.now_ms = 100000;
	up_table_join(&table, cell);
	upstreams_init(&s->all, &s->loop, &conf, &table, cell);
	s->balancer.name = "fake";
	s->balancer.data_size = sizeof(struct known);
	s->balancer.update = fake_update;
	s->balancer.close = fake_close;
	s->balancer.pick = fake_pick;
	s->balancer.report = fake_report;
	s->group = upstreams_find(&s->all, "app", 3);
	assert_non_null(s->group);
	assert_int_equal(group_bind(s->group, &s->balancer), 0);
}

static inline int
setup(void **state)
{
	(void)state;
	memset(&app, 0, sizeof(app));
	memset(&conf, 0, sizeof(conf));
	TAILQ_INIT(&conf.upstreams);
	TAILQ_INIT(&app.servers);
	app.name = (char *)(uintptr_t)"app";
	app.rules.max_fails = 1;
	app.rules.fail_timeout = 10000;
	TAILQ_INSERT_TAIL(&conf.upstreams, &app, entry);
	server_init(0, "192.0.2.9:80");
	server_init(1, "192.0.2.1:80");
	server_init(2, "192.0.2.5:80");
	if (up_table_create(&table) == -1)
		return -1;
	entries[2] = entry_put("192.0.2.5:80", 0);
	entries[0] = entry_put("192.0.2.9:80", 0);
	entries[1] = entry_put("192.0.2.1:80", 0);
	updates = closes = reports = forced = 0;
	update_rc = 0;
	meanwhile = NULL;
	side_open(&a, 0);
	side_open(&b, 1);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	upstreams_close(&a.all);
	upstreams_close(&b.all);
	up_table_close(&table);
	return 0;
}

static inline void
later(uint64_t ms)
{
	a.loop.now_ms += ms;
	b.loop.now_ms += ms;
}

static inline struct up_peer *
pick(struct side *s, struct up_search *se)
{
	struct up_peer *p = NULL;
	int full;

	return group_pick(s->group, se, &p, &full) == HOSTD_OK ? p : NULL;
}

static inline void
report(struct up_peer *p, struct up_search *se, int32_t rc, int32_t status)
{
	struct hostd_report r = { .struct_size = sizeof(r), .rc = rc,
	    .status = status, .header_us = status == 0 ? 0 : 800 };

	group_report(p, se, &r, rc == HOSTD_OK ? UP_WHY_NONE : UP_WHY_CONNECT,
	    rc == HOSTD_OK ? 0 : 111);
}

/* One request; the id of its server, 0: none. */
static inline uint32_t
request(struct side *s, int32_t rc)
{
	struct up_search se = { 0 };
	struct up_peer *p = pick(s, &se);
	uint32_t id;

	if (p == NULL)
		return NOBODY;
	id = p->id;
	report(p, &se, rc, rc == HOSTD_OK ? 200 : 0);
	return id;
}

static inline void
set_flags(unsigned i, uint32_t flags)
{
	up_table_begin(&table);
	entries[i]->flags = flags;
	up_table_end(&table);
}

static inline void
fail_first(void)
{
	assert_int_equal(request(&a, HOSTD_E_IO), entries[0]->id);
	assert_int_equal(request(&a, HOSTD_E_IO), entries[0]->id);
	assert_int_equal(request(&a, HOSTD_OK), entries[1]->id);
	assert_int_equal(request(&b, HOSTD_OK), entries[1]->id);
}

#endif
