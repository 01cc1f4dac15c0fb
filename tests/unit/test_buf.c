/* SPDX-License-Identifier: BSD-2-Clause */
/* Buffers: grow, keep what they hold, give it all back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/log.h"

static void
zeroed_memory_is_an_empty_one(void **state)
{
	struct buf b = {NULL, 0, 0};

	(void)state;
	buf_append(&b, NULL, 0);
	buf_append(&b, "x", 0);
	buf_puts(&b, "");
	assert_null(b.p);
	buf_consume(&b, 0);
	assert_int_equal(b.len, 0);
	buf_free(&b);
	buf_free(&b);
}

static void
holds_what_is_put_in(void **state)
{
	struct buf b = {NULL, 0, 0};

	(void)state;
	buf_append(&b, "a\0b", 3);
	buf_puts(&b, "cd");
	buf_printf(&b, "%s-%d", "ef", 7);
	assert_int_equal(b.len, 9);
	assert_memory_equal(b.p, "a\0bcdef-7", 9);
	buf_free(&b);
	assert_null(b.p);
	assert_int_equal(b.len + b.cap, 0);
}

static void
grows_around_every_size(void **state)
{
	struct buf b = {NULL, 0, 0};
	size_t i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		buf_append(&b, &(char){(char)i}, 1);
		assert_true(b.cap >= b.len);
	}
	for (i = 0; i < 5000; i++)
		assert_int_equal(b.p[i], (char)i);
	buf_free(&b);
}

static void
reserved_room_is_there(void **state)
{
	struct buf b = {NULL, 0, 0};
	char *p;
	size_t n;

	(void)state;
	for (n = 1; n < 100000; n = n * 3 + 1) {
		p = buf_reserve(&b, n);
		assert_ptr_equal(p, b.p + b.len);
		assert_true(b.cap - b.len >= n);
		memset(p, (int)n, n);
		b.len += n;
	}
	n = b.cap - b.len;
	p = b.p;
	/* Exactly what is left does not move it. */
	assert_ptr_equal(buf_reserve(&b, n), p + b.len);
	assert_ptr_equal(b.p, p);
	buf_free(&b);
}

static void
prints_more_than_there_is_room_for(void **state)
{
	struct buf b = {NULL, 0, 0};
	size_t n, len = 0;

	(void)state;
	for (n = 1; n < 400; n++) {
		buf_printf(&b, "%0*d", (int)n, 7);
		len += n;
		assert_int_equal(b.len, len);
		assert_int_equal(b.p[len - 1], '7');
	}
	buf_printf(&b, "%s", "");
	assert_int_equal(b.len, len);
	buf_free(&b);
}

static void
consumes_from_the_front(void **state)
{
	struct buf b = {NULL, 0, 0};

	(void)state;
	buf_puts(&b, "abcdef");
	buf_consume(&b, 0);
	assert_int_equal(b.len, 6);
	buf_consume(&b, 2);
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.p, "cdef", 4);
	buf_puts(&b, "g");
	buf_consume(&b, 5);
	assert_int_equal(b.len, 0);
	buf_puts(&b, "h");
	assert_memory_equal(b.p, "h", 1);
	buf_free(&b);
}

/* A length that wraps around must not end in a small buffer. */
static void
sizes_that_overflow_end_the_process(void **state)
{
	static const size_t sizes[] = {
	    SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2, SIZE_MAX / 4};
	struct buf b = {NULL, 0, 0};
	size_t i;
	pid_t pid;
	int status;

	(void)state;
	buf_puts(&b, "x");
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid == 0) {
			log_set_fd(-1);
			(void)buf_reserve(&b, sizes[i]);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 1);
	}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(zeroed_memory_is_an_empty_one),
	    cmocka_unit_test(holds_what_is_put_in),
	    cmocka_unit_test(grows_around_every_size),
	    cmocka_unit_test(reserved_room_is_there),
	    cmocka_unit_test(prints_more_than_there_is_room_for),
	    cmocka_unit_test(consumes_from_the_front),
	    cmocka_unit_test(sizes_that_overflow_end_the_process),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
