/* SPDX-License-Identifier: BSD-2-Clause */
/* What workers say of what they depend on, put together; and whether they
 * turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/dependency.h"

static struct board board;
static struct dependency all[DEPENDENCIES_MAX];

static int
setup(void **state)
{
	(void)state;
	return board_create(&board);
}

static int
teardown(void **state)
{
	(void)state;
	board_close(&board);
	return 0;
}

static struct board_cell *
worker(const char *pool, uint32_t state)
{
	struct board_cell *c = &board.cells[board_cell_take(&board)];

	(void)snprintf(c->pool, sizeof(c->pool), "%s", pool);
	c->state = state;
	return c;
}

static struct board_dependency *
redis_of(struct board_cell *c, uint32_t state)
{
	struct board_dependency *d = dependency_declare(c, "redis", "store", 1);

	assert_non_null(d);
	dependency_set(d, state, "why", 3);
	return d;
}

static void
one_that_is_down_decides(void **state)
{
	struct board_dependency *a, *b;

	(void)state;
	a = redis_of(worker("web", CELL_READY), DEPENDENCY_UP);
	b = redis_of(worker("web", CELL_READY), DEPENDENCY_UNKNOWN);
	assert_int_equal(dependencies_sum(&board, all), 1);
	assert_int_equal(all[0].state, DEPENDENCY_UP);
	assert_string_equal(all[0].name, "redis");
	assert_string_equal(all[0].plugin, "store");
	assert_string_equal(all[0].detail, "why");
	assert_int_equal(all[0].flags & BOARD_DEPENDENCY_REQUIRED,
	    BOARD_DEPENDENCY_REQUIRED);
	dependency_set(b, DEPENDENCY_DOWN, "refused", 7);
	assert_int_equal(dependencies_sum(&board, all), 1);
	assert_int_equal(all[0].state, DEPENDENCY_DOWN);
	assert_string_equal(all[0].detail, "refused");
	dependency_set(b, DEPENDENCY_UNUSED, NULL, 0);
	assert_int_equal(dependencies_sum(&board, all), 1);
	assert_int_equal(all[0].state, DEPENDENCY_UP);
	dependency_set(a, DEPENDENCY_UNUSED, NULL, 0);
	assert_int_equal(dependencies_sum(&board, all), 0);
}

static void
workers_that_serve_are_asked_first(void **state)
{
	struct board_cell *c;

	(void)state;
	c = worker("web", CELL_STARTING);
	redis_of(c, DEPENDENCY_DOWN);
	assert_int_equal(dependencies_sum(&board, all), 1);
	assert_int_equal(all[0].state, DEPENDENCY_DOWN);
	redis_of(worker("web", CELL_READY), DEPENDENCY_UP);
	assert_int_equal(dependencies_sum(&board, all), 1);
	assert_int_equal(all[0].state, DEPENDENCY_UP);
}

static void
no_more_than_there_is_room_for(void **state)
{
	struct board_cell *c = worker("web", CELL_READY);
	char name[32];
	int i;

	(void)state;
	for (i = 0; i < BOARD_DEPENDENCIES; i++) {
		(void)snprintf(name, sizeof(name), "d%d", i);
		assert_non_null(dependency_declare(c, name, "p", 0));
	}
	assert_null(dependency_declare(c, "more", "p", 0));
	assert_int_equal(dependencies_sum(&board, all), BOARD_DEPENDENCIES);
	assert_int_equal(all[0].state, DEPENDENCY_UNKNOWN);
}

static void
trusts_nothing(void **state)
{
	struct board_cell *c = worker("web", CELL_READY);
	size_t i, n;

	(void)state;
	memset(c->dependencies, 0xff, sizeof(c->dependencies));
	n = dependencies_sum(&board, all);
	for (i = 0; i < n; i++) {
		assert_true(all[i].state <= DEPENDENCY_UNUSED);
		assert_true(strlen(all[i].detail) < sizeof(all[i].detail));
	}
}

static uint64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
a_pool_that_stands_still(void **state)
{
	struct board_cell *a, *b, *c;
	int is_alive;

	(void)state;
	/* Else there is no time that long ago. */
	if (now_ms() <= BOARD_STILL_MS)
		skip();
	assert_int_equal(board_serving(&board, &is_alive), 0);
	assert_true(is_alive);
	a = worker("web", CELL_READY);
	b = worker("web", CELL_READY);
	c = worker("socket", CELL_READY);
	/* It is a while before they are late, however slow we are. */
	a->beat_ms = b->beat_ms = c->beat_ms = now_ms() + 3600000;
	assert_int_equal(board_serving(&board, &is_alive), 3);
	assert_true(is_alive);
	a->beat_ms = now_ms() - BOARD_STILL_MS;
	assert_int_equal(board_serving(&board, &is_alive), 3);
	assert_true(is_alive);
	c->beat_ms = now_ms() - BOARD_STILL_MS;
	(void)board_serving(&board, &is_alive);
	assert_false(is_alive);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_that_is_down_decides,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    workers_that_serve_are_asked_first, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    no_more_than_there_is_room_for, setup, teardown),
		cmocka_unit_test_setup_teardown(trusts_nothing, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(a_pool_that_stands_still,
		    setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
