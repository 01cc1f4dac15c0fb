/* SPDX-License-Identifier: BSD-2-Clause */
/* Conditional requests: which header wins, and what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <web/conditional.h>

#define ETAG "\"abc-1\""
#define MODIFIED 784111777 /* DATE */
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

static hostd_buf
text(const char *s)
{
	return (hostd_buf){s, s == NULL ? 0 : strlen(s)};
}

struct one {
	const char *value;
	int want;
};

static void
if_match(void **state)
{
	static const struct one cases[] = {{"*", 0}, {ETAG, 0},
	    {"\"x\", " ETAG, 0}, {ETAG ",\"y\"", 0}, {"\"x\"\t,," ETAG, 0},
	    {"\"abc\"", 412}, {"\"abc-12\"", 412}, {"\"ABC-1\"", 412},
	    {"W/" ETAG, 412}, {"W/" ETAG ", " ETAG, 0}, {"abc-1", 412},
	    {"", 412}, {",", 412}, {"\"abc-1", 412}, {"w/" ETAG, 412},
	    {"W/", 412}, {"W", 412}, {"\"", 412}, {"**", 412}, {"\"*\"", 412}};
	struct conditions c = {.if_match = {NULL, 0}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		c.if_match = text(cases[i].value);
		if (conditional_check(&c, ETAG, MODIFIED) != cases[i].want)
			fail_msg("If-Match: %s", cases[i].value);
	}
}

static void
if_none_match(void **state)
{
	static const struct one cases[] = {{"*", 304}, {ETAG, 304},
	    {"W/" ETAG, 304}, {"\"x\", W/" ETAG, 304}, {"\"x\"", 0}, {"", 0},
	    {"abc-1", 0}, {"\"a\\\"bc-1\"", 0}, {"\"\"", 0},
	    {"\"x,\"," ETAG, 304}};
	struct conditions c = {.if_match = {NULL, 0}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		c.if_none_match = text(cases[i].value);
		if (conditional_check(&c, ETAG, MODIFIED) != cases[i].want)
			fail_msg("If-None-Match: %s", cases[i].value);
	}
}

static void
dates(void **state)
{
	static const struct one since[] = {{DATE, 304}, {AFTER, 304},
	    {BEFORE, 0}, {"Sun Nov  6 08:49:37 1994", 304}, {"x", 0}, {"", 0},
	    {"0", 0}, {"-1", 0}};
	static const struct one until[] = {{DATE, 0}, {AFTER, 0}, {BEFORE, 412},
	    {"Sunday, 06-Nov-94 08:49:36 GMT", 412}, {"x", 0}, {"", 0}};
	struct conditions c = {.if_match = {NULL, 0}};
	size_t i;

	(void)state;
	assert_int_equal(conditional_check(&c, ETAG, MODIFIED), 0);
	for (i = 0; i < sizeof(since) / sizeof(since[0]); i++) {
		c.if_modified_since = text(since[i].value);
		if (conditional_check(&c, ETAG, MODIFIED) != since[i].want)
			fail_msg("If-Modified-Since: %s", since[i].value);
	}
	c.if_modified_since = text(NULL);
	for (i = 0; i < sizeof(until) / sizeof(until[0]); i++) {
		c.if_unmodified_since = text(until[i].value);
		if (conditional_check(&c, ETAG, MODIFIED) != until[i].want)
			fail_msg("If-Unmodified-Since: %s", until[i].value);
	}
}

/* RFC 9110 section 13.2.2. */
static void
tags_win_over_dates(void **state)
{
	struct conditions c = {.if_match = {NULL, 0}};

	(void)state;
	c.if_none_match = text("\"x\"");
	c.if_modified_since = text(DATE);
	assert_int_equal(conditional_check(&c, ETAG, MODIFIED), 0);
	c.if_match = text(ETAG);
	c.if_unmodified_since = text(BEFORE);
	assert_int_equal(conditional_check(&c, ETAG, MODIFIED), 0);
	c.if_none_match = text(ETAG);
	assert_int_equal(conditional_check(&c, ETAG, MODIFIED), 304);
	/* What must hold comes before what may be skipped. */
	c.if_match = text("\"x\"");
	assert_int_equal(conditional_check(&c, ETAG, MODIFIED), 412);
	c.if_match = text(NULL);
	assert_int_equal(conditional_check(&c, ETAG, MODIFIED), 412);
}

static void
if_range(void **state)
{
	static const struct one cases[] = {{ETAG, 1}, {"W/" ETAG, 0},
	    {"\"abc-12\"", 0}, {"\"abc-\"", 0}, {"\"abc\"", 0}, {"\"", 0},
	    {DATE, 1}, {AFTER, 0}, {BEFORE, 0}, {"Sun Nov  6 08:49:37 1994", 1},
	    {"", 0}, {"*", 0}, {"abc-1", 0}, {ETAG ", \"x\"", 0}};
	struct conditions c = {.if_match = {NULL, 0}};
	size_t i;

	(void)state;
	assert_int_equal(conditional_range(&c, ETAG, MODIFIED), 1);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		c.if_range = text(cases[i].value);
		if (conditional_range(&c, ETAG, MODIFIED) != cases[i].want)
			fail_msg("If-Range: %s", cases[i].value);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(if_match),
	    cmocka_unit_test(if_none_match),
	    cmocka_unit_test(dates),
	    cmocka_unit_test(tags_win_over_dates),
	    cmocka_unit_test(if_range),
	};

	return cmocka_run_group_tests_name("conditional", tests, NULL, NULL);
}
