/* SPDX-License-Identifier: BSD-2-Clause */
/* From bytes to messages: in any pieces, straight to where they belong, part by
 * part, and with nothing left of one that was given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "ws/deflate.h"
#include "ws/mask.h"
#include "ws/reader.h"

#define MAX	(1u << 20)
#define LONG	200000u

static struct ws_reader_pool pool;
static struct buf wire;		/* what the client sends */

/* A reader and what it told: "T5.", a text of five bytes; lower case for a part
 * that is not the first, without the dot when it is not the last; "8=", a
 * close and its payload's size. */
struct witness {
	struct ws_reader reader;	/* first */
	char told[512];
	struct buf bytes;		/* of all messages */
	int stop;			/* ops want no more */
};

static struct witness w;

static void
note(struct witness *x, const char *s, size_t n)
{
	size_t len = strlen(x->told);

	(void)snprintf(x->told + len, sizeof(x->told) - len, "%s%zu", s, n);
}

static int
on_message(struct ws_reader *r, hostd_buf b, uint32_t flags)
{
	struct witness *x = (struct witness *)(void *)r;
	int first = (flags & HOSTD_WS_FIRST) != 0;

	note(x, flags & HOSTD_WS_TEXT ? (first ? "T" : "t") :
	    first ? "B" : "b", b.n);
	if (flags & HOSTD_WS_FIN)
		strcat(x->told, ".");
	buf_append(&x->bytes, b.p, b.n);
	return x->stop;
}

static int
on_control(struct ws_reader *r, unsigned opcode, hostd_buf b)
{
	struct witness *x = (struct witness *)(void *)r;

	note(x, opcode == WS_CLOSE ? "8=" : opcode == WS_PING ? "9=" : "10=",
	    b.n);
	return x->stop;
}

static const struct ws_reader_ops ops = {
	.message = on_message, .control = on_control,
};

static void
witness_init(struct witness *x)
{
	memset(x, 0, sizeof(*x));
	x->reader.ops = &ops;
	x->reader.pool = &pool;
	x->reader.max = MAX;
	x->reader.bits = 15;
}

static void
witness_free(struct witness *x)
{
	ws_reader_close(&x->reader);
	buf_free(&x->bytes);
}

static int
setup(void **state)
{
	(void)state;
	memset(&pool, 0, sizeof(pool));
	pool.zpool = ws_zpool_new(1, 8);
	witness_init(&w);
	wire.len = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	witness_free(&w);
	ws_sequences_free(&pool.sequences);
	ws_zpool_free(pool.zpool);
	buf_free(&wire);
	return 0;
}

/* A header that announces len bytes, and the first n of them. */
static void
put_part(unsigned first, uint64_t len, const void *p, size_t n)
{
	static const uint8_t key[4] = { 0x9c, 0x01, 0x7f, 0xe3 };
	char *at = buf_reserve(&wire, WS_HEAD_MAX + n);
	size_t head = ws_head_put(at, first, len);

	at[1] = (char)(at[1] | 0x80);
	memcpy(at + head, key, sizeof(key));
	if (n > 0)
		memcpy(at + head + sizeof(key), p, n);
	ws_unmask(at + head + sizeof(key), n, key, 0);
	wire.len += head + sizeof(key) + n;
}

static void
put(unsigned first, const void *p, size_t n)
{
	put_part(first, n, p, n);
}

static void
puts_frame(unsigned first, const char *s)
{
	put(first, s, strlen(s));
}

/* Feed what was put in pieces of that size, from memory that is gone then. */
static void
feed(struct witness *x, size_t piece)
{
	size_t at, n, used;
	char *copy;

	for (at = 0; at < wire.len && x->reader.error == 0; at += n) {
		n = wire.len - at < piece ? wire.len - at : piece;
		copy = xmalloc(n);
		memcpy(copy, wire.p + at, n);
		used = ws_reader_feed(&x->reader, copy, n);
		assert_true(used == n || x->reader.error != 0);
		free(copy);
	}
}

static char *
noise(size_t n)
{
	char *p = xmalloc(n);
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (char)(i * 31 + i / 251);
	return p;
}

static void
assert_bytes(const struct witness *x, const void *p, size_t n)
{
	assert_int_equal(x->bytes.len, n);
	assert_memory_equal(x->bytes.p, p, n);
}

/* -- pieces -- */

static void
in_any_pieces(void **state)
{
	char *p = noise(70000);
	size_t piece;

	(void)state;
	puts_frame(WS_FIN | WS_TEXT, "hello");
	put(WS_FIN | WS_BINARY, p, 300);
	puts_frame(WS_TEXT, "a \xc3");
	puts_frame(WS_FIN | WS_PING, "ping");
	puts_frame(WS_CONT, "");
	puts_frame(WS_FIN | WS_CONT, "\xa9 b");
	puts_frame(WS_FIN | WS_BINARY, "");
	put(WS_FIN | WS_BINARY, p, 70000);
	puts_frame(WS_FIN | WS_CLOSE, "\x03\xe8" "bye");
	for (piece = 1; piece < 20; piece++) {
		struct witness x;

		witness_init(&x);
		feed(&x, piece);
		assert_int_equal(x.reader.error, 0);
		assert_string_equal(x.told,
		    "T5.B300.9=4T6.B0.B70000.8=5");
		assert_memory_equal(x.bytes.p + x.bytes.len - 70000, p, 70000);
		witness_free(&x);
	}
	feed(&w, wire.len);
	assert_string_equal(w.told, "T5.B300.9=4T6.B0.B70000.8=5");
	free(p);
}

/* Of one message between two others nothing is kept. */
static void
keeps_nothing_between_messages(void **state)
{
	(void)state;
	puts_frame(WS_BINARY, "part");
	feed(&w, 3);
	assert_non_null(w.reader.sequence);
	assert_true(ws_reader_is_busy(&w.reader));
	wire.len = 0;
	puts_frame(WS_FIN | WS_CONT, "end");
	feed(&w, 3);
	assert_string_equal(w.told, "B7.");
	assert_null(w.reader.sequence);
	assert_null(w.reader.msg.p);
	assert_false(ws_reader_is_busy(&w.reader));
	assert_bytes(&w, "partend", 7);
}

static void
stops_when_asked_and_goes_on(void **state)
{
	size_t used, at = 0;
	int n = 0;

	(void)state;
	w.stop = 1;
	puts_frame(WS_FIN | WS_TEXT, "one");
	puts_frame(WS_FIN | WS_PING, "");
	puts_frame(WS_TEXT, "two");
	puts_frame(WS_FIN | WS_CONT, "three");
	puts_frame(WS_FIN | WS_PONG, "four");
	while (at < wire.len) {
		used = ws_reader_feed(&w.reader, wire.p + at, wire.len - at);
		assert_true(used > 0);
		at += used;
		n++;
	}
	assert_int_equal(n, 4);
	assert_string_equal(w.told, "T3.9=0T8.10=4");
}

/* -- parts -- */

static void
tells_parts_as_they_come(void **state)
{
	(void)state;
	w.reader.fragments = 1;
	puts_frame(WS_TEXT, "abc");
	puts_frame(WS_CONT, "");
	puts_frame(WS_FIN | WS_PING, "");
	puts_frame(WS_CONT, "de");
	puts_frame(WS_FIN | WS_CONT, "");
	puts_frame(WS_FIN | WS_BINARY, "whole");
	feed(&w, wire.len);
	assert_string_equal(w.told, "T39=0t2t0.B5.");
	assert_bytes(&w, "abcdewhole", 10);
}

static void
parts_of_a_frame_are_parts(void **state)
{
	(void)state;
	w.reader.fragments = 1;
	puts_frame(WS_FIN | WS_TEXT, "\xe2\x82\xac");
	feed(&w, 7);
	assert_string_equal(w.told, "T1t2.");
}

static void
parts_are_within_the_limit_together(void **state)
{
	(void)state;
	w.reader.fragments = 1;
	w.reader.max = 6;
	puts_frame(WS_BINARY, "abc");
	puts_frame(WS_CONT, "def");
	puts_frame(WS_FIN | WS_CONT, "g");
	feed(&w, wire.len);
	assert_string_equal(w.told, "B3b3");
	assert_int_equal(w.reader.error, HOSTD_WS_TOO_BIG);
}

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

/* -- what is refused, and when -- */

/* Refused with that code, in whatever pieces, and nothing is told. */
static void
assert_refused(unsigned code)
{
	size_t piece;

	for (piece = 1; piece <= wire.len; piece++) {
		struct witness x;

		witness_init(&x);
		x.reader.max = 100;
		feed(&x, piece);
		assert_int_equal(x.reader.error, code);
		assert_string_equal(x.told, "");
		witness_free(&x);
	}
	wire.len = 0;
}

static void
refuses(void **state)
{
	(void)state;
	buf_append(&wire, "\x81\x01" "a", 3);
	assert_refused(HOSTD_WS_PROTOCOL);
	puts_frame(WS_FIN | WS_CONT, "a");
	assert_refused(HOSTD_WS_PROTOCOL);
	puts_frame(WS_FIN | WS_RSV1 | WS_TEXT, "a");
	assert_refused(HOSTD_WS_PROTOCOL);
	puts_frame(WS_TEXT, "a");
	puts_frame(WS_FIN | WS_TEXT, "b");
	assert_refused(HOSTD_WS_PROTOCOL);
	puts_frame(WS_PING, "a");
	assert_refused(HOSTD_WS_PROTOCOL);
	puts_frame(WS_FIN | WS_CLOSE, "a");
	assert_refused(HOSTD_WS_PROTOCOL);
	puts_frame(WS_FIN | WS_CLOSE, "\x03\xed");
	assert_refused(HOSTD_WS_PROTOCOL);
	puts_frame(WS_FIN | WS_CLOSE, "\x03\xe8\xff");
	assert_refused(HOSTD_WS_BAD_DATA);
	puts_frame(WS_FIN | WS_TEXT, "a\xc0\x80");
	assert_refused(HOSTD_WS_BAD_DATA);
	puts_frame(WS_TEXT, "a\xe2\x82");
	puts_frame(WS_FIN | WS_CONT, "");
	assert_refused(HOSTD_WS_BAD_DATA);
	/* Before any of it has come. */
	put_part(WS_FIN | WS_BINARY, 101, "", 0);
	assert_refused(HOSTD_WS_TOO_BIG);
	puts_frame(WS_BINARY, "abc");
	put_part(WS_FIN | WS_CONT, 98, "", 0);
	assert_refused(HOSTD_WS_TOO_BIG);
	put_part(WS_FIN | WS_BINARY, INT64_MAX, "", 0);
	assert_refused(HOSTD_WS_TOO_BIG);
}

static void
at_the_limit(void **state)
{
	(void)state;
	w.reader.max = 0;
	puts_frame(WS_FIN | WS_BINARY, "");
	puts_frame(WS_TEXT, "");
	puts_frame(WS_FIN | WS_CONT, "");
	feed(&w, wire.len);
	assert_string_equal(w.told, "B0.T0.");
	puts_frame(WS_FIN | WS_BINARY, "a");
	feed(&w, wire.len);
	assert_int_equal(w.reader.error, HOSTD_WS_TOO_BIG);
}

/* Behind an error nothing is looked at. */
static void
an_error_is_the_end(void **state)
{
	(void)state;
	puts_frame(WS_FIN | WS_TEXT, "\xff");
	puts_frame(WS_FIN | WS_TEXT, "more");
	feed(&w, wire.len);
	assert_int_equal(w.reader.error, HOSTD_WS_BAD_DATA);
	assert_int_equal(ws_reader_feed(&w.reader, wire.p, wire.len), 0);
	assert_string_equal(w.told, "");
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
		CASE(in_any_pieces),
		CASE(keeps_nothing_between_messages),
		CASE(stops_when_asked_and_goes_on),
		CASE(tells_parts_as_they_come),
		CASE(parts_of_a_frame_are_parts),
		CASE(parts_are_within_the_limit_together),
		CASE(reads_directly),
		CASE(reads_a_long_fragment_directly),
		CASE(checks_text_that_is_read_directly),
		CASE(an_announcement_is_not_believed),
		CASE(reads_directly_only_what_is_long_and_plain),
		CASE(refuses),
		CASE(at_the_limit),
		CASE(an_error_is_the_end),
		CASE(nothing_is_left_of_one_given_up),
		CASE(packed_is_within_the_limit),
		CASE(packed_comes_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
