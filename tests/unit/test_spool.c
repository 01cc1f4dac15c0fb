/* SPDX-License-Identifier: BSD-2-Clause */
/* What waits for a slower side: all of it, in order, within its limits. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "spool.h"

static struct spool spool;
static unsigned put_count, got_count;

static int
teardown(void **state)
{
	(void)state;
	spool_free(&spool);
	put_count = got_count = 0;
	return 0;
}

static char
byte_at(unsigned i)
{
	return (char)(i * 31 + i / 251);
}

static int32_t
put(const struct spool_limits *lim, size_t n, int *error)
{
	char *p = malloc(n);
	int32_t rc;
	size_t i;

	assert_non_null(p);
	for (i = 0; i < n; i++)
		p[i] = byte_at(put_count++);
	rc = spool_put(&spool, lim, (hostd_buf){p, n}, error);
	free(p);
	return rc;
}

/* At most n bytes, looked at twice. */
static size_t
get(size_t n)
{
	char room[1000], again[1000];
	hostd_buf a, b;
	size_t i;

	assert_int_equal(spool_peek(&spool, room, n, &a), HOSTD_OK);
	assert_int_equal(spool_peek(&spool, again, n, &b), HOSTD_OK);
	assert_int_equal(a.n, b.n);
	assert_true(a.n > 0 && a.n <= n);
	assert_memory_equal(a.p, b.p, a.n);
	for (i = 0; i < a.n; i++)
		assert_int_equal(((const char *)a.p)[i], byte_at(got_count++));
	spool_drop(&spool, a.n);
	return a.n;
}

static void
get_all(void)
{
	while (spool.size > 0)
		(void)get(997);
	assert_int_equal(got_count, put_count);
}

static void
in_memory(void **state)
{
	const struct spool_limits lim = {"/nowhere", 1000, 1 << 20};
	hostd_buf all;
	int error;

	(void)state;
	assert_int_equal(put(&lim, 600, &error), HOSTD_OK);
	assert_int_equal(put(&lim, 400, &error), HOSTD_OK);
	assert_true(spool_is_memory(&spool, &all));
	assert_int_equal(all.n, 1000);
	(void)get(100);
	assert_int_equal(put(&lim, 100, &error), HOSTD_OK);
	assert_true(spool_is_memory(&spool, &all));
	get_all();
	assert_int_equal(spool.fd, 0);
}

static void
in_a_file(void **state)
{
	const struct spool_limits lim = {"/tmp", 1000, 1 << 20};
	hostd_buf all;
	int error, i;

	(void)state;
	for (i = 0; i < 50; i++) {
		assert_int_equal(put(&lim, 1 + 37u * (unsigned)i, &error),
		    HOSTD_OK);
		(void)get(500);
	}
	all.n = 0;
	assert_false(spool_is_memory(&spool, &all));
	assert_int_equal(all.n, 0);
	get_all();
	/* And again from the beginning. */
	assert_int_equal(spool.to, 0);
	assert_int_equal(put(&lim, 900, &error), HOSTD_OK);
	assert_int_equal(put(&lim, 900, &error), HOSTD_OK);
	get_all();
}

static void
beyond_the_limit_nothing_is_lost(void **state)
{
	const struct spool_limits lim = {"/tmp", 100, 1000};
	int error, i;

	(void)state;
	assert_int_equal(put(&lim, 100, &error), HOSTD_OK);
	assert_int_equal(put(&lim, 1000, &error), HOSTD_OK);
	for (i = 0; i < 5; i++) {
		assert_int_equal(put(&lim, 10, &error), HOSTD_AGAIN);
		assert_int_equal(error, 0);
	}
	get_all();
	assert_int_equal(put(&lim, 50, &error), HOSTD_OK);
	get_all();
}

static void
without_a_directory(void **state)
{
	const struct spool_limits lim = {"/nowhere", 0, 1000};
	const struct spool_limits full = {"/dev/full", 0, 1000};
	const struct spool_limits none = {NULL, 0, 0};
	int error;

	(void)state;
	assert_int_equal(put(&lim, 10, &error), HOSTD_AGAIN);
	assert_int_equal(error, ENOENT);
	assert_int_equal(put(&full, 10, &error), HOSTD_AGAIN);
	assert_int_equal(put(&none, 10, &error), HOSTD_AGAIN);
	get_all();
	assert_int_equal(put(&full, 10, &error), HOSTD_AGAIN);
	assert_int_equal(error, ENOTDIR);
	get_all();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_teardown(f, teardown)
	    T(in_memory),
	    T(in_a_file),
	    T(beyond_the_limit_nothing_is_lost),
	    T(without_a_directory),
	};

	return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
