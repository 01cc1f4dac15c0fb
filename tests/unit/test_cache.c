/* SPDX-License-Identifier: BSD-2-Clause */
/* http_static's cache: bounded in every way, and what is in use lives on. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "cache.h"

static struct cache cache;

static int
teardown(void **state)
{
	(void)state;
	cache_free(&cache);
	return 0;
}

static struct file *
file_of(uint64_t size, int fd)
{
	struct file *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->refs = 1;
	f->fd = fd;
	f->size = size;
	f->type = "text/plain";
	f->content = fd == -1 ? calloc(1, size > 0 ? size : 1) : NULL;
	return f;
}

/* The cache's reference is then the only one. */
static struct cache_entry *
put(const char *path, uint64_t size)
{
	struct file *f = file_of(size, -1);
	struct cache_entry *e = cache_put(&cache, path, strlen(path), f, 1);

	file_unref(f);
	return e;
}

static int
has(const char *path)
{
	return cache_get(&cache, path, strlen(path)) != NULL;
}

static void
finds_by_the_whole_path(void **state)
{
	struct cache_entry *e;

	(void)state;
	assert_int_equal(cache_init(&cache, 100, 1 << 20), 0);
	assert_false(has(""));
	e = put("a/b", 5);
	assert_non_null(e);
	assert_ptr_equal(cache_get(&cache, "a/b", 3), e);
	assert_int_equal(e->checked_ms, 1);
	assert_int_equal(e->file->refs, 1);
	assert_false(has("a/"));
	assert_false(has("a/bc"));
	assert_false(has("A/b"));
	assert_null(cache_get(&cache, "a/b\0", 4));
	assert_ptr_equal(cache_get(&cache, "a/bcd", 3), e);
	cache_drop(&cache, e);
	assert_false(has("a/b"));
	assert_int_equal(cache.n + cache.cost, 0);
}

static void
the_least_recently_used_goes_first(void **state)
{
	(void)state;
	assert_int_equal(cache_init(&cache, 3, 1 << 20), 0);
	assert_non_null(put("a", 1));
	assert_non_null(put("b", 1));
	assert_non_null(put("c", 1));
	assert_true(has("a"));
	assert_non_null(put("d", 1));
	assert_false(has("b"));
	assert_true(has("a") && has("c") && has("d"));
	assert_non_null(put("e", 1));
	assert_false(has("a"));
	assert_int_equal(cache.n, 3);
}

static void
bounded_by_what_it_costs(void **state)
{
	char path[16];
	int i;

	(void)state;
	assert_int_equal(cache_init(&cache, 1000, 100000), 0);
	for (i = 0; i < 500; i++) {
		(void)snprintf(path, sizeof(path), "%d", i);
		assert_non_null(put(path, (uint64_t)(i * 37 % 5000)));
		assert_true(cache.cost <= 100000);
		assert_true(has(path));
	}
	assert_true(cache.n > 5 && cache.n < 200);
	/* One that is too large by itself is not kept, and throws nothing out.
	 */
	i = (int)cache.n;
	assert_null(put("large", 100000));
	assert_int_equal(cache.n, i);
	assert_false(has("large"));
}

static void
of_no_size(void **state)
{
	(void)state;
	assert_int_equal(cache_init(&cache, 0, 1 << 20), 0);
	assert_null(put("a", 1));
	assert_false(has("a"));
	cache_free(&cache);
	assert_int_equal(cache_init(&cache, 10, 0), 0);
	assert_null(put("a", 1));
}

static void
bounded_by_open_descriptors(void **state)
{
	struct file *f;
	char path[16];
	int i, fd, first;

	(void)state;
	first = dup(0);
	(void)close(first);
	assert_int_equal(cache_init(&cache, 1000, 1 << 20), 0);
	assert_true(cache.max_fds > 0);
	cache.max_fds = 4;
	for (i = 0; i < 50; i++) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		assert_int_not_equal(fd, -1);
		f = file_of(10, fd);
		(void)snprintf(path, sizeof(path), "%d", i);
		assert_non_null(cache_put(&cache, path, strlen(path), f, 1));
		file_unref(f);
		assert_true(cache.fds <= 4);
	}
	assert_int_equal(cache.n, 4);
	assert_true(has("49") && has("46"));
	assert_false(has("45"));
	cache_free(&cache);
	/* All were closed: the lowest number is free again. */
	fd = dup(0);
	assert_int_equal(fd, first);
	(void)close(fd);
}

static void
what_is_being_sent_lives_on(void **state)
{
	struct cache_entry *e;
	struct file *f;

	(void)state;
	assert_int_equal(cache_init(&cache, 1, 1 << 20), 0);
	e = put("a", 3);
	f = file_ref(e->file);
	memcpy(f->content, "abc", 3);
	assert_non_null(put("b", 1));
	assert_false(has("a"));
	assert_int_equal(f->refs, 1);
	assert_memory_equal(f->content, "abc", 3);
	file_unref(f);
}

static void
a_coding_made_later_is_counted(void **state)
{
	struct cache_entry *e;
	uint64_t before;
	char *bytes;

	(void)state;
	assert_int_equal(cache_init(&cache, 10, 100000), 0);
	assert_non_null(put("old", 50000));
	e = put("new", 40000);
	before = cache.cost;
	assert_true(has("new"));
	bytes = malloc(20000);
	e->file->coded[CODING_GZIP] =
	    file_coded(e->file, bytes, 20000, CODING_GZIP);
	assert_non_null(e->file->coded[CODING_GZIP]);
	cache_recount(&cache, e);
	assert_true(has("new"));
	assert_false(has("old"));
	assert_true(cache.cost < before && cache.cost > 60000);
}

static void
many_paths(void **state)
{
	char path[16];
	int i;

	(void)state;
	assert_int_equal(cache_init(&cache, 5000, UINT64_MAX), 0);
	for (i = 0; i < 5000; i++) {
		(void)snprintf(path, sizeof(path), "/%d", i);
		assert_non_null(put(path, 0));
	}
	for (i = 4999; i >= 0; i -= 3) {
		(void)snprintf(path, sizeof(path), "/%d", i);
		cache_drop(&cache, cache_get(&cache, path, strlen(path)));
	}
	for (i = 0; i < 5000; i++) {
		(void)snprintf(path, sizeof(path), "/%d", i);
		assert_int_equal(has(path), (4999 - i) % 3 != 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_teardown(f, teardown)
	    T(finds_by_the_whole_path),
	    T(the_least_recently_used_goes_first),
	    T(bounded_by_what_it_costs),
	    T(of_no_size),
	    T(bounded_by_open_descriptors),
	    T(what_is_being_sent_lives_on),
	    T(a_coding_made_later_is_counted),
	    T(many_paths),
	};

	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
