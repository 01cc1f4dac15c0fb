/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/latency.h"

/* Each number is in a bucket that begins where the one before ends. */
static void
buckets_cover_all(void **state)
{
	uint64_t ms;
	unsigned b, last = 0;

	(void)state;
	for (ms = 0; ms < 300000; ms++) {
		b = latency_bucket(ms);
		assert_true(b == last || b == last + 1);
		assert_true(b < LATENCY_BUCKETS);
		if (b < LATENCY_BUCKETS - 1)
			assert_true(ms < latency_bound(b));
		if (b > 0)
			assert_true(ms >= latency_bound(b - 1));
		last = b;
	}
	assert_int_equal(last, LATENCY_BUCKETS - 1);
	assert_int_equal(latency_bucket(UINT64_MAX), LATENCY_BUCKETS - 1);
}

static void
bounds_are_near(void **state)
{
	unsigned b;

	(void)state;
	for (b = 2; b < LATENCY_BUCKETS; b++)
		assert_true(latency_bound(b) * 2 <= latency_bound(b - 1) * 3);
}

static void
quantiles(void **state)
{
	uint64_t counts[LATENCY_BUCKETS] = {0};

	(void)state;
	assert_int_equal(latency_quantile(counts, 990), 0);
	counts[latency_bucket(0)] = 99;
	assert_int_equal(latency_quantile(counts, 990), 1);
	counts[latency_bucket(40)] = 1;
	assert_int_equal(latency_quantile(counts, 990), 1);
	assert_int_equal(latency_quantile(counts, 999), 48);
	counts[latency_bucket(40)] = 2;
	assert_int_equal(latency_quantile(counts, 990), 48);
	assert_int_equal(latency_quantile(counts, 500), 1);
	counts[LATENCY_BUCKETS - 1] = 1000;
	assert_int_equal(latency_quantile(counts, 990),
	    latency_bound(LATENCY_BUCKETS - 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(buckets_cover_all),
	    cmocka_unit_test(bounds_are_near),
	    cmocka_unit_test(quantiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
