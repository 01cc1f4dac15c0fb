/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "master/judge.h"

static char why[320];

static enum judge_verdict
verdict(const struct judge_figures *fresh, const struct judge_figures *old,
    double factor)
{
	return judge(fresh, old, factor, why, sizeof(why));
}

static void
alike(void **state)
{
	struct judge_figures a = {1000, 0, 2000, 40}, b = {3000, 0, 6000, 120};

	(void)state;
	assert_int_equal(verdict(&a, &b, 1), JUDGE_FINE);
	assert_int_equal(verdict(&b, &a, 1), JUDGE_FINE);
	assert_string_equal(why, "0 of 3000 requests answered with 5xx (0.00%) "
	    "and 0.020 ms a callback, the others 0 of 1000 (0.00%) and 0.020 "
	    "ms");
}

static void
too_few(void **state)
{
	struct judge_figures none = {0, 0, 0, 0}, bad = {49, 49, 49, 4900};
	struct judge_figures many = {1000, 0, 2000, 40};

	(void)state;
	assert_int_equal(verdict(&none, &none, 2), JUDGE_FEW);
	assert_int_equal(verdict(&bad, &many, 2), JUDGE_FEW);
	assert_int_equal(verdict(&many, &none, 2), JUDGE_FEW);
	assert_memory_equal(why, "too few requests to judge: ", 27);
}

static void
more_errors(void **state)
{
	struct judge_figures old = {1000, 10, 2000, 40};
	struct judge_figures some = {1000, 21, 2000, 40};
	struct judge_figures more = {1000, 23, 2000, 40};

	(void)state;
	assert_int_equal(verdict(&some, &old, 2), JUDGE_FINE);
	assert_int_equal(verdict(&more, &old, 2), JUDGE_WORSE);
	assert_int_equal(verdict(&more, &old, 3), JUDGE_FINE);
	assert_int_equal(verdict(&old, &more, 1), JUDGE_FINE);
}

/* One request that failed by chance says nothing. */
static void
a_few_errors(void **state)
{
	struct judge_figures old = {10000, 0, 20000, 40};
	struct judge_figures four = {100, 4, 200, 0}, five = {100, 5, 200, 0};
	struct judge_figures many = {100000, 6, 200000, 400};

	(void)state;
	assert_int_equal(verdict(&four, &old, 2), JUDGE_FINE);
	assert_int_equal(verdict(&five, &old, 2), JUDGE_WORSE);
	/* The others would have had as many. */
	assert_int_equal(verdict(&many, &old, 2), JUDGE_FINE);
}

static void
slower(void **state)
{
	struct judge_figures old = {1000, 0, 2000, 200};
	struct judge_figures twice = {1000, 0, 2000, 400};
	struct judge_figures more = {1000, 0, 2000, 440};

	(void)state;
	assert_int_equal(verdict(&twice, &old, 2), JUDGE_FINE);
	assert_int_equal(verdict(&more, &old, 2), JUDGE_WORSE);
	assert_memory_equal(why, "slower: ", 8);
	assert_int_equal(verdict(&more, &old, 2.5), JUDGE_FINE);
}

/* A clock that ticks every 4 ms has hit one of them a few times. */
static void
a_few_ticks(void **state)
{
	struct judge_figures old = {1000, 0, 2000, 0};
	struct judge_figures few = {1000, 0, 2000, 96};
	struct judge_figures enough = {1000, 0, 2000, 100};

	(void)state;
	assert_int_equal(verdict(&few, &old, 2), JUDGE_FINE);
	assert_int_equal(verdict(&enough, &old, 2), JUDGE_WORSE);
}

/* WebSockets make callbacks, but hardly any requests. */
static void
callbacks_alone(void **state)
{
	struct judge_figures old = {3, 0, 2000, 100};
	struct judge_figures slow = {2, 2, 2000, 1000};

	(void)state;
	assert_int_equal(verdict(&slow, &old, 2), JUDGE_WORSE);
	assert_int_equal(verdict(&old, &old, 2), JUDGE_FINE);
}

static void
no_need_to_wait(void **state)
{
	struct judge_figures old = {1000, 0, 2000, 0}, few = {10, 0, 20, 0};
	struct judge_figures bad = {50, 20, 100, 0}, less = {50, 19, 100, 0};

	(void)state;
	assert_true(judge_hopeless(&bad, &old, 2));
	assert_false(judge_hopeless(&less, &old, 2));
	assert_false(judge_hopeless(&bad, &few, 2));
	assert_false(judge_hopeless(&old, &bad, 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(alike),
	    cmocka_unit_test(too_few),
	    cmocka_unit_test(more_errors),
	    cmocka_unit_test(a_few_errors),
	    cmocka_unit_test(slower),
	    cmocka_unit_test(a_few_ticks),
	    cmocka_unit_test(callbacks_alone),
	    cmocka_unit_test(no_need_to_wait),
	};

	return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
