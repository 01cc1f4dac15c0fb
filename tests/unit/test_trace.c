/* SPDX-License-Identifier: BSD-2-Clause */
/* traceparent and tracestate, by the recommendation's own examples and
 * rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "http/trace.h"

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

static int
parse(const char *s, struct http_trace *t)
{
	return trace_parse((hostd_buf){s, strlen(s)}, t);
}

static void
assert_text(hostd_buf b, const char *s)
{
	assert_int_equal(b.n, strlen(s));
	if (b.n > 0)
		assert_memory_equal(b.p, s, b.n);
}

static void
examples(void **state)
{
	struct http_trace t;

	(void)state;
	assert_int_equal(parse("00-" ID "-" SPAN "-01", &t), 0);
	assert_text(trace_id(&t), ID);
	assert_text(trace_caller(&t), SPAN);
	assert_text(trace_parent(&t), "00-" ID "-" SPAN "-01");
	assert_true(trace_is_sampled(&t));
	assert_int_equal(parse("00-" ID "-" SPAN "-00", &t), 0);
	assert_false(trace_is_sampled(&t));
	assert_int_equal(
	    parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
		&t),
	    0);
}

/* Flags that mean nothing yet are not handed on. */
static void
flags(void **state)
{
	struct http_trace t;

	(void)state;
	assert_int_equal(parse("00-" ID "-" SPAN "-ff", &t), 0);
	assert_text(trace_parent(&t), "00-" ID "-" SPAN "-03");
	assert_int_equal(parse("00-" ID "-" SPAN "-08", &t), 0);
	assert_false(trace_is_sampled(&t));
}

static void
later_versions(void **state)
{
	struct http_trace t;

	(void)state;
	assert_int_equal(parse("cc-" ID "-" SPAN "-01", &t), 0);
	assert_int_equal(parse("cc-" ID "-" SPAN "-01-", &t), 0);
	assert_int_equal(parse("cc-" ID "-" SPAN "-01-what-will-be", &t), 0);
	assert_text(trace_parent(&t), "00-" ID "-" SPAN "-01");
	assert_int_equal(parse("cc-" ID "-" SPAN "-01.what", &t), -1);
	assert_int_equal(parse("00-" ID "-" SPAN "-01-", &t), -1);
}

static void
what_is_none(void **state)
{
	static const char *const bad[] = {"", "00", "ff-" ID "-" SPAN "-01",
	    "0-" ID "-" SPAN "-01", "00-" ID "-" SPAN "-1",
	    "00-" ID "-" SPAN "-0G", "0x-" ID "-" SPAN "-01",
	    "00_" ID "-" SPAN "-01", "00-" ID "_" SPAN "-01",
	    "00-" ID "-" SPAN "_01",
	    "00-00000000000000000000000000000000-" SPAN "-01",
	    "00-" ID "-0000000000000000-01",
	    "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01",
	    "00-" ID "-00F067AA0BA902B7-01",
	    "00-.bf92f3577b34da6a3ce929d0e0e4736-" SPAN "-01",
	    "00-" ID "-" SPAN "-011", " 00-" ID "-" SPAN "-01"};
	struct http_trace t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i], &t) != -1)
			fail_msg("\"%s\" was taken", bad[i]);
	assert_int_equal(trace_parse((hostd_buf){"00-" ID "-" SPAN "\0-01",
					 TRACE_PARENT + 1},
			     &t),
	    -1);
}

static int
members(const char *s)
{
	return trace_state_members((hostd_buf){s, strlen(s)});
}

static void
states(void **state)
{
	(void)state;
	assert_int_equal(members("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
	    2);
	assert_int_equal(members("foo=1 \t , \t bar=2, \t baz=3"), 3);
	assert_int_equal(members(""), 0);
	assert_int_equal(members("foo=1,,bar=2,"), 2);
	assert_int_equal(members("fw529a3039@dt=FfAxd,1t@a=x y"), 2);
	assert_int_equal(members("a-_*/0=~!"), 1);
	assert_int_equal(members("foo"), -1);
	assert_int_equal(members("foo="), -1);
	assert_int_equal(members("=1"), -1);
	assert_int_equal(members("foo =1"), -1);
	assert_int_equal(members("FOO=1"), -1);
	assert_int_equal(members("foo.bar=1"), -1);
	assert_int_equal(members("foo=bar=baz"), -1);
	assert_int_equal(members("1foo=1"), -1);
	assert_int_equal(members("foo@=1,bar=2"), -1);
	assert_int_equal(members("@foo=1"), -1);
	assert_int_equal(members("foo@@bar=1"), -1);
	assert_int_equal(members("foo@bar@baz=1"), -1);
	assert_int_equal(members("foo=\xe4"), -1);
}

/* Keys of n bytes, with the system's name behind them or without. */
static int
key_of(size_t n, const char *system)
{
	char s[400];
	size_t i;

	for (i = 0; i < n; i++)
		s[i] = 'z';
	(void)snprintf(s + n, sizeof(s) - n, "%s=1", system);
	return members(s);
}

static void
long_keys(void **state)
{
	(void)state;
	assert_int_equal(key_of(256, ""), 1);
	assert_int_equal(key_of(257, ""), -1);
	assert_int_equal(key_of(241, "@vvvvvvvvvvvvvv"), 1);
	assert_int_equal(key_of(242, "@v"), -1);
	assert_int_equal(key_of(1, "@vvvvvvvvvvvvvvv"), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(examples),
	    cmocka_unit_test(flags),
	    cmocka_unit_test(later_versions),
	    cmocka_unit_test(what_is_none),
	    cmocka_unit_test(states),
	    cmocka_unit_test(long_keys),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
