/* SPDX-License-Identifier: BSD-2-Clause */
/* A master's state over exec: what is written is what is read, by whatever
 * version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "master/record.h"

static struct record out, in;
static char why[256];
static int fd;

static int
setup(void **state)
{
	(void)state;
	record_init(&out);
	memset(&in, 0, sizeof(in));
	why[0] = '\0';
	fd = -1;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	record_free(&out);
	record_free(&in);
	if (fd != -1)
		(void)close(fd);
	return 0;
}

static void
put(const char *name, json_t *v)
{
	assert_int_equal(json_object_set_new(out.root, name, v), 0);
}

static void
reread(void)
{
	fd = record_write(&out, why, sizeof(why));
	assert_true(fd > STDERR_FILENO);
	assert_int_equal(record_read(&in, fd, why, sizeof(why)), 0);
}

/* A memfd with that text. */
static int
memfd_of(const char *text)
{
	size_t n = strlen(text);

	fd = memfd_create("test", MFD_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, n), n);
	return fd;
}

static void
assert_refused(const char *text, const char *reason)
{
	assert_int_equal(
	    record_read(&in, memfd_of(text), why, sizeof(why)), -1);
	/* The parser's own words may follow. */
	why[strlen(reason)] = '\0';
	assert_string_equal(why, reason);
	assert_null(in.root);
	(void)close(fd);
	fd = -1;
}

static int
is_close_on_exec(int n)
{
	return fcntl(n, F_GETFD) & FD_CLOEXEC;
}

static void
test_values(void **state)
{
	struct buf b = {0};

	(void)state;
	put("number", json_integer(-7));
	put("flag", json_true());
	put("text", json_string("a \"b\""));
	put("bytes", record_bytes("\0\x7f\xff", 3));
	reread();
	assert_int_equal(record_int(in.root, "number", 1), -7);
	assert_true(record_flag(in.root, "flag"));
	assert_string_equal(record_text(in.root, "text", ""), "a \"b\"");
	record_get_bytes(in.root, "bytes", &b);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.p, "\0\x7f\xff", 3);
	buf_free(&b);
}

static void
test_missing_values_have_defaults(void **state)
{
	struct buf b = {0};

	(void)state;
	put("number", json_string("7"));
	put("bytes", json_string("0g"));
	reread();
	assert_int_equal(record_int(in.root, "number", 5), 5);
	assert_int_equal(record_int(in.root, "other", 6), 6);
	assert_int_equal(record_int(NULL, "other", 7), 7);
	assert_false(record_flag(in.root, "flag"));
	assert_null(record_text(in.root, "text", NULL));
	assert_int_equal(record_take_fd(&in, in.root, "socket"), -1);
	record_get_bytes(in.root, "bytes", &b);
	record_get_bytes(in.root, "more", &b);
	assert_int_equal(b.len, 0);
}

static void
test_long(void **state)
{
	static char text[300 * 1024];
	const char *read;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	put("text", json_string(text));
	reread();
	read = record_text(in.root, "text", "");
	assert_int_equal(strlen(read), sizeof(text) - 1);
}

static void
test_descriptors(void **state)
{
	int pair[2], log;

	(void)state;
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	put("one", record_fd(&out, pair[0]));
	put("two", record_fd(&out, pair[1]));
	put("log", record_fd(&out, STDERR_FILENO));
	put("none", record_fd(&out, -1));
	reread();

	record_pass(&out, 1);
	assert_false(is_close_on_exec(pair[0]));
	assert_false(is_close_on_exec(pair[1]));
	assert_int_equal(record_take_fd(&in, in.root, "one"), pair[0]);
	/* It has an owner now. */
	assert_int_equal(record_take_fd(&in, in.root, "one"), -1);
	assert_int_equal(record_take_fd(&in, in.root, "none"), -1);
	log = record_take_fd(&in, in.root, "log");
	assert_int_equal(log, STDERR_FILENO);
	record_settle(&in);
	assert_true(is_close_on_exec(pair[0]));
	/* Nobody knows what it is for. */
	assert_int_equal(fcntl(pair[1], F_GETFD), -1);
	assert_false(is_close_on_exec(STDERR_FILENO));
	(void)close(pair[0]);
}

static void
test_descriptors_stay_after_all(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	record_carry(&out, pair[0]);
	record_pass(&out, 1);
	assert_false(is_close_on_exec(pair[0]));
	assert_true(is_close_on_exec(pair[1]));
	record_pass(&out, 0);
	assert_true(is_close_on_exec(pair[0]));
	(void)close(pair[0]);
	(void)close(pair[1]);
}

static void
test_descriptors_that_are_not_open(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	put("one", record_fd(&out, pair[0]));
	put("stranger", json_integer(pair[1]));
	(void)close(pair[0]);
	reread();
	/* The memfd may have its number now. */
	if (fd != pair[0])
		assert_int_equal(record_take_fd(&in, in.root, "one"), -1);
	assert_int_equal(record_take_fd(&in, in.root, "stranger"), -1);
	(void)close(pair[1]);
}

static void
test_refused(void **state)
{
	(void)state;
	assert_refused("", "it is no state of a hostd");
	assert_refused("{}", "it is no state of a hostd");
	assert_refused("hostd-state\n", "it is no state of a hostd");
	assert_refused("hostd-state 2 2\n{}",
	    "the state's format is 2, this hostd knows 1");
	assert_refused("hostd-state 1 10\n{}",
	    "the state is cut off: 2 bytes of 10");
	assert_refused("hostd-state 1 1\n{}",
	    "the state is cut off: 2 bytes of 1");
	assert_refused("hostd-state 1 2\n[]",
	    "the state can't be read: it is no object");
	assert_refused("hostd-state 1 1\n{",
	    "the state can't be read: ");
	assert_int_equal(record_read(&in, -1, why, sizeof(why)), -1);
	assert_string_equal(why, "reading the state: Bad file descriptor");
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_values),
		TEST(test_missing_values_have_defaults),
		TEST(test_long),
		TEST(test_descriptors),
		TEST(test_descriptors_stay_after_all),
		TEST(test_descriptors_that_are_not_open),
		TEST(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
