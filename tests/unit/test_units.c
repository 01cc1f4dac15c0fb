/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers as people write them, and as we do. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/decimal.h"
#include "base/units.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

struct good {
	const char *text;
	int64_t value;
};

static void
assert_good(
    int (*parse)(const char *, int64_t *), const struct good *cases, size_t n)
{
	int64_t v;

	for (; n-- > 0; cases++) {
		v = 0x5555;
		if (parse(cases->text, &v) != 0)
			fail_msg("\"%s\" is refused", cases->text);
		if (v != cases->value)
			fail_msg("\"%s\" is %" PRId64, cases->text, v);
	}
}

static void
assert_bad(
    int (*parse)(const char *, int64_t *), const char *const *bad, size_t n)
{
	int64_t v;

	for (; n-- > 0; bad++)
		if (parse(*bad, &v) != -1)
			fail_msg("\"%s\" is taken for %" PRId64, *bad, v);
}

static void
integers(void **state)
{
	static const struct good good[] = {{"0", 0}, {"-0", 0}, {"1", 1},
	    {"007", 7}, {"-42", -42}, {"9223372036854775807", INT64_MAX},
	    {"-9223372036854775808", INT64_MIN}};
	static const char *const bad[] = {"", "-", "+1", "--1", " 1", "1 ",
	    "1x", "0x10", "1.0", "1e3", "9223372036854775808",
	    "-9223372036854775809", "99999999999999999999999", "\t1", "a"};

	(void)state;
	assert_good(int_parse, good, N(good));
	assert_bad(int_parse, bad, N(bad));
}

static void
durations(void **state)
{
	static const struct good good[] = {{"0", 0}, {"1", 1000}, {"0ms", 0},
	    {"250ms", 250}, {"30s", 30000}, {"5m", 300000}, {"1h", 3600000},
	    {"1d", 86400000}, {"2D", 172800000}, {"5MS", 5},
	    {"9223372036854775807ms", INT64_MAX},
	    {"9223372036854775s", INT64_C(9223372036854775000)}};
	static const char *const bad[] = {"", "s", "-1s", "+1s", "1 s", "1w",
	    "1sec", "1.5s", "1s ", "1s2", "9223372036854776s", "106751991168d",
	    "9223372036854775808ms", "1m30s", " 1s", "inf"};

	(void)state;
	assert_good(duration_parse, good, N(good));
	assert_bad(duration_parse, bad, N(bad));
}

static void
sizes(void **state)
{
	static const struct good good[] = {{"0", 0}, {"512", 512},
	    {"16k", 16384}, {"16K", 16384}, {"1m", 1048576},
	    {"2g", INT64_C(2147483648)},
	    {"8589934591g", INT64_C(9223372035781033984)},
	    {"9223372036854775807", INT64_MAX}};
	static const char *const bad[] = {"", "k", "-1", "-1k", "1kb", "1t",
	    "1 k", "1.5m", "0x1k", "8589934592g", "9223372036854775808",
	    "9007199254740992k"};

	(void)state;
	assert_good(size_parse, good, N(good));
	assert_bad(size_parse, bad, N(bad));
}

static void
booleans(void **state)
{
	static const char *const words[] = {
	    "off", "on", "false", "true", "no", "yes"};
	static const char *const bad[] = {
	    "", "ON", "1", "0", "y", "o", "onn", " on", "on ", "enabled"};
	size_t i;
	int v;

	(void)state;
	for (i = 0; i < N(words); i++) {
		v = -1;
		assert_int_equal(bool_parse(words[i], &v), 0);
		assert_int_equal(v, i % 2);
	}
	for (i = 0; i < N(bad); i++)
		assert_int_equal(bool_parse(bad[i], &v), -1);
}

static void
ratios(void **state)
{
	static const struct good good[] = {{"0", 0}, {"1", RATIO_ONE},
	    {"0.0", 0}, {"1.000", RATIO_ONE}, {"0.01", RATIO_ONE / 100},
	    {"0.000000001", 1}, {"0.999999999", RATIO_ONE - 1}};
	static const char *const bad[] = {"", "1.1", "2", "-0", ".5", "0.",
	    "0,5", "00", "1e-1", "0.5 ", "1%", "0.0000000001", "1.000000001"};

	(void)state;
	assert_good(ratio_parse, good, N(good));
	assert_bad(ratio_parse, bad, N(bad));
}

static void
assert_decimal(uint64_t v)
{
	char want[32], got[32];
	size_t n;

	memset(got, '#', sizeof(got));
	n = (size_t)snprintf(want, sizeof(want), "%" PRIu64, v);
	assert_int_equal(decimal_put(got, v) - got, n);
	assert_memory_equal(got, want, n);
	assert_int_equal(got[n], '#');
}

static void
decimals(void **state)
{
	uint64_t v;

	(void)state;
	assert_decimal(0);
	for (v = 1; v < UINT64_MAX / 10; v *= 10) {
		assert_decimal(v - 1);
		assert_decimal(v);
		assert_decimal(v + 1);
	}
	assert_decimal(v - 1);
	assert_decimal(v);
	assert_decimal(UINT64_MAX - 1);
	assert_decimal(UINT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(integers),
	    cmocka_unit_test(durations),
	    cmocka_unit_test(sizes),
	    cmocka_unit_test(booleans),
	    cmocka_unit_test(ratios),
	    cmocka_unit_test(decimals),
	};

	return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
