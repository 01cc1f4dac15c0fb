/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests by route: counted, folded by name, and what finds no room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/traffic.h"

static struct traffic *a, *b;

static int
setup(void **state)
{
	(void)state;
	a = calloc(1, sizeof(*a));
	b = calloc(1, sizeof(*b));
	return a == NULL || b == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	free(a);
	free(b);
	return 0;
}

static uint64_t
count_of(const struct traffic *t, const char *route, const char *method,
    uint32_t status)
{
	char name[TRAFFIC_NAME];
	uint64_t n = 0;
	uint32_t key;
	unsigned i;

	for (i = 0; i < TRAFFIC_TALLIES; i++) {
		if ((key = t->tallies[i].key) == 0)
			continue;
		traffic_name(t, traffic_route_of(key), name);
		if (strcmp(name, route) == 0 && (method == NULL ||
		    strcmp(traffic_method(key), method) == 0) &&
		    (status == 0 || traffic_status(key) == status))
			n += t->tallies[i].n;
	}
	return n;
}

static uint64_t
count_all(const struct traffic *t)
{
	uint64_t n = 0;
	unsigned i;

	for (i = 0; i < TRAFFIC_TALLIES; i++)
		n += t->tallies[i].n;
	return n;
}

static void
counts_each_kind(void **state)
{
	uint32_t r = traffic_route(a, "/api/:id");

	(void)state;
	assert_int_equal(traffic_route(a, "/api/:id"), r);
	assert_int_not_equal(traffic_route(a, "/api"), r);
	traffic_count(a, r, 1, 200, 1, 0);
	traffic_count(a, r, 1, 200, 1, 5);
	traffic_count(a, r, 3, 201, 1, 6);
	traffic_count(a, TRAFFIC_NONE, 0, 404, 0, 0);
	assert_int_equal(count_of(a, "/api/:id", "GET", 200), 2);
	assert_int_equal(count_of(a, "/api/:id", "POST", 201), 1);
	assert_int_equal(count_of(a, "none", "other", 404), 1);
	assert_int_equal(a->times[r].buckets[0], 2);
	assert_int_equal(a->times[r].buckets[1], 1);
	assert_int_equal(a->times[r].sum_ms, 11);
	assert_int_equal(a->times[TRAFFIC_NONE].buckets[0], 0);
}

static void
takes_any_status_and_time(void **state)
{
	(void)state;
	traffic_count(a, TRAFFIC_NONE, 15, 65535, 1, UINT64_MAX);
	assert_int_equal(count_of(a, "none", "other", 0), 1);
	assert_int_equal(a->times[TRAFFIC_NONE].buckets[TRAFFIC_BOUNDS], 1);
}

static void
folds_by_name(void **state)
{
	uint32_t ra, rb;

	(void)state;
	(void)traffic_route(a, "/other");
	ra = traffic_route(a, "/x");
	rb = traffic_route(b, "/x");
	assert_int_not_equal(ra, rb);
	traffic_count(a, ra, 1, 200, 1, 1);
	traffic_count(b, rb, 1, 200, 1, 20);
	traffic_count(b, rb, 1, 500, 1, 20);
	traffic_fold(a, b);
	assert_int_equal(count_of(a, "/x", "GET", 200), 2);
	assert_int_equal(count_of(a, "/x", "GET", 500), 1);
	assert_int_equal(a->times[ra].buckets[2], 2);
	assert_int_equal(a->times[ra].sum_ms, 41);
}

static void
more_routes_than_there_is_room_for(void **state)
{
	char name[32];
	uint32_t r, i;

	(void)state;
	for (i = 0; i < TRAFFIC_ROUTES + 50; i++) {
		(void)snprintf(name, sizeof(name), "/r%u", i);
		r = traffic_route(a, name);
		traffic_count(a, r, 1, 200, 1, 0);
	}
	assert_int_equal(r, TRAFFIC_OTHER);
	assert_int_equal(count_of(a, "other", "GET", 200), 52);
	assert_int_equal(count_all(a), TRAFFIC_ROUTES + 50);
}

static void
more_kinds_than_there_is_room_for(void **state)
{
	uint32_t r = traffic_route(a, "/x"), m, s;

	(void)state;
	for (m = 0; m < TRAFFIC_METHODS; m++)
		for (s = 100; s < 600; s++)
			traffic_count(a, r, m, s, 0, 0);
	assert_int_equal(count_all(a), TRAFFIC_METHODS * 500);
	/* A kind that was there before goes on as such. */
	traffic_count(a, r, 0, 100, 0, 0);
	assert_int_equal(count_of(a, "/x", "other", 100), 2);
	traffic_fold(b, a);
	assert_int_equal(count_all(b), TRAFFIC_METHODS * 500 + 1);
	assert_int_equal(count_of(b, "/x", NULL, 0) +
	    count_of(b, "other", NULL, 0), TRAFFIC_METHODS * 500 + 1);
}

static void
trusts_nothing(void **state)
{
	unsigned i;

	(void)state;
	memset(a, 0xff, sizeof(*a));
	traffic_fold(b, a);
	for (i = 0; i < TRAFFIC_ROUTES; i++)
		assert_int_equal(b->routes[i][TRAFFIC_NAME - 1], 0);
	/* Somebody has filled what is ours. */
	(void)traffic_tally_new(a, traffic_key(3, 1, 200));
	(void)traffic_route(a, "/x");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(counts_each_kind, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(takes_any_status_and_time,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(folds_by_name, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    more_routes_than_there_is_room_for, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    more_kinds_than_there_is_room_for, setup, teardown),
		cmocka_unit_test_setup_teardown(trusts_nothing, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
