/* SPDX-License-Identifier: BSD-2-Clause */
/* The guard: finds the end of a head, and lets nothing doubtful through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http/guard.h"

#define S(text) (text), sizeof(text) - 1

static const struct guard_limits wide = {
    .request_line = 8192, .head = 16384, .headers = 100};

/*
 * What the guard says of a head that grows by step bytes: its first answer
 * that is not "more".  The bytes move each time, in memory of just that size.
 */
static int
scan(const struct guard_limits *lim, const char *in, size_t n, size_t step)
{
	struct guard g = {0};
	size_t len = 0;
	char *copy;
	int rc = 0;

	while (rc == 0 && len < n) {
		len = n - len < step ? n : len + step;
		copy = malloc(len);
		assert_non_null(copy);
		memcpy(copy, in, len);
		rc = guard_head(&g, lim, copy, len);
		free(copy);
	}
	return rc;
}

static void
assert_scans(const struct guard_limits *lim, const char *in, size_t n, int want)
{
	static const size_t steps[] = {1, 2, 3, 5, 17, SIZE_MAX};
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		assert_int_equal(scan(lim, in, n, steps[i]), want);
}

/* The line as a header of an else good head. */
static int
scan_header(const char *line, size_t n, size_t step)
{
	char in[512];
	size_t at = (size_t)snprintf(in, sizeof(in), "GET / HTTP/1.1\r\n");

	memcpy(in + at, line, n);
	at += n;
	memcpy(in + at, "\r\nHost: a\r\n\r\n", 13);
	return scan(&wide, in, at + 13, step);
}

static void
finds_the_end(void **state)
{
	(void)state;
	assert_scans(&wide, S("GET / HTTP/1.1\r\n\r\n"), 18);
	assert_scans(&wide, S("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 27);
	assert_scans(
	    &wide, S("GET / HTTP/1.1\r\nHost: a\r\n\r\nbody\r\n\r\n"), 27);
	assert_scans(&wide, S("G / H\r\na:\r\nb: \r\nc:d\r\n\r\nG"), 23);
	assert_scans(&wide, S("POST / HTTP/1.1\r\n\r\n\n\n\n"), 19);
}

static void
waits_for_the_rest(void **state)
{
	static const char all[] = "GET / HTTP/1.1\r\nHost: a\r\nb: c\r\n\r\n";
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(all) - 1; n++)
		assert_scans(&wide, all, n, 0);
}

static void
refuses_other_line_ends(void **state)
{
	static const char *const bad[] = {"GET / HTTP/1.1\n\n",
	    "GET / HTTP/1.1\nHost: a\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: a\n\r\n",
	    "GET / HTTP/1.1\r\nHost: a\r\n\n", "GET / HTTP/1.1\r\nHost: a\n\n",
	    "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: a\rb: c\r\n\r\n",
	    "GET / HTTP/1.1\r\r\n\r\n", "GET / HTTP/1.1\rHost: a\r\n\r\n",
	    "GET\r/ HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\r\n",
	    "GET / HTTP/1.1\r\n\rHost: a\r\n\r\n"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_scans(&wide, bad[i], strlen(bad[i]), -400);
}

static void
refuses_lines_before_the_request(void **state)
{
	(void)state;
	assert_scans(&wide, S("\r\nGET / HTTP/1.1\r\n\r\n"), -400);
	assert_scans(&wide, S("\nGET / HTTP/1.1\r\n\r\n"), -400);
	assert_scans(&wide, S(" GET / HTTP/1.1\r\n\r\n"), -400);
	assert_scans(&wide, S("\rGET / HTTP/1.1\r\n\r\n"), -400);
}

static void
refuses_request_lines(void **state)
{
	static const char *const bad[] = {"GET\r\n\r\n", "GET /\r\n\r\n",
	    "GET  / HTTP/1.1\r\n\r\n", "GET /  HTTP/1.1\r\n\r\n",
	    "GET / HTTP/1.1 \r\n\r\n", "GET / x HTTP/1.1\r\n\r\n",
	    "GET\t/ HTTP/1.1\r\n\r\n", "GET /\tHTTP/1.1\r\n\r\n",
	    "GET /\x01 HTTP/1.1\r\n\r\n", "GET /\x7f HTTP/1.1\r\n\r\n",
	    "GET /\xc3\xa9 HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\t\r\n\r\n",
	    "GET / \r\n\r\n", "a\r\n\r\n", "  \r\n\r\n"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_scans(&wide, bad[i], strlen(bad[i]), -400);
	assert_scans(&wide, S("GET /\0 HTTP/1.1\r\n\r\n"), -400);
}

/* A byte that can't start a method ends it at once: TLS on a plain port. */
static void
refuses_other_protocols_at_once(void **state)
{
	(void)state;
	assert_scans(&wide, S("\x16\x03\x01"), -400);
	assert_scans(&wide, S("\0"), -400);
	assert_scans(&wide, S("\x80"), -400);
	assert_scans(&wide, S("{"), -400);
	assert_scans(&wide, S(":"), -400);
}

static void
takes_header_lines(void **state)
{
	static const char *const good[] = {"a:", "a: ", "a:b", "a:  b  ",
	    "a:\tb\t", "a: b: c", "a::", "!#$%&'*+-.^_`|~09AZaz: x",
	    "a: \x80\xff", "a: \xc3\xa9t\xc3\xa9", "a: \"\\\"", "a: b\tc"};
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		n = strlen(good[i]);
		assert_int_equal(scan_header(good[i], n, 1), 16 + n + 13);
		assert_int_equal(
		    scan_header(good[i], n, SIZE_MAX), 16 + n + 13);
	}
}

static void
refuses_header_lines(void **state)
{
	static const char *const bad[] = {"a", ":", ": b", " a: b", "\ta: b",
	    "a : b", "a\t: b", "a b: c", "a\x01: b", "\xe9: b", "a(: b",
	    "\"a\": b", "a,b: c", "a/b: c", "a: \x01", "a: \x1f", "a: \x7f",
	    "a: b\x0b", "a: b\x0c", "a: \x1b[m", " b", "a: b\r\n c",
	    "a: b\r\n\tc", "a=b", "a;: b", "[a]: b", "a@b: c", "{}: c"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(scan_header(bad[i], strlen(bad[i]), 1), -400);
		assert_int_equal(
		    scan_header(bad[i], strlen(bad[i]), SIZE_MAX), -400);
	}
	assert_int_equal(scan_header(S("a: b\0c"), 1), -400);
	assert_int_equal(scan_header(S("a\0: b"), 1), -400);
}

/* Eight at a time must see what one at a time sees, at every place. */
static void
control_bytes_at_every_place(void **state)
{
	char value[24];
	size_t n, at;
	int c, bad;

	(void)state;
	for (n = 1; n <= sizeof(value); n++)
		for (at = 0; at < n; at++)
			for (c = 0; c < 256; c++) {
				memset(value, c == 0x80 ? '\t' : 0xff, n);
				value[at] = (char)c;
				bad = (c < 0x20 && c != '\t') || c == 0x7f;
				assert_int_equal(
				    is_field_value(value, n), !bad);
			}
	assert_true(is_field_value("", 0));
}

static void
tokens(void **state)
{
	static const char chars[] = "!#$%&'*+-.^_`|~0123456789"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz";
	int c, n = 0;

	(void)state;
	for (c = 0; c < 256; c++) {
		assert_int_equal(!is_tchar((unsigned char)c),
		    c == 0 || strchr(chars, c) == NULL);
		n += is_tchar((unsigned char)c);
	}
	assert_int_equal(n, sizeof(chars) - 1);
	assert_false(is_token("", 0));
	assert_true(is_token("a", 1));
	assert_false(is_token("a b", 3));
	assert_false(is_token("a\0", 2));
}

static void
limits_the_request_line(void **state)
{
	const struct guard_limits lim = {
	    .request_line = 64, .head = 1000, .headers = 10};
	char in[256];
	int n;

	(void)state;
	for (n = 60; n < 70; n++) {
		(void)snprintf(
		    in, sizeof(in), "GET /%0*d HTTP/1.1\r\n\r\n", n - 14, 0);
		assert_scans(&lim, in, (size_t)n + 4, n <= 64 ? n + 4 : -414);
	}
	/* Without an end it is told as soon as it is certain. */
	memset(in, 'a', sizeof(in));
	assert_scans(&lim, in, 64, 0);
	assert_scans(&lim, in, 65, 0);
	assert_scans(&lim, in, 66, -414);
	assert_scans(&lim, in, sizeof(in), -414);
}

static void
limits_the_head(void **state)
{
	const struct guard_limits lim = {
	    .request_line = 64, .head = 100, .headers = 10};
	char in[256];
	int n;

	(void)state;
	for (n = 90; n < 110; n++) {
		(void)snprintf(in, sizeof(in),
		    "GET / HTTP/1.1\r\na: %0*d\r\n\r\n", n - 23, 0);
		assert_int_equal(strlen(in), n);
		assert_scans(&lim, in, (size_t)n, n <= 100 ? n : -431);
		/* What follows the head is no part of it. */
		(void)strcat(in, "body and more of it");
		assert_scans(&lim, in, strlen(in), n <= 100 ? n : -431);
	}
	(void)snprintf(in, sizeof(in), "GET / HTTP/1.1\r\na: %0200d", 0);
	assert_scans(&lim, in, 100, 0);
	assert_scans(&lim, in, 101, -431);
}

static void
limits_the_number_of_headers(void **state)
{
	struct guard_limits lim = {
	    .request_line = 64, .head = 1000, .headers = 0};
	char in[256] = "GET / HTTP/1.1\r\n";
	size_t i;

	(void)state;
	for (i = 0; i < 8; i++)
		(void)strcat(in, "a: b\r\n");
	(void)strcat(in, "\r\n");
	for (lim.headers = 0; lim.headers < 12; lim.headers++)
		assert_scans(&lim, in, strlen(in),
		    lim.headers >= 8 ? (int)strlen(in) : -431);
	lim.headers = 0;
	assert_scans(&lim, S("GET / HTTP/1.1\r\n\r\n"), 18);
}

/* Each byte of a good head replaced by each value: pieces never matter. */
static void
any_one_byte(void **state)
{
	static const char good[] = "GET /a HTTP/1.1\r\nHo: a b\r\nc:d\r\n\r\nX";
	char in[sizeof(good)];
	size_t i;
	int v, refused = 0, rc;

	(void)state;
	for (i = 0; i < sizeof(good) - 1; i++)
		for (v = 0; v < 256; v++) {
			memcpy(in, good, sizeof(good));
			in[i] = (char)v;
			rc = scan(&wide, in, sizeof(in) - 1, SIZE_MAX);
			assert_scans(&wide, in, sizeof(in) - 1, rc);
			refused += rc < 0;
		}
	assert_true(refused > 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_the_end),
	    cmocka_unit_test(waits_for_the_rest),
	    cmocka_unit_test(refuses_other_line_ends),
	    cmocka_unit_test(refuses_lines_before_the_request),
	    cmocka_unit_test(refuses_request_lines),
	    cmocka_unit_test(refuses_other_protocols_at_once),
	    cmocka_unit_test(takes_header_lines),
	    cmocka_unit_test(refuses_header_lines),
	    cmocka_unit_test(control_bytes_at_every_place),
	    cmocka_unit_test(tokens),
	    cmocka_unit_test(limits_the_request_line),
	    cmocka_unit_test(limits_the_head),
	    cmocka_unit_test(limits_the_number_of_headers),
	    cmocka_unit_test(any_one_byte),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
