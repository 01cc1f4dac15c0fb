/* SPDX-License-Identifier: BSD-2-Clause */
/* The chunked coding: the same however it arrives, and nothing repaired. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "http/chunked.h"
#include "http/trailers.h"

#define S(text) (text), sizeof(text) - 1

static struct buf body;
static struct trailers trailers;

static int
setup(void **state)
{
	(void)state;
	body.len = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_free(&body);
	trailers_free(&trailers);
	return 0;
}

/*
 * Feed in pieces of step bytes, each in memory of its own.  Returns how it
 * ended, *eaten says after how many bytes.
 */
static int
feed(const char *in, size_t n, size_t step, size_t *eaten)
{
	struct chunked ch = {.trailers = &trailers.raw};
	const char *data;
	size_t used, ndata, piece, at = 0;
	char *copy;
	int rc = CHUNKED_MORE;

	body.len = 0;
	trailers_free(&trailers);
	*eaten = 0;
	while (rc == CHUNKED_MORE && *eaten < n) {
		piece = n - *eaten < step ? n - *eaten : step;
		copy = malloc(piece);
		assert_non_null(copy);
		memcpy(copy, in + *eaten, piece);
		for (at = 0; rc == CHUNKED_MORE && at < piece; at += used) {
			rc = chunked_feed(
			    &ch, copy + at, piece - at, &used, &data, &ndata);
			assert_true(used <= piece - at);
			assert_true(rc != CHUNKED_MORE || used > 0);
			assert_true(ndata <= used);
			if (ndata > 0)
				assert_true(data >= copy + at &&
				    data + ndata <= copy + at + used);
			buf_append(&body, data, ndata);
		}
		free(copy);
		*eaten += at;
	}
	return rc;
}

/* In any pieces: ends so, after so many bytes, with that body. */
static void
assert_reads(const char *in, size_t n, int end, size_t used, const char *want)
{
	static const size_t steps[] = {1, 2, 3, 7, 64, SIZE_MAX};
	size_t i, eaten;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(feed(in, n, steps[i], &eaten), end);
		assert_int_equal(eaten, used);
		assert_int_equal(body.len, strlen(want));
		if (body.len > 0)
			assert_memory_equal(body.p, want, body.len);
	}
}

static void
assert_bad(const char *in)
{
	size_t eaten, whole;

	assert_int_equal(feed(in, strlen(in), SIZE_MAX, &whole), CHUNKED_BAD);
	assert_int_equal(feed(in, strlen(in), 1, &eaten), CHUNKED_BAD);
	assert_int_equal(eaten, whole);
}

static void
reads_bodies(void **state)
{
	(void)state;
	assert_reads(S("0\r\n\r\n"), CHUNKED_DONE, 5, "");
	assert_reads(S("5\r\nhello\r\n0\r\n\r\n"), CHUNKED_DONE, 15, "hello");
	assert_reads(S("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n"),
	    CHUNKED_DONE, 26, "abcdef");
	assert_reads(S("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"),
	    CHUNKED_DONE, 35, "01234567890123456789");
	assert_reads(S("000000000000005\r\nhello\r\n000000000000000\r\n\r\n"),
	    CHUNKED_DONE, 43, "hello");
	/* Whatever the body looks like. */
	assert_reads(S("7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n"), CHUNKED_DONE, 17,
	    "\r\n0\r\n\r\n");
}

static void
leaves_what_follows(void **state)
{
	(void)state;
	assert_reads(S("0\r\n\r\nGET / HTTP/1.1\r\n"), CHUNKED_DONE, 5, "");
	assert_reads(S("1\r\nx\r\n0\r\n\r\n0\r\n\r\n"), CHUNKED_DONE, 11, "x");
	assert_reads(S("0\r\n\r\n\r\n\r\n"), CHUNKED_DONE, 5, "");
}

static void
wants_more(void **state)
{
	static const char all[] = "5\r\nhello\r\n0\r\na: b\r\n\r\n";
	size_t n;
	char want[6];

	(void)state;
	for (n = 0; n < sizeof(all) - 1; n++) {
		(void)snprintf(want, n < 3 ? 1 : n < 8 ? n - 2 : 6, "hello");
		assert_reads(all, n, CHUNKED_MORE, n, want);
	}
}

static void
assert_trailer(uint32_t i, const char *name, const char *value)
{
	const hostd_hdr *h = &trailers.v[i];

	assert_true(i < trailers.n);
	assert_int_equal(h->name.n, strlen(name));
	assert_memory_equal(h->name.p, name, h->name.n);
	assert_int_equal(h->value.n, strlen(value));
	assert_memory_equal(h->value.p, value, h->value.n);
}

static void
keeps_trailers(void **state)
{
	static const char in[] = "1\r\nx\r\n0\r\nDigest: abc \r\nX-E:\r\n"
				 "Content-Length: 7\r\nX-Colon:\t a:b\r\n\r\n";
	static const size_t steps[] = {1, 2, 3, 7, 64, SIZE_MAX};
	size_t i, eaten;

	(void)state;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(
		    feed(S(in), steps[i], &eaten), CHUNKED_DONE);
		trailers_split(&trailers);
		/* The length came too late to be one. */
		assert_int_equal(trailers.n, 3);
		assert_trailer(0, "Digest", "abc");
		assert_trailer(1, "X-E", "");
		assert_trailer(2, "X-Colon", "a:b");
	}
}

static void
has_no_trailers(void **state)
{
	size_t eaten;

	(void)state;
	assert_int_equal(feed(S("0\r\n\r\nA: b\r\n"), SIZE_MAX, &eaten),
	    CHUNKED_DONE);
	trailers_split(&trailers);
	assert_int_equal(trailers.n, 0);
	assert_null(trailers.raw.p);
}

static void
ignores_extensions(void **state)
{
	(void)state;
	assert_reads(S("1;a=b\r\nx\r\n0;c\r\n\r\n"), CHUNKED_DONE, 17, "x");
	assert_reads(
	    S("1; a = \"b c\";\td\r\nx\r\n0\r\n\r\n"), CHUNKED_DONE, 25, "x");
	assert_reads(S("1;\r\nx\r\n0\r\n\r\n"), CHUNKED_DONE, 12, "x");
	assert_reads(S("1;\xff\r\nx\r\n0\r\n\r\n"), CHUNKED_DONE, 13, "x");
}

static void
drops_trailers(void **state)
{
	(void)state;
	assert_reads(S("0\r\na: b\r\n\r\n"), CHUNKED_DONE, 11, "");
	assert_reads(S("1\r\nx\r\n0\r\nA:\r\nb-c:\t d \r\n\r\nGET"),
	    CHUNKED_DONE, 25, "x");
}

static void
refuses_sizes_that_are_none(void **state)
{
	static const char *const bad[] = {"\r\n", "\n", "x\r\n", "g\r\n",
	    "-1\r\n", "+1\r\n", " 1\r\n", "\t1\r\n", "0x1\r\nx\r\n", "1 \r\n",
	    "1\t;a\r\n", ";a\r\n", "1,\r\n", "1.\r\n", "1_0\r\n", "@\r\n",
	    "`\r\n", "G\r\n", ":\r\n", "/\r\n", "\x11\r\n", "\xb1\r\n"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_bad(bad[i]);
}

/* Sizes that another reader would see wrap around to small ones. */
static void
refuses_sizes_that_overflow(void **state)
{
	size_t eaten;

	(void)state;
	assert_bad("1000000000000000\r\n");
	assert_bad("10000000000000001\r\nx\r\n");
	assert_bad("ffffffffffffffff\r\n");
	assert_bad("0000000000000001\r\nx\r\n");
	assert_int_equal(
	    feed(S("fffffffffffffff\r\nx"), 1, &eaten), CHUNKED_MORE);
	assert_int_equal(eaten, 18);
	assert_int_equal(body.len, 1);
}

static void
refuses_other_line_ends(void **state)
{
	static const char *const bad[] = {"1\nx\r\n0\r\n\r\n",
	    "1\r\r\nx\r\n0\r\n\r\n", "1\rx\r\n", "1\r\nx\n0\r\n\r\n",
	    "1\r\nx\r0\r\n\r\n", "1\r\nx0\r\n\r\n", "1\r\nxy\r\n0\r\n\r\n",
	    "0\n\n", "0\r\n\n", "0\r\n\rx", "0\r\r\n\r\n", "1;a\nx\r\n",
	    "1;a\rx\r\n", "0\r\na: b\n\r\n", "0\r\na: b\r\r\n", "0\r\na: b\rc",
	    "2\r\nx\r\n\r\n0\r\n\r\n"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_bad(bad[i]);
}

static void
refuses_bad_trailers(void **state)
{
	static const char *const bad[] = {"0\r\n: b\r\n", "0\r\na\r\n\r\n",
	    "0\r\na b: c\r\n", "0\r\n a: b\r\n", "0\r\na : b\r\n",
	    "0\r\na: b\r\n c\r\n", "0\r\na: \x01\r\n", "0\r\na: \x7f\r\n",
	    "0\r\n\xe9: b\r\n", "0\r\n\r\r\n", "1;\x01\r\n", "1;\x7f\r\n"};
	size_t i, eaten;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_bad(bad[i]);
	assert_int_equal(feed(S("0\r\na: \0\r\n"), 1, &eaten), CHUNKED_BAD);
	assert_int_equal(feed(S("1;\0\r\n"), 1, &eaten), CHUNKED_BAD);
	assert_int_equal(feed(S("\0"), 1, &eaten), CHUNKED_BAD);
}

static void
bounds_extensions(void **state)
{
	char in[512];
	size_t n, eaten;

	(void)state;
	for (n = 250; n < 260; n++) {
		(void)snprintf(
		    in, sizeof(in), "1;%0*d\r\nx\r\n0\r\n\r\n", (int)n, 0);
		assert_int_equal(feed(in, strlen(in), 5, &eaten),
		    n <= 256 ? CHUNKED_DONE : CHUNKED_BAD);
	}
	/* Each has its own bound, not all together. */
	(void)snprintf(
	    in, sizeof(in), "1;%0200d\r\nx\r\n0;%0200d\r\n\r\n", 0, 0);
	assert_int_equal(feed(in, strlen(in), 5, &eaten), CHUNKED_DONE);
}

static void
bounds_trailers(void **state)
{
	static char in[20000];
	size_t n, k, eaten, edge = 0;
	int rc, before = CHUNKED_DONE;

	(void)state;
	for (n = 8100; n < 8300; n++) {
		(void)snprintf(
		    in, sizeof(in), "0\r\na: %0*d\r\n\r\n", (int)n, 0);
		rc = feed(in, strlen(in), SIZE_MAX, &eaten);
		assert_int_equal(feed(in, strlen(in), 1, &k), rc);
		assert_int_equal(k, eaten);
		if (rc != before)
			edge = n;
		/* Once too long, always too long. */
		assert_true(rc == before || before == CHUNKED_DONE);
		before = rc;
	}
	assert_int_equal(before, CHUNKED_BAD);
	assert_true(edge > 8150 && edge <= 8192);
	/* Many small ones are as bad as a long one. */
	n = (size_t)snprintf(in, sizeof(in), "0\r\n");
	while (n + 8 < sizeof(in))
		n += (size_t)snprintf(in + n, sizeof(in) - n, "a: b\r\n");
	assert_int_equal(feed(in, n, 100, &eaten), CHUNKED_BAD);
	assert_true(eaten < 8300);
}

/* Each byte of a good body replaced by each value: both ways of feeding agree.
 */
static void
pieces_never_matter(void **state)
{
	static const char good[] = "3;e=f\r\nabc\r\n0\r\nt: u\r\n\r\nrest";
	char in[sizeof(good)];
	struct buf whole = {NULL, 0, 0};
	size_t i, eaten, eaten1;
	int v, rc;

	(void)state;
	for (i = 0; i < sizeof(good) - 1; i++)
		for (v = 0; v < 256; v++) {
			memcpy(in, good, sizeof(good));
			in[i] = (char)v;
			rc = feed(in, sizeof(in) - 1, SIZE_MAX, &eaten);
			whole.len = 0;
			buf_append(&whole, body.p, body.len);
			assert_int_equal(
			    feed(in, sizeof(in) - 1, 1, &eaten1), rc);
			assert_int_equal(eaten1, eaten);
			assert_int_equal(body.len, whole.len);
			if (body.len > 0)
				assert_memory_equal(body.p, whole.p, body.len);
		}
	buf_free(&whole);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(reads_bodies),
	    T(leaves_what_follows),
	    T(wants_more),
	    T(ignores_extensions),
	    T(drops_trailers),
	    T(keeps_trailers),
	    T(has_no_trailers),
	    T(refuses_sizes_that_are_none),
	    T(refuses_sizes_that_overflow),
	    T(refuses_other_line_ends),
	    T(refuses_bad_trailers),
	    T(bounds_extensions),
	    T(bounds_trailers),
	    T(pieces_never_matter),
	};

	return cmocka_run_group_tests_name("chunked", tests, NULL, NULL);
}
