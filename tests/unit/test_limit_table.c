/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of limits: buckets, places, and what an ended worker leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "limit/table.h"
#include "limit/use.h"

#define COST	1000u	/* us of one */
#define NOW	1000000000u

static struct limit_table t;
static struct limit_count n;

static int
setup(void **state)
{
	(void)state;
	assert_int_equal(limit_table_create(&t), 0);
	memset(&n, 0, sizeof(n));
	limit_table_join(&t, 0);
	limit_table_join(&t, 1);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	limit_table_close(&t);
	return 0;
}

static int64_t
take(uint64_t key, unsigned burst, uint64_t at)
{
	return limit_rate_take(&t, &n, key, COST, COST * burst, NOW + at);
}

static void
buckets_drain(void **state)
{
	(void)state;
	assert_int_equal(take(1, 2, 0), 0);
	assert_int_equal(take(1, 2, 0), COST);
	assert_int_equal(take(1, 2, 0), 2 * COST);
	assert_int_equal(take(1, 2, 0), -(int64_t)COST);
	assert_int_equal(take(2, 2, 0), 0);
	assert_int_equal(take(1, 2, 400), -600);
	assert_int_equal(take(1, 2, COST), 2 * COST);
	/* When it is empty, waiting longer gains nothing. */
	assert_int_equal(take(1, 0, 100 * COST), 0);
	assert_int_equal(take(1, 0, 100 * COST), -(int64_t)COST);
	limit_rate_give(&t, 1, COST);
	assert_int_equal(take(1, 0, 100 * COST), 0);
}

/* What is there may be of a larger burst, or nonsense. */
static void
buckets_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(take(1, 100, 0), 0);
	while (take(1, 100, 0) >= 0)
		;
	assert_int_equal(take(1, 2, 0), -(int64_t)COST);
	atomic_store(&t.rates[1].until[0], UINT64_MAX);
	assert_int_equal(take(1, 2, 0), -(int64_t)COST);
	atomic_store(&t.rates[1].until[0], 0);
	limit_rate_give(&t, 1, COST);
	assert_int_equal(take(1, 2, 0), 0);
}

/* All of one set. */
static void
the_first_to_drain_goes(void **state)
{
	uint64_t i;

	(void)state;
	for (i = 0; i < LIMIT_WAYS; i++)
		assert_int_equal(take(5 + i * LIMIT_SETS, 0, i), 0);
	assert_int_equal(take(5 + i * LIMIT_SETS, 0, i), 0);
	assert_int_equal(n.evicted, 1);
	/* The second is known still, the first is not. */
	assert_true(take(5 + LIMIT_SETS, 0, i) < 0);
	assert_int_equal(take(5, 0, i), 0);
	/* What has drained goes and is not missed. */
	assert_int_equal(take(5 + 100 * LIMIT_SETS, 0, 100 * COST), 0);
	assert_int_equal(n.evicted, 2);
}

static int32_t
enter(unsigned cell, uint64_t key, uint32_t max)
{
	return limit_place_take(&t, &n, cell, key, max);
}

static void
places_are_the_machines(void **state)
{
	int32_t a, b;

	(void)state;
	a = enter(0, 7, 2);
	b = enter(1, 7, 2);
	assert_true(a >= 0);
	assert_int_equal(a, b);
	assert_int_equal(enter(0, 7, 2), LIMIT_FULL);
	assert_true(enter(0, 8, 2) >= 0);
	limit_place_give(&t, 1, b);
	assert_true(enter(0, 7, 2) >= 0);
	assert_int_equal(enter(1, 7, 2), LIMIT_FULL);
	/* Cell 0 has both, and ends. */
	limit_table_retire(&t, 0);
	assert_true(enter(1, 7, 2) >= 0);
	assert_true(enter(1, 7, 2) >= 0);
	assert_int_equal(enter(1, 7, 2), LIMIT_FULL);
}

static void
places_that_are_taken_stay(void **state)
{
	int32_t first = LIMIT_FULL;
	uint64_t i;

	(void)state;
	for (i = 0; i < LIMIT_WAYS; i++) {
		assert_true(enter(1, 9 + i * LIMIT_SETS, 1) >= 0);
		if (i == 0)
			first = enter(0, 9, 2);
	}
	assert_int_equal(enter(0, 9 + i * LIMIT_SETS, 1), LIMIT_UNCOUNTED);
	assert_int_equal(n.uncounted, 1);
	limit_place_give(&t, 0, LIMIT_UNCOUNTED);
	limit_place_give(&t, 0, first);
	assert_int_equal(enter(0, 9 + i * LIMIT_SETS, 1), LIMIT_UNCOUNTED);
	limit_place_give(&t, 1, first);
	assert_int_equal(enter(0, 9 + i * LIMIT_SETS, 1), first);
}

#define CHILDREN 4
#define TURNS	20000

/* Whoever is in has it for himself; nobody leaves anything. */
static void
compete(unsigned cell, _Atomic uint32_t *inside)
{
	int32_t place;
	int i;

	for (i = 0; i < TURNS; i++) {
		if ((place = enter(cell, 11, 1)) == LIMIT_FULL)
			continue;
		if (place < 0 || atomic_fetch_add(inside, 1) != 0)
			_exit(1);
		atomic_fetch_sub(inside, 1);
		limit_place_give(&t, cell, place);
	}
	for (i = 0; i < TURNS; i++)
		(void)take(11, TURNS, 0);
	_exit(0);
}

static void
processes_compete(void **state)
{
	int i, status;

	(void)state;
	for (i = 0; i < CHILDREN; i++)
		limit_table_join(&t, (unsigned)i);
	for (i = 0; i < CHILDREN; i++)
		if (fork() == 0)
			compete((unsigned)i, &t.head->shed);
	for (i = 0; i < CHILDREN; i++) {
		assert_int_not_equal(wait(&status), -1);
		assert_int_equal(status, 0);
	}
	assert_true(enter(0, 11, 1) >= 0);
	/* Of CHILDREN * TURNS one and a burst were let in. */
	assert_int_equal(take(11, TURNS, 0), -(int64_t)COST);
	assert_int_equal(take(11, TURNS, COST), TURNS * COST);
}

static void
zones_count(void **state)
{
	struct limit_count sum;
	int z = limit_zone_add(&t, LIMIT_REQ, "a");

	(void)state;
	assert_int_equal(limit_zone_find(&t, LIMIT_REQ, "a"), z);
	assert_int_equal(limit_zone_find(&t, LIMIT_CONN, "a"), -1);
	limit_count_of(&t, 0, (unsigned)z)->passed = 3;
	limit_count_of(&t, 1, (unsigned)z)->uncounted = 4;
	limit_table_retire(&t, 0);
	limit_sum(&t, (unsigned)z, &sum);
	assert_int_equal(sum.passed, 3);
	assert_int_equal(sum.uncounted, 4);
	limit_zone_free(&t, (unsigned)z);
	assert_int_equal(limit_zone_find(&t, LIMIT_REQ, "a"), -1);
	limit_sum(&t, (unsigned)z, &sum);
	assert_int_equal(sum.passed + sum.uncounted, 0);
}

/* Nobody outside can choose keys that share a set. */
static void
hashes_are_the_tables_own(void **state)
{
	struct limit_table other;
	uint64_t a, b;

	(void)state;
	assert_int_equal(limit_table_create(&other), 0);
	a = limit_hash(&t, 1, "192.0.2.1", 9);
	b = limit_hash(&other, 1, "192.0.2.1", 9);
	assert_int_not_equal(a, b);
	assert_int_equal(limit_hash(&t, 1, "192.0.2.1", 9), a);
	assert_int_not_equal(limit_hash(&t, 2, "192.0.2.1", 9), a);
	limit_table_close(&other);
}

static void
use_is_told_by_zone(void **state)
{
	struct limit_use uses[LIMIT_ZONES];
	uint64_t a = limit_key(0, 77), last = limit_key(LIMIT_ZONES - 1, 77);

	(void)state;
	assert_int_equal(limit_key_zone(a), 0);
	assert_int_equal(limit_key_zone(last), LIMIT_ZONES - 1);
	assert_int_equal(limit_key_zone(limit_key(-1, UINT64_MAX)), -1);
	assert_int_not_equal(limit_key(-1, (uint64_t)1 << LIMIT_HASH_BITS), 0);
	assert_int_equal(limit_key_zone(UINT64_MAX), -1);

	assert_int_equal(take(a, 0, 0), 0);
	assert_int_equal(take(a + 1, 0, 5), 0);
	assert_int_equal(take(last, 0, 0), 0);
	assert_true(enter(0, last, 3) >= 0 && enter(1, last, 3) >= 0);
	limit_uses(&t, NOW, uses);
	assert_int_equal(uses[0].keys, 2);
	assert_int_equal(uses[0].taken, 0);
	assert_int_equal(uses[LIMIT_ZONES - 1].keys, 2);
	assert_int_equal(uses[LIMIT_ZONES - 1].taken, 2);
	limit_uses(&t, NOW + COST, uses);
	assert_int_equal(uses[0].keys, 1);

	assert_int_equal(limit_rate_forget(&t, a + 2, NOW), 0);
	assert_int_equal(limit_rate_forget(&t, a, NOW), 1);
	assert_int_equal(take(a, 0, 0), 0);
	assert_true(take(a + 1, 0, 5) < 0);
	assert_int_equal(limit_rates_forget(&t, 0, NOW), 2);
	assert_int_equal(take(a + 1, 0, 5), 0);
	assert_true(take(last, 0, 0) < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(buckets_drain, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(buckets_are_bounded, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(the_first_to_drain_goes, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(places_are_the_machines, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(places_that_are_taken_stay,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(processes_compete, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(zones_count, setup, teardown),
		cmocka_unit_test_setup_teardown(hashes_are_the_tables_own,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(use_is_told_by_zone, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
