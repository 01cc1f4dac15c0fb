/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Groups of servers, as two workers see them: who can serve, what is counted,
 * and that a balancer's nonsense does no harm.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "upstream/group.h"

#define NOBODY	0u

/* One worker; its balancer takes the first that it may, or what it is told to. */
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

static int32_t
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

static void
fake_close(struct up_balancer *bal, void *data)
{
	(void)bal;
	(void)data;
	closes++;
}

static int
was_tried(const struct hostd_pick *k, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < k->ntried; i++)
		if (k->tried[i] == id)
			return 1;
	return 0;
}

static int32_t
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

static void
fake_report(struct up_balancer *bal, void *data, uint32_t id,
    const struct hostd_report *r)
{
	(void)bal;
	(void)data;
	(void)id;
	reports++;
	last_report = *r;
}

static void
server_init(unsigned i, const char *name)
{
	memset(&servers[i], 0, sizeof(servers[i]));
	servers[i].name = (char *)(uintptr_t)name;
	servers[i].weight = 1;
	servers[i].max_fails = 2;
	servers[i].fail_timeout = 10000;
	TAILQ_INSERT_TAIL(&app.servers, &servers[i], entry);
}

static struct up_entry *
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

static void
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

static int
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

static int
teardown(void **state)
{
	(void)state;
	upstreams_close(&a.all);
	upstreams_close(&b.all);
	up_table_close(&table);
	return 0;
}

static void
later(uint64_t ms)
{
	a.loop.now_ms += ms;
	b.loop.now_ms += ms;
}

static struct up_peer *
pick(struct side *s, struct up_search *se)
{
	struct up_peer *p = NULL;
	int full;

	return group_pick(s->group, se, &p, &full) == HOSTD_OK ? p : NULL;
}

static void
report(struct up_peer *p, struct up_search *se, int32_t rc, int32_t status)
{
	struct hostd_report r = { .struct_size = sizeof(r), .rc = rc,
	    .status = status, .header_us = status == 0 ? 0 : 800 };

	group_report(p, se, &r, rc == HOSTD_OK ? UP_WHY_NONE : UP_WHY_CONNECT,
	    rc == HOSTD_OK ? 0 : 111);
}

/* One request; the id of its server, 0: none. */
static uint32_t
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

static void
set_flags(unsigned i, uint32_t flags)
{
	up_table_begin(&table);
	entries[i]->flags = flags;
	up_table_end(&table);
}

/* -- who there is -- */

static void
peers_are_in_the_order_of_the_configuration(void **state)
{
	(void)state;
	assert_int_equal(ntold, 3);
	assert_int_equal(told[0].id, entries[0]->id);
	assert_int_equal(told[1].id, entries[1]->id);
	assert_int_equal(told[2].id, entries[2]->id);
	assert_memory_equal(told[0].addr.p, "192.0.2.9:80", told[0].addr.n);
	assert_int_equal(told[0].share, 256);
}

static void
only_ours_are_used(void **state)
{
	struct up_entry *e;

	(void)state;
	(void)entry_put("192.0.2.77:80", 0);
	e = entry_put("192.0.2.78:80", UP_ADDED);
	up_table_begin(&table);
	(void)snprintf(entry_put("192.0.2.79:80", UP_ADDED)->group,
	    UP_GROUP_MAX, "other");
	up_table_end(&table);
	group_look(a.group);
	assert_int_equal(ntold, 4);
	assert_int_equal(told[3].id, e->id);
	set_flags(0, UP_REMOVED);
	group_look(a.group);
	assert_int_equal(ntold, 3);
	assert_int_equal(told[0].id, entries[1]->id);
}

/* Bug: the second of them was searched for behind the end of the array. */
static void
several_come_at_once(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 5; i++)
		(void)entry_put("192.0.2.9:80", UP_ADDED);
	group_look(a.group);
	assert_int_equal(a.group->npeers, 8);
}

static void
nothing_changes_while_the_master_writes(void **state)
{
	(void)state;
	up_table_begin(&table);
	up_changed(&table);
	group_look(a.group);
	assert_int_equal(a.group->npeers, 3);
	up_table_end(&table);
	group_look(a.group);
	assert_int_equal(a.group->npeers, 3);
}

static void
update_is_called_when_something_differs(void **state)
{
	uint32_t was;

	(void)state;
	was = updates;
	up_changed(&table);
	group_look(a.group);
	assert_int_equal(updates, was);
	set_flags(1, UP_DOWN);
	group_look(a.group);
	assert_int_equal(updates, was + 1);
	assert_int_equal(told[1].flags, HOSTD_PEER_DOWN);
}

static void
one_that_has_left_is_reported(void **state)
{
	struct up_search se = { 0 };
	struct up_peer *p;

	(void)state;
	p = pick(&a, &se);
	assert_int_equal(p->id, entries[0]->id);
	set_flags(0, UP_REMOVED);
	group_look(a.group);
	assert_true(p->gone);
	assert_int_equal(up_inflight(&table, 1), 1);
	report(p, &se, HOSTD_OK, 200);
	assert_int_equal(up_inflight(&table, 1), 0);
	assert_int_equal(reports, 1);
}

/* -- counting -- */

static void
a_request_is_counted(void **state)
{
	struct up_search se = { 0 };
	struct up_sums sums;
	struct up_peer *p;

	(void)state;
	p = pick(&b, &se);
	assert_int_equal(up_inflight(&table, p->index), 1);
	assert_int_equal(peer_count(p)->inflight, 1);
	report(p, &se, HOSTD_OK, 200);
	up_sum(&table, p->index, &sums);
	assert_int_equal(sums.inflight, 0);
	assert_int_equal(sums.requests, 1);
	assert_int_equal(sums.header_us, 800);
	assert_int_equal(peer_health(p)->latency_us, 800);
	assert_int_equal(last_report.status, 200);
}

static void
a_latency_counts_by_the_age_of_the_average(void **state)
{
	struct up_search se = { 0 };
	struct up_peer *p;

	(void)state;
	p = pick(&b, &se);
	peer_latency(p, 8000);
	assert_int_equal(peer_health(p)->latency_us, 8000);
	peer_latency(p, 16000);
	assert_int_equal(peer_health(p)->latency_us, 9000);
	/* Half of ten seconds, and all of them. */
	later(5000);
	peer_latency(p, 1000);
	assert_int_equal(peer_health(p)->latency_us, 5000);
	later(10000);
	peer_latency(p, 2000);
	assert_int_equal(peer_health(p)->latency_us, 2000);
	report(p, &se, HOSTD_E_GONE, 0);
}

static void
max_conns_is_of_the_machine(void **state)
{
	struct up_search se[4] = { { 0 } };
	struct up_peer *p[4];
	int full, i;

	(void)state;
	up_table_begin(&table);
	for (i = 0; i < 3; i++)
		entries[i]->max_conns = 1;
	up_table_end(&table);
	p[0] = pick(&a, &se[0]);
	p[1] = pick(&b, &se[1]);
	p[2] = pick(&a, &se[2]);
	assert_int_equal(p[0]->id, entries[0]->id);
	assert_int_equal(p[1]->id, entries[1]->id);
	assert_int_equal(p[2]->id, entries[2]->id);
	assert_int_equal(group_pick(b.group, &se[3], &p[3], &full),
	    HOSTD_E_FULL);
	assert_true(full);
	report(p[1], &se[1], HOSTD_OK, 200);
	assert_int_equal(request(&a, HOSTD_OK), entries[1]->id);
	report(p[0], &se[0], HOSTD_OK, 200);
	report(p[2], &se[2], HOSTD_OK, 200);
}

static struct up_search other_search;
static struct up_peer *other_peer;

static void
other_worker_picks(void)
{
	memset(&other_search, 0, sizeof(other_search));
	other_peer = pick(&b, &other_search);
}

/* The last place is taken while we choose it. */
static void
max_conns_holds_when_workers_race(void **state)
{
	struct up_search se = { 0 };
	struct up_peer *p = NULL;
	int full;

	(void)state;
	up_table_begin(&table);
	entries[0]->max_conns = 1;
	entries[1]->flags = UP_DOWN;
	up_table_end(&table);
	meanwhile = other_worker_picks;
	p = pick(&a, &se);
	assert_int_equal(other_peer->id, entries[0]->id);
	assert_int_equal(p->id, entries[2]->id);
	assert_int_equal(up_inflight(&table, other_peer->index), 1);
	/* The balancer hears that its first choice came to nothing. */
	assert_int_equal(reports, 1);
	assert_int_equal(last_report.rc, HOSTD_E_FULL);
	report(p, &se, HOSTD_OK, 200);
	report(other_peer, &other_search, HOSTD_OK, 200);
	set_flags(2, UP_DOWN);
	memset(&se, 0, sizeof(se));
	meanwhile = other_worker_picks;
	assert_int_equal(group_pick(a.group, &se, &p, &full), HOSTD_E_FULL);
	assert_true(full);
	report(other_peer, &other_search, HOSTD_OK, 200);
	assert_int_equal(up_inflight(&table, other_peer->index), 0);
}

/* The same of the one request that tries a failed server again. */
static void
two_do_not_try_it_at_once(void **state)
{
	struct up_search se = { 0 };
	struct up_peer *p;

	(void)state;
	assert_int_equal(request(&a, HOSTD_E_IO), entries[0]->id);
	assert_int_equal(request(&a, HOSTD_E_IO), entries[0]->id);
	assert_int_equal(request(&a, HOSTD_OK), entries[1]->id);
	assert_int_equal(request(&b, HOSTD_OK), entries[1]->id);
	later(10000);
	meanwhile = other_worker_picks;
	p = pick(&a, &se);
	assert_int_equal(other_peer->id, entries[0]->id);
	assert_int_equal(p->id, entries[1]->id);
	report(p, &se, HOSTD_OK, 200);
	report(other_peer, &other_search, HOSTD_OK, 200);
}

static void
a_server_is_tried_once(void **state)
{
	struct up_search se = { 0 };
	struct up_peer *p;
	uint32_t seen[3];
	int i, full;

	(void)state;
	for (i = 0; i < 3; i++) {
		p = pick(&a, &se);
		seen[i] = p->id;
		report(p, &se, HOSTD_E_GONE, 0);
	}
	assert_int_not_equal(seen[0], seen[1]);
	assert_int_not_equal(seen[1], seen[2]);
	assert_int_not_equal(seen[0], seen[2]);
	assert_int_equal(group_pick(a.group, &se, &p, &full), HOSTD_E_FULL);
	assert_false(full);
}

/* -- failures -- */

static void
too_many_failures_are_seen_by_all(void **state)
{
	(void)state;
	assert_int_equal(request(&a, HOSTD_E_IO), entries[0]->id);
	assert_int_equal(request(&b, HOSTD_E_IO), entries[0]->id);
	assert_int_equal(request(&a, HOSTD_OK), entries[1]->id);
	assert_int_equal(request(&b, HOSTD_OK), entries[1]->id);
	assert_int_equal(told[0].flags, HOSTD_PEER_DOWN);
	assert_false(peer_is_up(group_peer(a.group, entries[0]->id),
	    a.loop.now_ms));
}

static void
failures_are_forgotten(void **state)
{
	(void)state;
	assert_int_equal(request(&a, HOSTD_E_IO), entries[0]->id);
	later(10001);
	assert_int_equal(request(&a, HOSTD_E_IO), entries[0]->id);
	assert_int_equal(request(&a, HOSTD_OK), entries[0]->id);
}

static void
fail_first(void)
{
	assert_int_equal(request(&a, HOSTD_E_IO), entries[0]->id);
	assert_int_equal(request(&a, HOSTD_E_IO), entries[0]->id);
	assert_int_equal(request(&a, HOSTD_OK), entries[1]->id);
	assert_int_equal(request(&b, HOSTD_OK), entries[1]->id);
}

static void
one_request_tries_it_again(void **state)
{
	struct up_search se = { 0 };
	struct up_peer *p;

	(void)state;
	fail_first();
	later(9999);
	assert_int_equal(request(&a, HOSTD_OK), entries[1]->id);
	later(1);
	p = pick(&b, &se);
	assert_int_equal(p->id, entries[0]->id);
	assert_int_equal(request(&a, HOSTD_OK), entries[1]->id);
	assert_int_equal(request(&b, HOSTD_OK), entries[1]->id);
	report(p, &se, HOSTD_OK, 200);
	assert_int_equal(request(&a, HOSTD_OK), entries[0]->id);
	assert_int_equal(request(&b, HOSTD_OK), entries[0]->id);
}

static void
a_failed_try_leaves_it_alone(void **state)
{
	(void)state;
	fail_first();
	later(10000);
	assert_int_equal(request(&b, HOSTD_E_TIMEOUT), entries[0]->id);
	assert_int_equal(request(&a, HOSTD_OK), entries[1]->id);
	later(9999);
	assert_int_equal(request(&a, HOSTD_OK), entries[1]->id);
	later(1);
	assert_int_equal(request(&a, HOSTD_OK), entries[0]->id);
}

static void
a_try_that_was_given_up_is_made_again(void **state)
{
	(void)state;
	fail_first();
	later(10000);
	assert_int_equal(request(&b, HOSTD_E_GONE), entries[0]->id);
	assert_int_equal(request(&a, HOSTD_OK), entries[0]->id);
	assert_int_equal(request(&b, HOSTD_OK), entries[0]->id);
}

/* It began before the failures, and says nothing of what is now. */
static void
an_old_success_changes_nothing(void **state)
{
	struct hostd_report r = { .struct_size = sizeof(r), .status = 200,
	    .total_us = 5000000 };
	struct up_search se = { 0 };
	struct up_peer *p;

	(void)state;
	p = pick(&b, &se);
	later(5000);
	fail_first();
	group_report(p, &se, &r, UP_WHY_NONE, 0);
	assert_int_equal(request(&a, HOSTD_OK), entries[1]->id);
}

static void
the_only_server_is_never_left_alone(void **state)
{
	int i;

	(void)state;
	set_flags(1, UP_REMOVED);
	set_flags(2, UP_REMOVED);
	for (i = 0; i < 5; i++)
		assert_int_equal(request(&a, HOSTD_E_IO), entries[0]->id);
	assert_int_equal(request(&a, HOSTD_OK), entries[0]->id);
}

static void
none_can_serve(void **state)
{
	struct up_search se = { 0 };
	struct up_peer *p;
	int full, i;

	(void)state;
	for (i = 0; i < 6; i++)
		assert_int_not_equal(request(i % 2 == 0 ? &a : &b, HOSTD_E_IO),
		    NOBODY);
	assert_int_equal(group_pick(a.group, &se, &p, &full), HOSTD_E_FULL);
	assert_false(full);
}

/* -- backups, draining -- */

static void
a_backup_serves_when_no_other_can(void **state)
{
	(void)state;
	set_flags(0, UP_BACKUP);
	assert_int_equal(request(&a, HOSTD_OK), entries[1]->id);
	assert_int_equal(told[0].flags, HOSTD_PEER_BACKUP | HOSTD_PEER_DOWN);
	set_flags(1, UP_DOWN);
	set_flags(2, UP_DRAINING);
	assert_int_equal(request(&a, HOSTD_OK), entries[0]->id);
	assert_int_equal(told[0].flags, HOSTD_PEER_BACKUP);
	assert_int_equal(told[2].flags, HOSTD_PEER_DRAINING);
}

static void
a_backup_serves_when_the_others_are_full(void **state)
{
	struct up_search se[3] = { { 0 } };
	struct up_peer *p[3];
	uint32_t was;

	(void)state;
	set_flags(2, UP_BACKUP);
	up_table_begin(&table);
	entries[0]->max_conns = entries[1]->max_conns = 1;
	up_table_end(&table);
	p[0] = pick(&a, &se[0]);
	p[1] = pick(&a, &se[1]);
	p[2] = pick(&a, &se[2]);
	assert_int_equal(p[2]->id, entries[2]->id);
	was = reports;
	report(p[2], &se[2], HOSTD_OK, 200);
	assert_int_equal(reports, was);		/* it was not asked */
	report(p[1], &se[1], HOSTD_OK, 200);
	report(p[0], &se[0], HOSTD_OK, 200);
	assert_int_equal(reports, was + 2);
}

static void
draining_ones_take_what_sticks(void **state)
{
	struct up_search se = { 0 };
	struct up_peer *p;

	(void)state;
	set_flags(0, UP_DRAINING);
	forced = entries[0]->id;
	se.has_key = 1;
	se.key.p = "k";
	se.key.n = 1;
	p = pick(&a, &se);
	assert_int_equal(p->id, entries[0]->id);
	report(p, &se, HOSTD_OK, 200);
	assert_int_equal(request(&a, HOSTD_OK), entries[1]->id);
}

static void
a_key_outlives_its_request(void **state)
{
	char text[] = "k", much[HOSTD_BALANCER_ROOM + 1] = "";
	struct up_search se = { .has_key = 1, .key = { text, 1 } };
	struct up_peer *p;

	(void)state;
	set_flags(0, UP_DRAINING);
	forced = entries[0]->id;
	group_forget(&se);
	text[0] = '\0';
	assert_int_equal(se.key.n, 1);
	assert_memory_equal(se.key.p, "k", 1);
	p = pick(&a, &se);
	assert_int_equal(p->id, entries[0]->id);
	report(p, &se, HOSTD_OK, 200);
	/* It is in room already, perhaps not at its start. */
	memcpy(se.room, "xkey", 4);
	se.key = (hostd_buf){ se.room + 1, 3 };
	group_forget(&se);
	assert_memory_equal(se.key.p, "key", 3);
	se.key = (hostd_buf){ much, sizeof(much) };
	group_forget(&se);
	assert_null(se.key.p);
}

/* -- a balancer's nonsense -- */

static void
nonsense_is_not_followed(void **state)
{
	struct up_search se = { 0 };
	struct up_peer *p;

	(void)state;
	forced = 4711;
	assert_int_not_equal(request(&a, HOSTD_OK), NOBODY);
	assert_int_equal(reports, 0);
	set_flags(0, UP_DOWN);
	forced = entries[0]->id;
	assert_int_not_equal(request(&a, HOSTD_OK), entries[0]->id);
	forced = entries[1]->id;
	p = pick(&a, &se);
	assert_int_equal(p->id, entries[1]->id);
	report(p, &se, HOSTD_E_IO, 0);
	p = pick(&a, &se);
	assert_int_equal(p->id, entries[2]->id);
	report(p, &se, HOSTD_OK, 200);
	assert_true(a.group->blamed);
}

static void
a_refused_update_leaves_the_rest(void **state)
{
	(void)state;
	update_rc = HOSTD_E_NOMEM;
	set_flags(0, UP_REMOVED);
	group_look(a.group);
	assert_true(a.group->refused);
	forced = entries[0]->id;
	assert_int_equal(request(&a, HOSTD_OK), entries[1]->id);
	forced = NOBODY;
	update_rc = 0;
	set_flags(0, 0);
	assert_int_equal(request(&a, HOSTD_OK), entries[0]->id);
	assert_false(a.group->refused);
}

/* -- slow start, checks -- */

static void
a_share_grows(void **state)
{
	uint32_t last;
	int i;

	(void)state;
	servers[0].slow_start = 10000;
	fail_first();
	later(10000);
	assert_int_equal(request(&b, HOSTD_OK), entries[0]->id);
	group_look(b.group);
	assert_int_equal(told[0].share, 1);
	for (last = 1, i = 0; i < 9; i++) {
		later(1000);
		group_look(b.group);
		assert_true(told[0].share > last && told[0].share < 256);
		last = told[0].share;
	}
	later(1000);
	group_look(b.group);
	assert_int_equal(told[0].share, 256);
	assert_int_equal(b.group->look_ms, 0);
}

static void
checks_decide(void **state)
{
	struct up_peer *p = group_peer(a.group, entries[0]->id);

	(void)state;
	app.health.type = CONF_CHECK_TCP;
	app.health.rise = 2;
	app.health.fall = 2;
	peer_checked(p, 1, 0, 0);
	peer_checked(p, 0, UP_WHY_STATUS, 503);
	assert_int_equal(request(&b, HOSTD_OK), entries[0]->id);
	peer_checked(p, 1, 0, 0);
	peer_checked(p, 0, UP_WHY_STATUS, 503);
	assert_int_equal(request(&b, HOSTD_OK), entries[0]->id);
	peer_checked(p, 0, UP_WHY_STATUS, 503);
	assert_int_equal(request(&b, HOSTD_OK), entries[1]->id);
	peer_checked(p, 1, 0, 0);
	assert_int_equal(request(&b, HOSTD_OK), entries[1]->id);
	peer_checked(p, 1, 0, 0);
	assert_int_equal(request(&b, HOSTD_OK), entries[0]->id);
	/* What nobody checks any more is not down for ever. */
	peer_checked(p, 0, UP_WHY_STATUS, 503);
	peer_checked(p, 0, UP_WHY_STATUS, 503);
	assert_int_equal(request(&b, HOSTD_OK), entries[1]->id);
	app.health.type = CONF_CHECK_NONE;
	up_changed(&table);
	assert_int_equal(request(&b, HOSTD_OK), entries[0]->id);
}

static void
groups_end_once(void **state)
{
	(void)state;
	upstreams_close(&a.all);
	assert_int_equal(closes, 1);
	upstreams_init(&a.all, &a.loop, &conf, &table, 0);
	assert_null(upstreams_find(&a.all, "ap", 2));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(peers_are_in_the_order_of_the_configuration),
		TEST(only_ours_are_used),
		TEST(several_come_at_once),
		TEST(nothing_changes_while_the_master_writes),
		TEST(update_is_called_when_something_differs),
		TEST(one_that_has_left_is_reported),
		TEST(a_request_is_counted),
		TEST(a_latency_counts_by_the_age_of_the_average),
		TEST(max_conns_is_of_the_machine),
		TEST(max_conns_holds_when_workers_race),
		TEST(two_do_not_try_it_at_once),
		TEST(a_server_is_tried_once),
		TEST(too_many_failures_are_seen_by_all),
		TEST(failures_are_forgotten),
		TEST(one_request_tries_it_again),
		TEST(a_failed_try_leaves_it_alone),
		TEST(a_try_that_was_given_up_is_made_again),
		TEST(an_old_success_changes_nothing),
		TEST(the_only_server_is_never_left_alone),
		TEST(none_can_serve),
		TEST(a_backup_serves_when_no_other_can),
		TEST(a_backup_serves_when_the_others_are_full),
		TEST(draining_ones_take_what_sticks),
		TEST(a_key_outlives_its_request),
		TEST(nonsense_is_not_followed),
		TEST(a_refused_update_leaves_the_rest),
		TEST(a_share_grows),
		TEST(checks_decide),
		TEST(groups_end_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
