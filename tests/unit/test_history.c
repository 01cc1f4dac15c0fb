/* SPDX-License-Identifier: BSD-2-Clause */
/* What a channel remembers: how much, for how long, for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <hostd/ws.h>
#include "base/mem.h"
#include "pubsub/history.h"
#include "pubsub/hub.h"
#include "ws/message.h"

#define MS	1000u		/* times are microseconds */
#define AGE	60000u

static struct histories all;
static struct history *h;
static uint64_t seq;

static int
setup(void **state)
{
	(void)state;
	histories_init(&all, UINT64_MAX);
	h = history_new(&all);
	seq = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	history_free(h);
	return 0;
}

static void
add_bytes(uint64_t time, const void *p, size_t n)
{
	struct delivery d = { .node = 7, .seq = ++seq, .time = time,
		.flags = HOSTD_WS_BINARY, .payload = { p, n } };

	history_add(h, &d);
	if (d.message != NULL)
		ws_message_unref(d.message);
}

static void
add_gap(uint64_t time)
{
	struct delivery d = { .gap = 1, .time = time };

	history_add(h, &d);
}

static void
add(uint64_t time, const char *s)
{
	add_bytes(time, s, strlen(s));
}

/* The payloads, a blank before each, "|" for a gap; checked to be whole
 * envelopes. */
static const char *
written(uint64_t now)
{
	static char out[256];
	struct buf b = { NULL, 0, 0 };
	struct envelope e;
	uint64_t before = 0;
	size_t at = 0, len = 0;
	int64_t k;

	buf_puts(&b, "head");
	history_write(h, now, &b);
	assert_true(b.len <= 4 + HISTORY_BYTES);
	assert_memory_equal(b.p, "head", 4);
	out[0] = '\0';
	for (at = 4; at < b.len; at += (size_t)k) {
		k = envelope_parse(&e, b.p + at, b.len - at);
		assert_true(k > 0);
		if (e.type == ENV_GAP) {
			assert_int_equal(e.payload.n, 0);
			len += (size_t)snprintf(out + len, sizeof(out) - len,
			    " |");
			continue;
		}
		assert_int_equal(e.type, ENV_MESSAGE);
		assert_int_equal(e.flags, HOSTD_WS_BINARY);
		assert_int_equal(e.node, 7);
		assert_true(e.seq > before);
		before = e.seq;
		len += (size_t)snprintf(out + len, sizeof(out) - len, " %.*s",
		    (int)(e.payload.n < 8 ? e.payload.n : 8),
		    (const char *)e.payload.p);
	}
	buf_free(&b);
	return out;
}

static void
keeps_nothing_unless_asked(void **state)
{
	(void)state;
	assert_false(history_is_wanted(h));
	add(1, "a");
	assert_string_equal(written(1), "");
}

static void
keeps_the_last_ones(void **state)
{
	char s[12];
	int i;

	(void)state;
	history_want(h, "x", 3, AGE);
	assert_true(history_is_wanted(h));
	add(1, "1");
	add(2, "2");
	assert_string_equal(written(2), " 1 2");
	for (i = 3; i <= 10; i++) {
		(void)snprintf(s, sizeof(s), "%d", i);
		add((uint64_t)i, s);
	}
	assert_string_equal(written(10), " 8 9 10");
	assert_string_equal(written(10), " 8 9 10");
}

static void
forgets_what_is_old(void **state)
{
	(void)state;
	history_want(h, "x", 10, 100);
	add(1000 * MS, "a");
	add(1050 * MS, "b");
	assert_string_equal(written(1100 * MS), " a b");
	assert_string_equal(written(1100 * MS + 1), " b");
	add(1200 * MS, "c");
	assert_string_equal(written(1200 * MS), " c");
	assert_string_equal(written(1400 * MS), "");
}

/* The most that anybody wants; who wants nothing any more does not count. */
static void
serves_several(void **state)
{
	(void)state;
	history_want(h, "x", 2, 100);
	history_want(h, "y", 4, 50);
	add(1 * MS, "1");
	add(2 * MS, "2");
	add(3 * MS, "3");
	add(4 * MS, "4");
	add(5 * MS, "5");
	assert_string_equal(written(6 * MS), " 2 3 4 5");
	history_want(h, "y", 0, 0);
	assert_string_equal(written(6 * MS), " 4 5");
	history_want(h, "x", 3, 100);
	add(6 * MS, "6");
	assert_string_equal(written(6 * MS), " 4 5 6");
	history_want(h, "nobody", 0, 0);
	assert_true(history_is_wanted(h));
	history_want(h, "x", 0, 0);
	assert_false(history_is_wanted(h));
	assert_string_equal(written(6 * MS), "");
	add(7 * MS, "7");
	assert_string_equal(written(7 * MS), "");
}

/* In a ring that has gone round. */
static void
grows_and_shrinks_midway(void **state)
{
	uint32_t n;

	(void)state;
	for (n = 1; n <= 5; n++) {
		history_want(h, "x", 3, AGE);
		add(1, "a");
		add(1, "b");
		add(1, "c");
		add(1, "d");
		history_want(h, "x", 5, AGE);
		add(1, "e");
		add(1, "f");
		assert_string_equal(written(1), " b c d e f");
		history_want(h, "x", 2, AGE);
		assert_string_equal(written(1), " e f");
	}
}

static void
keeps_no_more_than_so_many_bytes(void **state)
{
	size_t half = HISTORY_BYTES / 2 - ENVELOPE_HEAD;
	char *big = xcalloc(1, HISTORY_BYTES);

	(void)state;
	memset(big, 'z', HISTORY_BYTES);
	history_want(h, "x", 10, AGE);
	add(1, "old");
	add_bytes(1, big, half);
	assert_string_equal(written(1), " old zzzzzzzz");
	add_bytes(1, big, half);
	assert_string_equal(written(1), " zzzzzzzz zzzzzzzz");
	add(1, "new");
	assert_string_equal(written(1), " zzzzzzzz new");
	add_bytes(1, big, HISTORY_BYTES - ENVELOPE_HEAD);
	assert_string_equal(written(1), " zzzzzzzz");
	add_bytes(1, big, HISTORY_BYTES);
	assert_string_equal(written(1), "");
	add(1, "newer");
	assert_string_equal(written(1), " newer");
	free(big);
}

static void
of_all_the_one_silent_for_longest_goes_first(void **state)
{
	struct history *red = h, *blue = history_new(&all);

	(void)state;
	history_want(red, "x", 10, AGE);
	history_want(blue, "x", 10, AGE);
	all.max = 4 * (ENVELOPE_HEAD + 1);
	add(1, "a");
	add(1, "b");
	h = blue;
	add(1, "c");
	add(1, "d");
	assert_string_equal(written(1), " c d");
	add(1, "e");
	assert_string_equal(written(1), " c d e");
	h = red;
	assert_string_equal(written(1), " b");
	add(1, "f");
	assert_string_equal(written(1), " b f");
	h = blue;
	assert_string_equal(written(1), " d e");
	/* Also those behind one that has nothing. */
	h = red;
	add(1, "g");
	add(1, "h");
	assert_string_equal(written(1), " b f g h");
	h = blue;
	assert_string_equal(written(1), "");
	h = red;
	add(1, "i");
	assert_string_equal(written(1), " f g h i");
	assert_int_equal(all.bytes, all.max);
	history_free(blue);
	assert_int_equal(all.bytes, all.max);
}

static void
says_where_some_may_be_missing(void **state)
{
	(void)state;
	history_want(h, "x", 3, 100);
	add_gap(1);
	add(1, "a");
	assert_string_equal(written(1), " | a");
	add_gap(2 * MS);
	add_gap(3 * MS);
	assert_string_equal(written(1), " | a |");
	add(101 * MS, "b");
	assert_string_equal(written(103 * MS), " | b");
	assert_string_equal(written(103 * MS + 1), " b");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(keeps_nothing_unless_asked),
		CASE(keeps_the_last_ones),
		CASE(forgets_what_is_old),
		CASE(serves_several),
		CASE(grows_and_shrinks_midway),
		CASE(keeps_no_more_than_so_many_bytes),
		CASE(of_all_the_one_silent_for_longest_goes_first),
		CASE(says_where_some_may_be_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
