/* SPDX-License-Identifier: BSD-2-Clause */
/* Which format of metrics an Accept header asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "http_metrics/accept.h"

static int
of(const char *text)
{
	return accept_openmetrics((hostd_buf){ text, text != NULL ?
	    strlen(text) : 0 });
}

static void
text_unless_asked_for(void **state)
{
	(void)state;
	assert_false(of(NULL));
	assert_false(of(""));
	assert_false(of("*/*"));
	assert_false(of("text/plain"));
	assert_false(of("text/html, application/json;q=0.9, */*;q=0.1"));
	assert_false(of("application/openmetrics-text2"));
	assert_false(of(",;,;=,q=;;"));
}

static void
openmetrics(void **state)
{
	(void)state;
	assert_true(of("application/openmetrics-text"));
	assert_true(of(" Application/OpenMetrics-Text ; version=1.0.0"));
	assert_true(of("application/openmetrics-text;version=1.0.0;q=0.5,"
	    "application/openmetrics-text;version=0.0.1;q=0.4,"
	    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"));
	assert_true(of("text/plain,application/openmetrics-text"));
}

static void
weights_and_versions(void **state)
{
	(void)state;
	assert_false(of("application/openmetrics-text;version=0.0.1"));
	assert_false(of("application/openmetrics-text;version=2.0.0"));
	assert_false(of("application/openmetrics-text;q=0"));
	assert_false(of("application/openmetrics-text;q=0.4,text/plain"));
	assert_false(of("application/openmetrics-text;q=0.499,"
	    "text/plain;q=0.5"));
	assert_false(of("application/openmetrics-text;q=7"));
	assert_true(of("application/openmetrics-text;q=1.000,text/plain;q=1"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_unless_asked_for),
		cmocka_unit_test(openmetrics),
		cmocka_unit_test(weights_and_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
