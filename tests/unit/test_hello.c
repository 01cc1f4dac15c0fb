/* SPDX-License-Identifier: BSD-2-Clause */
/* The name that a TLS client asks for, byte by byte and in records of any
 * size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "net/hello.h"

static char msg[HELLO_MAX], rec[6 * HELLO_MAX], name[HELLO_NAME_MAX];
static size_t len, reclen;

static void
put(const void *p, size_t n)
{
	memcpy(msg + len, p, n);
	len += n;
}

static void
put16(size_t v)
{
	const char b[2] = { (char)(v >> 8), (char)v };

	put(b, 2);
}

/* A ClientHello with these extensions; n -1: without any. */
static void
hello(const void *exts, long n)
{
	static const char random[32] = "random";
	size_t body;

	len = 0;
	put("\1\0\0\0\3\3", 6);
	put(random, sizeof(random));
	put("\2id\0\2\x13\1\1\0", 9);
	if (n >= 0) {
		put16((size_t)n);
		put(exts, (size_t)n);
	}
	body = len - 4;
	msg[2] = (char)(body >> 8);
	msg[3] = (char)body;
}

static void
records(size_t size)
{
	size_t at, n;

	for (at = reclen = 0; at < len; at += n) {
		n = len - at < size ? len - at : size;
		rec[reclen++] = 22;
		rec[reclen++] = 3;
		rec[reclen++] = 1;
		rec[reclen++] = (char)(n >> 8);
		rec[reclen++] = (char)n;
		memcpy(rec + reclen, msg + at, n);
		reclen += n;
	}
}

static enum hello
parse(void)
{
	enum hello rc = HELLO_MORE;
	size_t i;

	for (i = 0; i <= reclen && rc == HELLO_MORE; i++)
		rc = hello_parse(rec, i, name);
	assert_true(rc == HELLO_MORE || rc == HELLO_NOT || i == reclen + 1);
	return rc;
}

#define EXT(lit)	hello(lit, sizeof(lit) - 1)

static void
test_names(void **state)
{
	static const size_t sizes[] = { 1, 3, 4, 5, 40, 16000 };
	size_t i;

	(void)state;
	EXT("\0\x2b\0\3\2\3\4" "\0\0\0\x0f\0\x0d\0\0\x0aWww.X_1.De"
	    "\0\x10\0\5\0\3\2h2");
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		records(sizes[i]);
		assert_int_equal(parse(), HELLO_NAME);
		assert_string_equal(name, "www.x_1.de");
	}
	EXT("\0\0\0\x09\0\7\0\0\4a.b.");
	records(100);
	assert_int_equal(parse(), HELLO_NAME);
	assert_string_equal(name, "a.b");
	/* Of a kind that is not known. */
	EXT("\0\0\0\x0d\0\x0b\7\0\2\1\1\0\0\3a.b");
	records(100);
	assert_int_equal(parse(), HELLO_NAME);
}

static void
test_no_name(void **state)
{
	(void)state;
	hello("", 0);
	records(100);
	assert_int_equal(parse(), HELLO_NO_NAME);
	hello("", -1);
	records(100);
	assert_int_equal(parse(), HELLO_NO_NAME);
	EXT("\0\x10\0\5\0\3\2h2");
	records(10);
	assert_int_equal(parse(), HELLO_NO_NAME);
}

static void
refused(void)
{
	records(100);
	assert_int_equal(parse(), HELLO_NOT);
}

static void
test_refused(void **state)
{
	(void)state;
	/* Lengths that do not fit, names that are none, twice the same. */
	EXT("\0\0\0\x09\0\7\0\0\5a.b.");
	refused();
	EXT("\0\0\0\x09\0\6\0\0\4a.b.");
	refused();
	EXT("\0\0\0\x0a\0\7\0\0\4a.b.");
	refused();
	EXT("\0\0\0\6\0\4\0\0\1/");
	refused();
	EXT("\0\0\0\5\0\3\0\0\0");
	refused();
	EXT("\0\0\0\6\0\4\0\0\1.");
	refused();
	EXT("\0\0\0\x0a\0\x08\0\0\1a\0\0\1b");
	refused();
	EXT("\0\0\0\6\0\4\0\0\1a" "\0\0\0\6\0\4\0\0\1a");
	refused();
	hello("", 0);
	len++;
	msg[3]++;
	refused();
}

static void
test_other_bytes(void **state)
{
	(void)state;
	hello("", 0);
	records(100);
	rec[0] = 23;
	assert_int_equal(parse(), HELLO_NOT);
	rec[0] = 22;
	rec[1] = 2;
	assert_int_equal(parse(), HELLO_NOT);
	rec[1] = 3;
	rec[5] = 2;
	assert_int_equal(parse(), HELLO_NOT);
	rec[5] = 1;
	rec[3] = rec[4] = 0;
	assert_int_equal(parse(), HELLO_NOT);
	memcpy(rec, "GET / HTTP/1.1\r\n", reclen = 16);
	assert_int_equal(parse(), HELLO_NOT);
	/* A message that is longer than is looked at; one that is so with the
	 * heads of its records. */
	memcpy(rec, "\x16\3\1\x3f\xff\1\0\x40\0", reclen = 9);
	assert_int_equal(parse(), HELLO_NOT);
	EXT("\0\0\0\6\0\4\0\0\1a");
	len = 12000;
	msg[2] = (char)((len - 4) >> 8);
	msg[3] = (char)(len - 4);
	records(1);
	assert_int_equal(hello_parse(rec, HELLO_MAX - 1, name), HELLO_MORE);
	assert_int_equal(hello_parse(rec, reclen, name), HELLO_NOT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_no_name),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_other_bytes),
	};

	return cmocka_run_group_tests_name("hello", tests, NULL, NULL);
}
