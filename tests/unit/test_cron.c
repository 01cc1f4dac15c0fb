/* SPDX-License-Identifier: BSD-2-Clause */
/* Times that come again, and what the clock does to them twice a year. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "config/cron.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void
zone(const char *name)
{
	assert_int_equal(setenv("TZ", name, 1), 0);
	tzset();
}

/* "2024-03-31 01:59" on the local clock; the second time if it has two. */
static time_t
local(const char *text, int second)
{
	struct tm d = {.tm_isdst = -1};
	time_t t, later;
	char again[32];

	assert_non_null(strptime(text, "%Y-%m-%d %H:%M", &d));
	t = mktime(&d);
	/* mktime chooses one of the two. */
	for (later = t - 3600; later <= t + 3600; later += 3600) {
		struct tm l;

		(void)localtime_r(&later, &l);
		(void)strftime(again, sizeof(again), "%Y-%m-%d %H:%M", &l);
		if (strcmp(again, text) == 0) {
			t = later;
			if (!second)
				break;
		}
	}
	return t;
}

static time_t
next_of(const char *cron, time_t after)
{
	struct cron c;
	char why[256];

	if (cron_parse(cron, &c, why, sizeof(why)) == -1)
		fail_msg("\"%s\" is refused: %s", cron, why);
	return cron_next(&c, after);
}

static void
assert_at(const char *cron, time_t t, const char *want)
{
	char got[64];
	struct tm d;

	(void)localtime_r(&t, &d);
	(void)strftime(got, sizeof(got), "%Y-%m-%d %H:%M:%S %z", &d);
	if (strncmp(got, want, strlen(want)) != 0)
		fail_msg("\"%s\" comes at %s, not at %s", cron, got, want);
}

static void
assert_next(const char *cron, const char *after, const char *want)
{
	assert_at(cron, next_of(cron, local(after, 0)), want);
}

static void
fields(void **state)
{
	static const struct {
		const char *cron, *after, *want;
	} cases[] = {
	    {"* * * * *", "2024-05-01 10:00", "2024-05-01 10:01:00"},
	    {"0 * * * *", "2024-05-01 10:00", "2024-05-01 11:00:00"},
	    {"30 4 * * *", "2024-05-01 04:29", "2024-05-01 04:30:00"},
	    {"30 4 * * *", "2024-05-01 04:30", "2024-05-02 04:30:00"},
	    {"*/15 * * * *", "2024-05-01 10:01", "2024-05-01 10:15:00"},
	    {"5/20 * * * *", "2024-05-01 10:06", "2024-05-01 10:25:00"},
	    {"10-30/10 * * * *", "2024-05-01 10:30", "2024-05-01 11:10:00"},
	    {"0 9-17 * * *", "2024-05-01 17:00", "2024-05-02 09:00:00"},
	    {"0 1,13,20-22 * * *", "2024-05-01 13:00", "2024-05-01 20:00:00"},
	    {"0 0 1 * *", "2024-12-15 00:00", "2025-01-01 00:00:00"},
	    {"0 0 31 * *", "2024-04-01 00:00", "2024-05-31 00:00:00"},
	    {"0 0 29 2 *", "2024-02-29 00:00", "2028-02-29 00:00:00"},
	    {"0 0 29 feb *", "2096-03-01 00:00", "2104-02-29 00:00:00"},
	    {"0 0 * JAN,Jul *", "2024-02-01 00:00", "2024-07-01 00:00:00"},
	    {"0 0 * jan-mar *", "2024-03-31 00:00", "2025-01-01 00:00:00"},
	    {"0 0 * * sun", "2024-05-01 00:00", "2024-05-05 00:00:00"},
	    {"0 0 * * 0", "2024-05-01 00:00", "2024-05-05 00:00:00"},
	    {"0 0 * * 7", "2024-05-01 00:00", "2024-05-05 00:00:00"},
	    {"0 0 * * 5-7", "2024-05-01 00:00", "2024-05-03 00:00:00"},
	    {"0 0 * * Mon-Fri", "2024-05-03 00:00", "2024-05-06 00:00:00"},
	    {"0 0 * * */2", "2024-05-01 00:00", "2024-05-02 00:00:00"},
	    /* Both are given: either will do. */
	    {"0 0 13 * fri", "2024-05-01 00:00", "2024-05-03 00:00:00"},
	    {"0 0 13 * fri", "2024-05-11 00:00", "2024-05-13 00:00:00"},
	    /* One starts with a star: both are wanted. */
	    {"0 0 */2 * mon", "2024-05-01 00:00", "2024-05-13 00:00:00"},
	    {"\t0  0\t* * * ", "2024-05-01 00:00", "2024-05-02 00:00:00"},
	};
	size_t i;

	(void)state;
	zone("UTC");
	for (i = 0; i < N(cases); i++)
		assert_next(cases[i].cron, cases[i].after, cases[i].want);
	assert_at("* * * * *", next_of("* * * * *",
	    local("2024-05-01 10:00", 0) + 59), "2024-05-01 10:01:00");
}

static void
mistakes(void **state)
{
	static const struct {
		const char *cron, *why;
	} cases[] = {
	    {"", "five fields"},
	    {"* * * *", "five fields"},
	    {"* * * * * *", "five fields"},
	    {"@daily", "five fields"},
	    {"60 * * * *", "\"60\" is no minute: \"*\", numbers from 0 to 59"},
	    {"* 24 * * *", "\"24\" is no hour"},
	    {"* * 0 * *", "\"0\" is no day"},
	    {"* * 32 * *", "\"32\" is no day"},
	    {"* * * 13 *", "\"13\" is no month"},
	    {"* * * jab *", "\"jab\" is no month"},
	    {"* * * * 8", "\"8\" is no weekday"},
	    {"* * * * monday", "\"monday\" is no weekday"},
	    {"a * * * *", "\"a\" is no minute"},
	    {"-5 * * * *", "\"-5\" is no minute"},
	    {"5- * * * *", "\"5-\" is no minute"},
	    {"9-5 * * * *", "\"9-5\" is no minute"},
	    {"1,,2 * * * *", "\"1,,2\" is no minute"},
	    {"1, * * * *", "\"1,\" is no minute"},
	    {"*/0 * * * *", "\"*/0\" is no minute"},
	    {"*/ * * * *", "\"*/\" is no minute"},
	    {"*5 * * * *", "\"*5\" is no minute"},
	    {"1-5/2x * * * *", "\"1-5/2x\" is no minute"},
	    {"99999999999 * * * *", "is no minute"},
	    {"0 0 30 2 *", "there is no such day"},
	    {"0 0 31 4,6,9,11 *", "there is no such day"},
	};
	struct cron c;
	char why[256];
	size_t i;

	(void)state;
	zone("UTC");
	for (i = 0; i < N(cases); i++) {
		if (cron_parse(cases[i].cron, &c, why, sizeof(why)) != -1)
			fail_msg("\"%s\" is taken", cases[i].cron);
		if (strstr(why, cases[i].why) == NULL)
			fail_msg("\"%s\": %s", cases[i].cron, why);
	}
}

static void
long_words(void **state)
{
	char text[1024], why[64];
	struct cron c;

	(void)state;
	memset(text, '1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(cron_parse(text, &c, why, sizeof(why)), -1);
}

/* From 02:00 to 03:00 there is nothing on that day. */
static void
spring(void **state)
{
	(void)state;
	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_next("30 2 * * *", "2024-03-31 00:00",
	    "2024-03-31 03:30:00 +0200");
	assert_next("30 2 * * *", "2024-03-31 03:30",
	    "2024-04-01 02:30:00 +0200");
	assert_next("*/20 * * * *", "2024-03-31 01:40",
	    "2024-03-31 03:00:00 +0200");
	assert_next("*/20 * * * *", "2024-03-31 03:00",
	    "2024-03-31 03:20:00 +0200");
	assert_next("0 4 * * *", "2024-03-31 01:00",
	    "2024-03-31 04:00:00 +0200");
}

/* From 02:00 to 03:00 there is everything twice. */
static void
autumn(void **state)
{
	const char *daily = "30 2 * * *", *often = "*/30 * * * *";
	time_t t;

	(void)state;
	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	t = next_of(daily, local("2024-10-27 01:00", 0));
	assert_at(daily, t, "2024-10-27 02:30:00 +0200");
	assert_at(daily, next_of(daily, t), "2024-10-28 02:30:00 +0100");
	t = local("2024-10-27 02:00", 0);
	t = next_of(often, t);
	assert_at(often, t, "2024-10-27 02:30:00 +0200");
	t = next_of(often, t);
	assert_at(often, t, "2024-10-27 02:00:00 +0100");
	t = next_of(often, t);
	assert_at(often, t, "2024-10-27 02:30:00 +0100");
	assert_at(often, next_of(often, t), "2024-10-27 03:00:00 +0100");
	assert_at("0 3 * * *", next_of("0 3 * * *",
	    local("2024-10-27 02:30", 1)), "2024-10-27 03:00:00 +0100");
}

/* Where the day itself begins late. */
static void
midnight(void **state)
{
	(void)state;
	zone("AAA3BBB,M10.3.0/0,M2.3.0/0");
	assert_next("30 0 * * *", "2024-10-19 12:00",
	    "2024-10-20 01:30:00 -0200");
	assert_next("0 0 * * *", "2024-10-19 12:00",
	    "2024-10-20 01:00:00 -0200");
	assert_next("0 12 20 * *", "2024-10-20 00:00",
	    "2024-10-20 12:00:00 -0200");
	/* And ends twice. */
	assert_next("30 23 * * *", "2024-02-17 23:30",
	    "2024-02-18 23:30:00 -0300");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields),
	    cmocka_unit_test(mistakes),
	    cmocka_unit_test(long_words),
	    cmocka_unit_test(spring),
	    cmocka_unit_test(autumn),
	    cmocka_unit_test(midnight),
	};

	return cmocka_run_group_tests_name("cron", tests, NULL, NULL);
}
