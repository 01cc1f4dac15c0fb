/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups of servers, as two workers see them: who there is, what is counted,
 * and that a balancer's nonsense does no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "group_case.h"

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
		TEST(nonsense_is_not_followed),
		TEST(a_refused_update_leaves_the_rest),
		TEST(a_share_grows),
		TEST(checks_decide),
		TEST(groups_end_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
