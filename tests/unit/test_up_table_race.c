/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of servers: one gets the last place, and one leads. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "up_table_case.h"

/* -- the last place -- */

/* What others do while one of them waits; ours instead of the library's. */
static void (*meanwhile)(void);
static int waits;

int
sched_yield(void)
{
	waits++;
	if (meanwhile != NULL)
		meanwhile();
	else
		(void)syscall(SYS_sched_yield);
	return 0;
}

/* Of cell 1, which is about to take a place. */
static void
steps_in(void)
{
	up_count_of(&table, 1, 0)->taking = 1;
	up_count_of(&table, 1, 0)->inflight++;
}

static void
steps_back(void)
{
	meanwhile = NULL;
	up_count_of(&table, 1, 0)->inflight--;
	up_count_of(&table, 1, 0)->taking = 0;
}

static void
stays(void)
{
	meanwhile = NULL;
	up_count_of(&table, 1, 0)->taking = 0;
}

/* It sees that nobody is there but itself. */
static void
has_the_way(void)
{
	assert_int_equal(up_inflight(&table, 0), 1);
	steps_back();
}

/* Bug: each added itself, saw too many, and went back. */
static void
the_first_waits_for_the_others(void **state)
{
	(void)state;
	(void)put("app", "a:1");
	up_table_join(&table, 2);
	waits = 0;
	steps_in();
	meanwhile = steps_back;
	assert_int_equal(up_take(&table, 0, 0, 1), 0);
	assert_int_equal(up_inflight(&table, 0), 1);
	assert_int_equal(waits, 1);
	up_count_of(&table, 0, 0)->inflight = 0;
	/* It was there before. */
	steps_in();
	meanwhile = stays;
	assert_int_equal(up_take(&table, 0, 0, 1), -1);
	assert_int_equal(up_inflight(&table, 0), 1);
	assert_int_equal(waits, 2);
}

static void
the_others_come_again_behind_the_first(void **state)
{
	(void)state;
	(void)put("app", "a:1");
	up_table_join(&table, 2);
	steps_in();
	meanwhile = has_the_way;
	assert_int_equal(up_take(&table, 2, 0, 1), 0);
	assert_int_equal(up_inflight(&table, 0), 1);
	up_count_of(&table, 2, 0)->inflight = 0;
	steps_in();
	meanwhile = stays;
	assert_int_equal(up_take(&table, 2, 0, 1), -1);
	assert_int_equal(up_inflight(&table, 0), 1);
}

#define TAKERS	3
#define ROUNDS	400

struct taker {
	pthread_t thread;
	unsigned cell;
};

static atomic_uint at_start, at_end;
static atomic_int winners[ROUNDS + 1];

/* Nobody goes on before all are here for the nth time. */
static void
meet(atomic_uint *here, unsigned n)
{
	atomic_fetch_add(here, 1);
	while (atomic_load(here) < n * TAKERS)
		(void)sched_yield();
}

static void *
takes(void *arg)
{
	struct taker *me = arg;
	unsigned n;
	int got;

	for (n = 1; n <= ROUNDS; n++) {
		meet(&at_start, n);
		got = up_take(&table, me->cell, 0, 1) == 0;
		meet(&at_end, n);
		if (!got)
			continue;
		atomic_fetch_add(&winners[n], 1);
		atomic_fetch_sub(&up_count_of(&table, me->cell, 0)->inflight,
		    1);
	}
	return NULL;
}

static void
one_gets_the_last_place(void **state)
{
	struct taker all[TAKERS] = { { .cell = 0 }, { .cell = 1 },
		{ .cell = 2 } };
	int i;

	(void)state;
	(void)put("app", "a:1");
	up_table_join(&table, TAKERS - 1);
	memset(winners, 0, sizeof(winners));
	atomic_store(&at_start, 0);
	atomic_store(&at_end, 0);
	for (i = 0; i < TAKERS; i++)
		assert_int_equal(pthread_create(&all[i].thread, NULL, takes,
		    &all[i]), 0);
	for (i = 0; i < TAKERS; i++)
		assert_int_equal(pthread_join(all[i].thread, NULL), 0);
	for (i = 1; i <= ROUNDS; i++)
		assert_int_equal(winners[i], 1);
	assert_int_equal(up_inflight(&table, 0), 0);
}

static void
a_full_one_is_full(void **state)
{
	struct up_count *c;

	(void)state;
	(void)put("app", "a:1");
	up_table_join(&table, 2);
	c = up_count_of(&table, 1, 0);
	assert_int_equal(up_take(&table, 1, 0, 2), 0);
	assert_int_equal(up_take(&table, 2, 0, 2), 0);
	assert_int_equal(up_take(&table, 0, 0, 2), -1);
	assert_int_equal(up_take(&table, 1, 0, 2), -1);
	assert_int_equal(up_inflight(&table, 0), 2);
	/* One that was stopped half-way, or has gone bad. */
	c->taking = 1;
	waits = 0;
	assert_int_equal(up_take(&table, 0, 0, 2), -1);
	assert_in_range(waits, 1, 1000);
	assert_int_equal(up_take(&table, 2, 0, 2), -1);
	assert_int_equal(up_take(&table, 2, 0, 3), 0);
	assert_int_equal(up_inflight(&table, 0), 3);
}

/* -- who leads -- */

static void
one_leads(void **state)
{
	(void)state;
	assert_int_equal(up_lead(&table, 0, 10, 10, 1000), 1);
	assert_int_equal(up_lead(&table, 1, 9, 10, 1000), 0);
	assert_int_equal(up_lead(&table, 0, 10, 10, 1000 + UP_LEASE_MS - 1), 1);
	assert_int_equal(up_lead(&table, 1, 9, 10, 1000 + UP_LEASE_MS), 0);
}

static void
a_newer_one_takes_over(void **state)
{
	(void)state;
	assert_int_equal(up_lead(&table, 0, 10, 10, 1000), 1);
	assert_int_equal(up_lead(&table, 1, 11, 11, 1001), 1);
	assert_int_equal(up_lead(&table, 0, 10, 11, 1002), 0);
	assert_int_equal(up_lead(&table, 1, 11, 11, 1003), 1);
	/* And an older one, when all are to go back. */
	assert_int_equal(up_lead(&table, 0, 10, 10, 1004), 1);
	assert_int_equal(up_lead(&table, 1, 11, 10, 1005), 0);
}

static void
a_lease_ends(void **state)
{
	(void)state;
	assert_int_equal(up_lead(&table, 0, 10, 10, 1000), 1);
	assert_int_equal(up_lead(&table, 1, 9, 10, 999 + UP_LEASE_MS), 0);
	assert_int_equal(up_lead(&table, 1, 9, 10, 1000 + UP_LEASE_MS), 1);
	/* The one that was away is what all are to be. */
	assert_int_equal(up_lead(&table, 0, 10, 10, 1001 + UP_LEASE_MS), 1);
	assert_int_equal(up_lead(&table, 1, 9, 10, 1002 + UP_LEASE_MS), 0);
}

static void
a_lease_is_given_back(void **state)
{
	(void)state;
	assert_int_equal(up_lead(&table, 0, 10, 10, 1000), 1);
	up_lead_end(&table, 1);
	assert_int_equal(up_lead(&table, 1, 9, 10, 1000), 0);
	up_lead_end(&table, 0);
	assert_int_equal(up_lead(&table, 1, 9, 10, 1000), 1);
	up_table_retire(&table, 1);
	assert_int_equal(up_lead(&table, 2, 8, 10, 1000), 1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_first_waits_for_the_others),
		T(the_others_come_again_behind_the_first),
		T(one_gets_the_last_place),
		T(a_full_one_is_full),
		T(one_leads),
		T(a_newer_one_takes_over),
		T(a_lease_ends),
		T(a_lease_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
