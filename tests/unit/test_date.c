/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP dates: written in one form, read in three. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <web/date.h>

static int
parse(const char *text, time_t *t)
{
	size_t n = strlen(text);
	char *copy = malloc(n > 0 ? n : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, text, n);
	rc = date_parse(copy, n, t);
	free(copy);
	return rc;
}

static void
assert_is(const char *text, time_t want)
{
	time_t t;

	if (parse(text, &t) != 0)
		fail_msg("\"%s\" is refused", text);
	assert_true(t == want);
}

static void
three_forms(void **state)
{
	(void)state;
	assert_is("Sun, 06 Nov 1994 08:49:37 GMT", 784111777);
	assert_is("Sunday, 06-Nov-94 08:49:37 GMT", 784111777);
	assert_is("Sun Nov  6 08:49:37 1994", 784111777);
}

static void
years_of_two_digits(void **state)
{
	(void)state;
	assert_is("Thursday, 01-Jan-70 00:00:00 GMT", 0);
	assert_is("Friday, 31-Dec-99 23:59:59 GMT", 946684799);
	assert_is("Saturday, 01-Jan-00 00:00:00 GMT", 946684800);
	assert_is("Tuesday, 31-Dec-69 23:59:59 GMT", INT64_C(3155759999));
}

static void
edges(void **state)
{
	(void)state;
	assert_is("Thu, 01 Jan 1970 00:00:00 GMT", 0);
	assert_is("Wed, 31 Dec 1969 23:59:59 GMT", -1);
	assert_is("Tue, 19 Jan 2038 03:14:08 GMT", INT64_C(2147483648));
	assert_is("Thu, 29 Feb 2024 00:00:00 GMT", 1709164800);
	assert_is("Fri, 31 Dec 9999 23:59:59 GMT", INT64_C(253402300799));
	assert_is("Sat, 31 Dec 2016 23:59:60 GMT", 1483228800);
}

static void
no_dates(void **state)
{
	static const char *const bad[] = {"", "0", "x", "784111777",
	    "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
	    "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 Nov 1994 08:49:37 GMTx",
	    " Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
	    "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
	    "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT",
	    "Sun, 06 Nox 1994 08:49:37 GMT", "Sun, 06 No 1994 08:49:37 GMT",
	    "Sun, 06 11 1994 08:49:37 GMT", "06 Nov 1994 08:49:37 GMT",
	    "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 -8:49:37 GMT",
	    "Sun, 06 Nov 1994 08:49 GMT", "1994-11-06T08:49:37Z",
	    "\"Sun, 06 Nov 1994 08:49:37 GMT\"",
	    "Sun, 06 Nov 19941 08:49:37 GMT",
	    "Sunday, 06-Nov-1994 08:49:37 GMT",
	    "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
	    "Sunxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
	time_t t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i], &t) != -1)
			fail_msg("\"%s\" is taken", bad[i]);
	assert_int_equal(
	    date_parse("Sun, 06 Nov 1994 08:49:37 GMT\0", 30, &t), -1);
}

static void
writes_the_first_form(void **state)
{
	char out[DATE_SIZE];

	(void)state;
	date_format(784111777, out);
	assert_string_equal(out, "Sun, 06 Nov 1994 08:49:37 GMT");
	date_format(0, out);
	assert_string_equal(out, "Thu, 01 Jan 1970 00:00:00 GMT");
	date_format(-1, out);
	assert_string_equal(out, "Wed, 31 Dec 1969 23:59:59 GMT");
}

static void
reads_what_it_writes(void **state)
{
	char out[DATE_SIZE];
	time_t t, back;

	(void)state;
	/* Steps of a prime number of seconds meet every month and weekday. */
	for (t = 0; t < INT64_C(253402300799); t += 86400 * 7919L + 12347) {
		date_format(t, out);
		assert_int_equal(strlen(out), 29);
		assert_int_equal(parse(out, &back), 0);
		assert_true(back == t);
	}
}

/* Files may bear any time; the text stays one. */
static void
times_out_of_this_world(void **state)
{
	static const time_t times[] = {INT64_MAX, INT64_MIN,
	    INT64_C(67768036191676799), INT64_C(-67768040609740800),
	    INT64_C(253402300800), INT64_C(-62167219201)};
	char out[DATE_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		date_format(times[i], out);
		assert_true(strlen(out) >= 29 && strlen(out) < DATE_SIZE);
		assert_non_null(strstr(out, " GMT"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(three_forms),
	    cmocka_unit_test(years_of_two_digits),
	    cmocka_unit_test(edges),
	    cmocka_unit_test(no_dates),
	    cmocka_unit_test(writes_the_first_form),
	    cmocka_unit_test(reads_what_it_writes),
	    cmocka_unit_test(times_out_of_this_world),
	};

	return cmocka_run_group_tests_name("date", tests, NULL, NULL);
}
