/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals as people write them, and as we do. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/signals.h"

static void
takes_names_and_numbers(void **state)
{
	(void)state;
	assert_int_equal(signal_parse("TERM"), SIGTERM);
	assert_int_equal(signal_parse("sigterm"), SIGTERM);
	assert_int_equal(signal_parse("15"), 15);
	assert_int_equal(signal_parse("RTMIN"), SIGRTMIN);
	assert_int_equal(signal_parse("SIGRTMIN+3"), SIGRTMIN + 3);
	assert_int_equal(signal_parse("rtmax"), SIGRTMAX);
	assert_int_equal(signal_parse("RTMAX-2"), SIGRTMAX - 2);
}

static void
refuses_what_is_none(void **state)
{
	static const char *const bad[] = {"", "SIG", "0", "-1", "65", "TERMX",
	    "RTMIN+", "RTMIN+x", "RTMIN++1", "RTMIN+-1", "RTMIN-1", "RTMAX+1",
	    "RTMIN+99", "RTMAX-99", "RTMINX", "99999999999999999999"};
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (signal_parse(bad[i]) != -1)
			fail_msg("\"%s\" is a signal", bad[i]);
	/* The C library's own. */
	for (n = SIGSYS + 1; n < SIGRTMIN; n++)
		assert_false(signal_is_usable(n));
}

static void
says_what_it_takes(void **state)
{
	char buf[SIGNAL_NAME_MAX];
	int n;

	(void)state;
	for (n = 1; n <= SIGRTMAX; n++)
		if (signal_is_usable(n))
			assert_int_equal(
			    signal_parse(signal_name(n, buf)), n);
	assert_string_equal(signal_name(SIGRTMIN, buf), "SIGRTMIN");
	assert_string_equal(signal_name(SIGRTMIN + 1, buf), "SIGRTMIN+1");
	assert_string_equal(signal_name(SIGRTMIN - 1, buf), "signal 33");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes_names_and_numbers),
	    cmocka_unit_test(refuses_what_is_none),
	    cmocka_unit_test(says_what_it_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
