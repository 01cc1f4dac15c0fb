/* SPDX-License-Identifier: BSD-2-Clause */
/* From bytes to messages: in any pieces, part by part, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ws_reader_case.h"

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
		CASE(refuses),
		CASE(at_the_limit),
		CASE(an_error_is_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
