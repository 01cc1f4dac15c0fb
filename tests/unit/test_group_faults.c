/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups of servers, as two workers see them: who can serve when some fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "group_case.h"

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

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
