/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of session_memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <session_memory/table.h>

#define MANY	5000

static hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static int
setup(void **state)
{
	static struct table t;

	*state = &t;
	return table_init(&t);
}

static int
teardown(void **state)
{
	table_free(*state);
	return 0;
}

static void
test_values(void **state)
{
	struct table *t = *state;
	const struct entry *e;

	assert_null(table_find(t, text("a"), 0));
	assert_non_null(table_put(t, text("a"), text("one"), 10));
	assert_non_null(table_put(t, text("b"), text(""), 10));
	assert_non_null(table_put(t, text("a"), text("two"), 20));
	assert_int_equal(t->n, 2);
	e = table_find(t, text("a"), 15);
	assert_non_null(e);
	assert_int_equal(e->value.n, 3);
	assert_memory_equal(e->value.p, "two", 3);
	table_remove(t, text("a"));
	table_remove(t, text("a"));
	assert_null(table_find(t, text("a"), 0));
	assert_int_equal(t->n, 1);
}

static void
test_end(void **state)
{
	struct table *t = *state;

	(void)table_put(t, text("a"), text("v"), 10);
	assert_non_null(table_find(t, text("a"), 9));
	assert_null(table_find(t, text("a"), 10));
	assert_int_equal(t->n, 0);
}

static void
put_many(struct table *t)
{
	char key[16];
	int i;

	for (i = 0; i < MANY; i++) {
		(void)snprintf(key, sizeof(key), "%d", i);
		assert_non_null(table_put(t, text(key), text(key),
		    (uint64_t)i + 1));
	}
}

static void
test_many(void **state)
{
	struct table *t = *state;
	const struct entry *e;
	char key[16];
	int i;

	put_many(t);
	assert_int_equal(t->n, MANY);
	for (i = 0; i < MANY; i++) {
		(void)snprintf(key, sizeof(key), "%d", i);
		e = table_find(t, text(key), 0);
		assert_non_null(e);
		assert_int_equal(e->value.n, strlen(key));
		assert_memory_equal(e->value.p, key, strlen(key));
	}
}

static void
test_sweep(void **state)
{
	struct table *t = *state;
	size_t i;

	put_many(t);
	/* In parts, all of it is looked at. */
	for (i = 0; i < 16; i++)
		table_sweep(t, t->nbuckets / 16, MANY / 2);
	assert_int_equal(t->n, MANY / 2);
	table_sweep(t, t->nbuckets, MANY);
	assert_int_equal(t->n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sweep, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
