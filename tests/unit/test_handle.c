/* SPDX-License-Identifier: BSD-2-Clause */
/* Handles: a stale name is noticed, whoever sits in its place now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/handle.h"

static struct handle_table table;
static int objects[1000];

static int
setup(void **state)
{
	(void)state;
	memset(&table, 0, sizeof(table));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	handle_table_free(&table);
	return 0;
}

static void
an_empty_table_has_nothing(void **state)
{
	static const uint64_t ids[] = {0, 1, UINT32_MAX, UINT64_C(1) << 32,
	    (UINT64_C(1) << 32) + 1, UINT64_MAX};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		assert_null(handle_get(&table, ids[i]));
		handle_free(&table, ids[i]);
	}
	assert_int_equal(table.nused, 0);
	assert_int_equal(table.stale, 12);
}

static void
names_what_it_was_given(void **state)
{
	uint64_t ids[1000];
	size_t i, k;

	(void)state;
	for (i = 0; i < 1000; i++) {
		ids[i] = handle_new(&table, &objects[i]);
		assert_true(ids[i] != 0);
	}
	assert_int_equal(table.nused, 1000);
	for (i = 0; i < 1000; i++) {
		assert_ptr_equal(handle_get(&table, ids[i]), &objects[i]);
		for (k = 0; k < i; k++)
			assert_true(ids[k] != ids[i]);
	}
	assert_int_equal(table.stale, 0);
}

static void
a_stale_name_names_nothing(void **state)
{
	uint64_t old = handle_new(&table, &objects[0]), new;

	(void)state;
	handle_free(&table, old);
	assert_null(handle_get(&table, old));
	new = handle_new(&table, &objects[1]);
	assert_int_equal((uint32_t) new, (uint32_t)old);
	assert_true(new != old);
	assert_null(handle_get(&table, old));
	/* Freeing it again does not free the new one. */
	handle_free(&table, old);
	assert_ptr_equal(handle_get(&table, new), &objects[1]);
	assert_int_equal(table.nused, 1);
	assert_int_equal(table.stale, 3);
}

static void
near_misses(void **state)
{
	uint64_t id = handle_new(&table, &objects[0]);

	(void)state;
	assert_null(handle_get(&table, id + 1));
	assert_null(handle_get(&table, id - 1));
	assert_null(handle_get(&table, id + (UINT64_C(1) << 32)));
	assert_null(handle_get(&table, id - (UINT64_C(1) << 32)));
	assert_null(handle_get(&table, id | 0xffffffff));
	assert_null(handle_get(&table, id & 0xffffffff));
	assert_null(handle_get(&table, id & ~UINT64_C(0xffffffff)));
	assert_ptr_equal(handle_get(&table, id), &objects[0]);
}

static void
respects_its_bound(void **state)
{
	uint64_t a, b;

	(void)state;
	table.max = 2;
	a = handle_new(&table, &objects[0]);
	b = handle_new(&table, &objects[1]);
	assert_true(a != 0 && b != 0);
	assert_true(handle_new(&table, &objects[2]) == 0);
	handle_free(&table, a);
	a = handle_new(&table, &objects[2]);
	assert_ptr_equal(handle_get(&table, a), &objects[2]);
	assert_true(handle_new(&table, &objects[3]) == 0);
}

/* After 2^32 uses of a slot its names start again, but never with 0. */
static void
generations_wrap_around(void **state)
{
	uint64_t id = handle_new(&table, &objects[0]), last;

	(void)state;
	handle_free(&table, id);
	table.slots[(uint32_t)id - 1].gen = UINT32_MAX;
	last = handle_new(&table, &objects[1]);
	assert_int_equal(last >> 32, UINT32_MAX);
	assert_ptr_equal(handle_get(&table, last), &objects[1]);
	handle_free(&table, last);
	id = handle_new(&table, &objects[2]);
	assert_int_equal(id >> 32, 1);
	assert_null(handle_get(&table, last));
	assert_ptr_equal(handle_get(&table, id), &objects[2]);
}

static void
slots_are_used_again(void **state)
{
	uint64_t ids[64];
	int i, round;

	(void)state;
	for (round = 0; round < 100; round++) {
		for (i = 0; i < 64; i++)
			ids[i] = handle_new(&table, &objects[i]);
		for (i = 0; i < 64; i++)
			handle_free(&table, ids[round % 2 ? i : 63 - i]);
	}
	assert_int_equal(table.nslots, 64);
	assert_int_equal(table.nused, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(an_empty_table_has_nothing),
	    T(names_what_it_was_given),
	    T(a_stale_name_names_nothing),
	    T(near_misses),
	    T(respects_its_bound),
	    T(generations_wrap_around),
	    T(slots_are_used_again),
	};

	return cmocka_run_group_tests_name("handle", tests, NULL, NULL);
}
