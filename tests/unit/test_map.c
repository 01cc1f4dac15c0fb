/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps: as a list of pairs would be, whatever the order of changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/map.h"

#define N 2000

static struct map map;
static int values[N];

static int
teardown(void **state)
{
	(void)state;
	map_free(&map);
	return 0;
}

static void
an_empty_map_has_nothing(void **state)
{
	size_t it = 0;

	(void)state;
	assert_null(map_get(&map, "a", 1));
	assert_null(map_get(&map, "", 0));
	assert_null(map_del(&map, "a", 1));
	assert_null(map_next(&map, &it));
	map_free(&map);
}

static void
puts_gets_and_deletes(void **state)
{
	(void)state;
	assert_null(map_put(&map, "a", 1, &values[1]));
	assert_ptr_equal(map_get(&map, "a", 1), &values[1]);
	assert_ptr_equal(map_put(&map, "a", 1, &values[2]), &values[1]);
	assert_ptr_equal(map_get(&map, "a", 1), &values[2]);
	assert_int_equal(map.n, 1);
	assert_ptr_equal(map_del(&map, "a", 1), &values[2]);
	assert_null(map_get(&map, "a", 1));
	assert_null(map_del(&map, "a", 1));
	assert_int_equal(map.n, 0);
}

/* Neither a beginning nor a continuation of a key is that key. */
static void
keys_are_bytes(void **state)
{
	static const char *const keys[] = {"", "\0", "\0\0", "a", "a\0", "a\0b",
	    "ab", "\xff", "\xff\xff", "1234567", "12345678", "123456789",
	    "123456789012345", "1234567890123456", "12345678901234567",
	    "12345678901234567890123456789012"};
	static const size_t lens[] = {
	    0, 1, 2, 1, 2, 3, 2, 1, 2, 7, 8, 9, 15, 16, 17, 32};
	const size_t n = sizeof(keys) / sizeof(keys[0]);
	size_t i;

	(void)state;
	for (i = 0; i < n; i++)
		assert_null(map_put(&map, keys[i], lens[i], &values[i]));
	assert_int_equal(map.n, n);
	for (i = 0; i < n; i++)
		assert_ptr_equal(map_get(&map, keys[i], lens[i]), &values[i]);
	assert_null(map_get(&map, "\0\0\0", 3));
	assert_null(map_get(&map, "1234567890123456789012345678901", 31));
}

static void
keys_are_copies(void **state)
{
	char key[] = "key?";
	struct map_entry *e;
	size_t it = 0;

	(void)state;
	(void)map_put(&map, key, 3, &values[0]);
	memset(key, 'x', sizeof(key));
	assert_ptr_equal(map_get(&map, "key", 3), &values[0]);
	e = map_next(&map, &it);
	assert_string_equal(e->key, "key");
	assert_int_equal(e->len, 3);
}

static size_t
name(char *key, unsigned i)
{
	return (size_t)sprintf(key, "%x-%u", i * 2654435761u, i);
}

static void
assert_all(const unsigned char *there)
{
	unsigned char seen[N] = {0};
	struct map_entry *e;
	size_t it = 0, n = 0, len;
	char key[32];
	unsigned i;

	for (i = 0; i < N; i++) {
		len = name(key, i);
		assert_ptr_equal(map_get(&map, key, len),
		    there[i] ? (void *)&values[i] : NULL);
		n += there[i];
	}
	assert_int_equal(map.n, n);
	while ((e = map_next(&map, &it)) != NULL) {
		i = (unsigned)((int *)e->value - values);
		assert_true(i < N && there[i]);
		assert_int_equal(seen[i]++, 0);
		n--;
	}
	assert_int_equal(n, 0);
}

/* Gaps of deleted entries must not hide those behind them. */
static void
survives_any_order_of_changes(void **state)
{
	static unsigned char there[N];
	unsigned long random = 1;
	char key[32];
	unsigned i, round;
	size_t len;

	(void)state;
	for (round = 0; round < 40000; round++) {
		random = random * 6364136223846793005ul + 1442695040888963407ul;
		i = (unsigned)(random >> 33) % (round < 20000 ? N : 50);
		len = name(key, i);
		if ((random >> 20 & 3) != 0) {
			assert_ptr_equal(map_put(&map, key, len, &values[i]),
			    there[i] ? (void *)&values[i] : NULL);
			there[i] = 1;
		} else {
			assert_ptr_equal(map_del(&map, key, len),
			    there[i] ? (void *)&values[i] : NULL);
			there[i] = 0;
		}
		if (round % 4000 == 0)
			assert_all(there);
	}
	assert_all(there);
	for (i = 0; i < N; i++) {
		len = name(key, i);
		(void)map_del(&map, key, len);
		there[i] = 0;
	}
	assert_all(there);
}

static void
a_null_value_is_as_good_as_absent(void **state)
{
	(void)state;
	(void)map_put(&map, "a", 1, NULL);
	assert_null(map_get(&map, "a", 1));
	assert_int_equal(map.n, 1);
	assert_null(map_put(&map, "a", 1, &values[0]));
	assert_int_equal(map.n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_teardown(f, teardown)
	    T(an_empty_map_has_nothing),
	    T(puts_gets_and_deletes),
	    T(keys_are_bytes),
	    T(keys_are_copies),
	    T(survives_any_order_of_changes),
	    T(a_null_value_is_as_good_as_absent),
	};

	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
