/* SPDX-License-Identifier: BSD-2-Clause */
/* Prometheus' text and OpenMetrics: where they differ, and what is escaped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/exposition.h"

static struct buf out;
static struct exposition x;

static void
begin(int openmetrics)
{
	out.len = 0;
	x.out = &out;
	x.openmetrics = openmetrics;
}

static void
expect(const char *text)
{
	buf_append(&out, "", 1);
	assert_string_equal(out.p, text);
}

static int
teardown(void **state)
{
	(void)state;
	exposition_free(&x);
	buf_free(&out);
	return 0;
}

static void
counters_are_called_total(void **state)
{
	(void)state;
	begin(0);
	exposition_family(&x, "a", EXPOSITION_COUNTER, "A \"b\" \\ c.");
	exposition_value(&x, 3, 1, NULL);
	exposition_end(&x);
	expect("# HELP a_total A \"b\" \\\\ c.\n# TYPE a_total counter\n"
	    "a_total 3\n");
	begin(1);
	exposition_family(&x, "a", EXPOSITION_COUNTER, "A \"b\" \\ c.");
	exposition_value(&x, 3, 1, NULL);
	exposition_end(&x);
	expect("# HELP a A \\\"b\\\" \\\\ c.\n# TYPE a counter\n"
	    "a_total 3\n# EOF\n");
}

static void
labels_are_escaped(void **state)
{
	(void)state;
	begin(0);
	exposition_family(&x, "a", EXPOSITION_GAUGE, "A.");
	exposition_value(&x, 1, 1, "x", "q\"b\\n\nl", "y", "\xc3\xa4", "z",
	    "\xff!", NULL);
	expect("# HELP a A.\n# TYPE a gauge\n"
	    "a{x=\"q\\\"b\\\\n\\nl\",y=\"\xc3\xa4\",z=\"?!\"} 1\n");
}

static void
numbers_are_decimal(void **state)
{
	(void)state;
	begin(0);
	exposition_family(&x, "a", EXPOSITION_GAUGE, "A.");
	out.len = 0;
	exposition_value(&x, -1500, 1000, NULL);
	exposition_value(&x, 1000005, 1000000, NULL);
	exposition_value(&x, INT64_MIN, 1, NULL);
	exposition_value(&x, 2000, 1000, NULL);
	exposition_value(&x, 10, 1000, NULL);
	expect("a -1.5\na 1.000005\na -9223372036854775808\na 2\na 0.01\n");
}

static void
histograms_add_up(void **state)
{
	const struct exposition_bucket b[] = { { 5, 2 }, { 1000, 3 } };

	(void)state;
	begin(0);
	exposition_family(&x, "t", EXPOSITION_HISTOGRAM, "T.");
	out.len = 0;
	exposition_histogram(&x, b, 2, 1, 1234, 1000, "r=\"/\"");
	expect("t_bucket{r=\"/\",le=\"0.005\"} 2\n"
	    "t_bucket{r=\"/\",le=\"1\"} 5\n"
	    "t_bucket{r=\"/\",le=\"+Inf\"} 6\n"
	    "t_sum{r=\"/\"} 1.234\nt_count{r=\"/\"} 6\n");
	begin(1);
	exposition_histogram(&x, b, 2, 1, 1234, 1000, "");
	expect("t_bucket{le=\"0.005\"} 2\nt_bucket{le=\"1.0\"} 5\n"
	    "t_bucket{le=\"+Inf\"} 6\nt_sum 1.234\nt_count 6\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(counters_are_called_total, teardown),
		cmocka_unit_test_teardown(labels_are_escaped, teardown),
		cmocka_unit_test_teardown(numbers_are_decimal, teardown),
		cmocka_unit_test_teardown(histograms_add_up, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
