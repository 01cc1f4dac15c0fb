/* SPDX-License-Identifier: BSD-2-Clause */
/* Range headers: which bytes, and when the header is none of our business. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <web/range.h>

static struct range ranges[RANGES_MAX];

static int
parse(const char *text, uint64_t size)
{
	size_t n = strlen(text);
	char *copy = malloc(n > 0 ? n : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, text, n);
	memset(ranges, 0xff, sizeof(ranges));
	rc = range_parse(copy, n, size, ranges);
	free(copy);
	return rc;
}

static void
assert_one(const char *text, uint64_t size, uint64_t from, uint64_t len)
{
	int rc = parse(text, size);

	if (rc != 1)
		fail_msg("\"%s\": %d", text, rc);
	assert_true(ranges[0].from == from);
	assert_true(ranges[0].len == len);
}

static void
assert_all(const char *const *texts, size_t n, uint64_t size, int want)
{
	int rc;

	for (; n-- > 0; texts++)
		if ((rc = parse(*texts, size)) != want)
			fail_msg("\"%s\": %d", *texts, rc);
}

static void
one_range(void **state)
{
	(void)state;
	assert_one("bytes=0-0", 100, 0, 1);
	assert_one("bytes=0-99", 100, 0, 100);
	assert_one("bytes=0-", 100, 0, 100);
	assert_one("bytes=99-", 100, 99, 1);
	assert_one("bytes=10-19", 100, 10, 10);
	assert_one("bytes=90-1000", 100, 90, 10);
	assert_one("bytes=-1", 100, 99, 1);
	assert_one("bytes=-100", 100, 0, 100);
	assert_one("bytes=-1000", 100, 0, 100);
	assert_one("BYTES=0-1", 100, 0, 2);
	assert_one("bytes= \t0-1 ", 100, 0, 2);
	assert_one("bytes=000-0001", 100, 0, 2);
	assert_one("bytes=,0-1,", 100, 0, 2);
}

static void
numbers_beyond_everything(void **state)
{
	static const char *const outside[] = {"bytes=18446744073709551615-",
	    "bytes=18446744073709551616-",
	    "bytes=99999999999999999999-1999999999999999999999",
	    "bytes=184467440737095516160-184467440737095516161"};

	(void)state;
	assert_one("bytes=0-18446744073709551615", 100, 0, 100);
	assert_one("bytes=1-18446744073709551616", 100, 1, 99);
	assert_one("bytes=2-99999999999999999999999999", 100, 2, 98);
	assert_one("bytes=-18446744073709551616", 100, 0, 100);
	assert_one("bytes=-99999999999999999999999999", 100, 0, 100);
	assert_one("bytes=9223372036854775806-", INT64_MAX,
	    INT64_MAX - UINT64_C(1), 1);
	assert_all(outside, sizeof(outside) / sizeof(outside[0]), 100,
	    RANGE_UNSATISFIABLE);
}

static void
outside_of_the_file(void **state)
{
	static const char *const texts[] = {"bytes=100-", "bytes=100-100",
	    "bytes=1000-2000", "bytes=-0", "bytes=100-,200-,-0"};
	static const char *const of_empty[] = {
	    "bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0", "bytes=5-6"};

	(void)state;
	assert_all(
	    texts, sizeof(texts) / sizeof(texts[0]), 100, RANGE_UNSATISFIABLE);
	assert_all(of_empty, sizeof(of_empty) / sizeof(of_empty[0]), 0,
	    RANGE_UNSATISFIABLE);
	/* One that lies inside is enough. */
	assert_one("bytes=100-,5-6,-0", 100, 5, 2);
}

static void
none_of_our_business(void **state)
{
	static const char *const texts[] = {"", "bytes", "bytes=", "bytes=,",
	    "bytes= ", "bytes=-", "bytes=a-b", "bytes=1", "bytes=1-0",
	    "bytes=2-1,0-0", "items=0-1", "bytes:0-1", "bytes =0-1",
	    " bytes=0-1", "bytes=0 -1", "bytes=0- 1", "bytes=0-1 2-3",
	    "bytes=0-1;2-3", "bytes=0-1-2", "bytes=--1", "bytes=+1-2",
	    "bytes=0x0-1", "bytes=1.0-2", "bytes=0-1,x", "bytes=0-1,-",
	    "byte=0-1"};

	(void)state;
	assert_all(texts, sizeof(texts) / sizeof(texts[0]), 100, RANGE_IGNORE);
}

static void
several(void **state)
{
	(void)state;
	assert_int_equal(parse("bytes=0-0, -1 ,50-59", 100), 3);
	assert_true(ranges[0].from == 0 && ranges[0].len == 1);
	assert_true(ranges[1].from == 99 && ranges[1].len == 1);
	assert_true(ranges[2].from == 50 && ranges[2].len == 10);
	/* Adjacent ones may cover everything, but nothing twice over. */
	assert_int_equal(parse("bytes=50-99,0-49", 100), 2);
	assert_int_equal(parse("bytes=0-49,49-99", 100), RANGE_IGNORE);
	assert_int_equal(parse("bytes=0-,0-", 100), RANGE_IGNORE);
}

static void
no_more_than_there_is_room_for(void **state)
{
	char text[256] = "bytes=0-0";
	int i;

	(void)state;
	for (i = 1; i < RANGES_MAX; i++)
		(void)sprintf(text + strlen(text), ",%d-%d", i, i);
	assert_int_equal(parse(text, 100), RANGES_MAX);
	assert_true(ranges[RANGES_MAX - 1].from == RANGES_MAX - 1);
	(void)strcat(text, ",200-");
	assert_int_equal(parse(text, 100), RANGES_MAX);
	(void)strcat(text, ",20-20");
	assert_int_equal(parse(text, 100), RANGE_IGNORE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_range),
	    cmocka_unit_test(numbers_beyond_everything),
	    cmocka_unit_test(outside_of_the_file),
	    cmocka_unit_test(none_of_our_business),
	    cmocka_unit_test(several),
	    cmocka_unit_test(no_more_than_there_is_room_for),
	};

	return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
