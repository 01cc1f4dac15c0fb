/* SPDX-License-Identifier: BSD-2-Clause */
/* From bytes to messages: straight to where they belong, and compressed ones,
 * with nothing left of one that was given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ws_reader_case.h"

/* -- straight to where it belongs -- */

/* Read what is left of p behind at that way, at most step bytes at once. */
static void
read_direct(const char *p, size_t n, size_t at, size_t step)
{
	static const uint8_t key[4] = { 0x9c, 0x01, 0x7f, 0xe3 };
	size_t room, k;
	char *to;

	while (at < n && w.reader.error == 0) {
		to = ws_reader_direct(&w.reader, &room);
		if (to == NULL)
			break;
		k = room < step ? room : step;
		assert_true(k > 0 && k <= n - at);
		memcpy(to, p + at, k);
		ws_unmask(to, k, key, at);
		ws_reader_got(&w.reader, k);
		at += k;
	}
	if (at == n || w.reader.error != 0)
		return;
	/* The last bytes of a frame are not worth it. */
	wire.len = 0;
	buf_append(&wire, p + at, n - at);
	ws_unmask(wire.p, n - at, key, at);
	feed(&w, wire.len);
}

static void
reads_directly(void **state)
{
	char *p = noise(LONG);
	size_t step, room;

	(void)state;
	for (step = 1000; step <= LONG; step *= 7) {
		w.told[0] = '\0';
		w.bytes.len = wire.len = 0;
		put_part(WS_FIN | WS_BINARY, LONG, p, 5);
		assert_null(ws_reader_direct(&w.reader, &room));
		feed(&w, wire.len);
		assert_non_null(ws_reader_direct(&w.reader, &room));
		assert_true(room <= LONG - 5);
		read_direct(p, LONG, 5, step);
		assert_string_equal(w.told, "B200000.");
		assert_bytes(&w, p, LONG);
		assert_null(w.reader.msg.p);
	}
	free(p);
}

static void
reads_a_long_fragment_directly(void **state)
{
	char *p = noise(LONG);

	(void)state;
	puts_frame(WS_BINARY, "before");
	put_part(WS_CONT, LONG, p, 1);
	feed(&w, wire.len);
	read_direct(p, LONG, 1, 10000);
	assert_string_equal(w.told, "");
	wire.len = 0;
	puts_frame(WS_FIN | WS_PING, "ping");
	puts_frame(WS_FIN | WS_CONT, "behind");
	feed(&w, wire.len);
	assert_string_equal(w.told, "9=4B200012.");
	assert_memory_equal(w.bytes.p, "before", 6);
	assert_memory_equal(w.bytes.p + 6, p, LONG);
	assert_memory_equal(w.bytes.p + 6 + LONG, "behind", 6);
	free(p);
}

static void
checks_text_that_is_read_directly(void **state)
{
	char *p = xmalloc(LONG);

	(void)state;
	memset(p, 'a', LONG);
	p[LONG / 2] = (char)0xff;
	put_part(WS_FIN | WS_TEXT, LONG, p, 5);
	feed(&w, wire.len);
	read_direct(p, LONG, 5, 9999);
	assert_int_equal(w.reader.error, HOSTD_WS_BAD_DATA);
	assert_string_equal(w.told, "");
	free(p);
}

/* A header and a byte do not get what they announce. */
static void
an_announcement_is_not_believed(void **state)
{
	size_t room = 0;

	(void)state;
	w.reader.max = 1u << 30;
	put_part(WS_FIN | WS_BINARY, 1u << 30, "x", 1);
	feed(&w, wire.len);
	assert_non_null(ws_reader_direct(&w.reader, &room));
	assert_true(room > 0 && room < 65536);
	assert_true(w.reader.msg.cap < 65536);
}

static void
reads_directly_only_what_is_long_and_plain(void **state)
{
	size_t room;

	(void)state;
	put_part(WS_FIN | WS_BINARY, 8000, "x", 1);
	feed(&w, wire.len);
	assert_null(ws_reader_direct(&w.reader, &room));
	witness_free(&w);
	witness_init(&w);
	w.reader.fragments = 1;
	wire.len = 0;
	put_part(WS_FIN | WS_BINARY, LONG, "x", 1);
	feed(&w, wire.len);
	assert_null(ws_reader_direct(&w.reader, &room));
	witness_free(&w);
	witness_init(&w);
	w.reader.deflate = 1;
	wire.len = 0;
	put_part(WS_FIN | WS_RSV1 | WS_BINARY, LONG, "x", 1);
	feed(&w, wire.len);
	assert_null(ws_reader_direct(&w.reader, &room));
}

/* -- compression -- */

static void
put_packed(struct witness *x, const char *p, size_t n, size_t cut)
{
	struct ws_deflater *d = ws_deflater_get(pool.zpool, 15);
	struct buf out = { NULL, 0, 0 };

	assert_int_equal(ws_deflate(d, p, n, &out), 0);
	ws_deflater_put(pool.zpool, d);
	x->reader.deflate = 1;
	put_part(WS_FIN | WS_RSV1 | WS_BINARY, out.len, out.p, out.len - cut);
	buf_free(&out);
}

/* What was lent to one that was given up midway is good for the next. */
static void
nothing_is_left_of_one_given_up(void **state)
{
	char *p = noise(5000);
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct witness x;

		witness_init(&x);
		wire.len = 0;
		put_packed(&x, p, 5000, 20);
		feed(&x, wire.len);
		assert_non_null(x.reader.inflater);
		if (i == 1) {
			wire.len = 0;
			buf_append(&wire, "\xff\xff\xff\xff\xff\xff\xff\xff"
			    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 20);
			feed(&x, wire.len);
			assert_int_equal(x.reader.error, HOSTD_WS_BAD_DATA);
		}
		witness_free(&x);
	}
	wire.len = 0;
	put_packed(&w, p, 5000, 0);
	puts_frame(WS_FIN | WS_TEXT, "plain");
	put_packed(&w, p, 5000, 0);
	feed(&w, 100);
	assert_string_equal(w.told, "B5000.T5.B5000.");
	assert_null(w.reader.inflater);
	free(p);
}

static void
packed_is_within_the_limit(void **state)
{
	char *p = xcalloc(1, MAX + 1);
	struct witness x;

	(void)state;
	put_packed(&w, p, MAX, 0);
	feed(&w, wire.len);
	assert_string_equal(w.told, "B1048576.");
	wire.len = 0;
	witness_init(&x);
	put_packed(&x, p, MAX + 1, 0);
	assert_true(wire.len < 10000);
	feed(&x, wire.len);
	assert_int_equal(x.reader.error, HOSTD_WS_TOO_BIG);
	assert_string_equal(x.told, "");
	witness_free(&x);
	free(p);
}

static void
packed_comes_in_parts(void **state)
{
	char *p = noise(5000);

	(void)state;
	w.reader.fragments = 1;
	put_packed(&w, p, 5000, 0);
	feed(&w, 50);
	assert_bytes(&w, p, 5000);
	assert_int_equal(w.told[0], 'B');
	assert_int_equal(w.told[strlen(w.told) - 1], '.');
	free(p);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(reads_directly),
		CASE(reads_a_long_fragment_directly),
		CASE(checks_text_that_is_read_directly),
		CASE(an_announcement_is_not_believed),
		CASE(reads_directly_only_what_is_long_and_plain),
		CASE(nothing_is_left_of_one_given_up),
		CASE(packed_is_within_the_limit),
		CASE(packed_comes_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
