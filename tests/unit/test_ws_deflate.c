/* SPDX-License-Identifier: BSD-2-Clause */
/* Compression: there and back in any pieces. */
#include "deflate_case.h"

static void
reads_the_examples_of_the_rfc(void **state)
{
	static const struct {
		const char *p;
		size_t n;
	} hello[] = {{S(HELLO)}, {S("\x00\x05\x00\xfa\xffHello\x00")},
	    {S("\xf3\x48\xcd\xc9\xc9\x07\x00\x00")},
	    {S("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00")}};
	struct ws_inflater *in;
	size_t i, step;

	(void)state;
	for (i = 0; i < N(hello); i++)
		for (step = 1; step < 16; step++) {
			in = inflater(15);
			assert_inflates(
			    in, hello[i].p, hello[i].n, step, S("Hello"));
			assert_inflates(in, S(AGAIN), step, S("Hello"));
			assert_inflates(in, S("\x00"), step, S(""));
			assert_inflates(
			    in, hello[i].p, hello[i].n, step, S("Hello"));
			ws_inflater_put(pool, in);
		}
}

static void
writes_the_examples_of_the_rfc(void **state)
{
	static const char want[] = HELLO AGAIN "\0\0";
	struct ws_deflater *d = deflater(15);

	(void)state;
	compress_message(d, "Hello", 5);
	compress_message(d, "Hello", 5);
	/* Empty ones, twice in a row. */
	compress_message(d, NULL, 0);
	compress_message(d, NULL, 0);
	assert_int_equal(packed.len, sizeof(want) - 1);
	assert_memory_equal(packed.p, want, sizeof(want) - 1);
	ws_deflater_put(pool, d);
}

/* Senders that end their stream, or send nothing for nothing. */
static void
reads_what_has_no_tail(void **state)
{
	struct ws_inflater *in = inflater(15);

	(void)state;
	assert_inflates(in, S(""), 1, S(""));
	assert_inflates(in, S("\xf3\x48\xcd\xc9\xc9\x07\x00"), 1, S("Hello"));
	assert_inflates(in, S(""), 1, S(""));
	assert_inflates(in, S(AGAIN), 1, S("Hello"));
	assert_inflates(
	    in, S("\x03\x00\x03\x00\xf3\x00\x11\x00"), 1, S("Hello"));
	assert_inflates(in, S("\x01"), 1, S(""));
	assert_inflates(in, S(AGAIN), 1, S("Hello"));
	assert_inflates(in, S(""), 1, S(""));
	assert_inflates(in, S(AGAIN), 1, S("Hello"));
	ws_inflater_put(pool, in);
}

/* One connection with its two windows; without takeover, new ones for each
 * message. */
static void
round_trip(int bits, int takeover, size_t step)
{
	struct ws_deflater *d = deflater(bits);
	struct ws_inflater *in = inflater(bits);
	int i;

	for (i = 0; i < MESSAGES; i++) {
		packed.len = 0;
		compress_message(d, messages[i].p, messages[i].len);
		assert_inflates(in, packed.p, packed.len, step, messages[i].p,
		    messages[i].len);
		if (takeover)
			continue;
		ws_deflater_put(pool, d);
		ws_inflater_put(pool, in);
		d = deflater(bits);
		in = inflater(bits);
	}
	ws_deflater_put(pool, d);
	ws_inflater_put(pool, in);
}

static void
comes_back_as_it_was(void **state)
{
	static const size_t steps[] = {1, 2, 3, 7, 64, 1000, SIZE_MAX};
	size_t i;
	int bits;

	(void)state;
	for (bits = 9; bits <= 15; bits++)
		for (i = 0; i < N(steps); i++) {
			round_trip(bits, 0, steps[i]);
			round_trip(bits, 1, steps[i]);
		}
}

/* In two parts, cut at every byte. */
static void
may_be_cut_anywhere(void **state)
{
	struct ws_inflater *in = inflater(12);
	struct ws_deflater *d = deflater(12);
	const struct buf *m = &messages[2];
	size_t cut;
	int fin;

	(void)state;
	compress_message(d, m->p, m->len);
	for (cut = 0; cut <= packed.len; cut++)
		for (fin = 0; fin < 2; fin++) {
			out.len = 0;
			assert_int_equal(
			    ws_inflate(in, packed.p, cut, 0, &out, m->len),
			    WS_INFLATE_OK);
			assert_int_equal(
			    ws_inflate(in, packed.p + cut, packed.len - cut,
				fin, &out, m->len),
			    WS_INFLATE_OK);
			/* An empty fragment may end it. */
			if (!fin)
				assert_int_equal(
				    ws_inflate(in, "", 0, 1, &out, m->len),
				    WS_INFLATE_OK);
			assert_int_equal(out.len, m->len);
			assert_memory_equal(out.p, m->p, m->len);
		}
	ws_deflater_put(pool, d);
	ws_inflater_put(pool, in);
}

/* What comes of those bytes in a fresh window, into a buffer of that room. */
static size_t
inflated_size(size_t n, size_t room, size_t max)
{
	struct ws_inflater *in = inflater(15);

	buf_free(&out);
	(void)buf_reserve(&out, room);
	assert_int_equal(
	    ws_inflate(in, packed.p, n, 0, &out, max), WS_INFLATE_OK);
	ws_inflater_put(pool, in);
	return out.len;
}

/* What can be told is told at once, however little room there was. */
static void
holds_nothing_back(void **state)
{
	struct ws_deflater *d = deflater(15);
	struct buf m = {NULL, 0, 0};
	size_t cut;

	(void)state;
	fill(&m, 100000, 0);
	compress_message(d, m.p, m.len);
	assert_true(packed.len > 50);
	for (cut = 0; cut <= packed.len; cut++)
		assert_int_equal(inflated_size(cut, 1, m.len),
		    inflated_size(cut, 2 * m.len, m.len));
	assert_int_equal(out.len, m.len);
	ws_deflater_put(pool, d);
	buf_free(&m);
}

static void
large_messages(void **state)
{
	struct buf m = {NULL, 0, 0};
	int kind;

	(void)state;
	srand(3);
	for (kind = 0; kind < 3; kind++) {
		struct ws_deflater *d = deflater(15);
		struct ws_inflater *in = inflater(15);

		fill(&m, 3 * MIB + 17, kind);
		packed.len = 0;
		compress_message(d, m.p, m.len);
		assert_true(packed.len < m.len + m.len / 100);
		assert_inflates(in, packed.p, packed.len, 4096, m.p, m.len);
		ws_deflater_put(pool, d);
		ws_inflater_put(pool, in);
	}
	buf_free(&m);
}

/* Behind what is there already, which is left as it is. */
static void
appends(void **state)
{
	struct ws_inflater *in = inflater(15);
	struct ws_deflater *d = deflater(15);

	(void)state;
	buf_puts(&packed, "before");
	compress_message(d, "Hello", 5);
	assert_int_equal(packed.len, 13);
	assert_memory_equal(packed.p, "before" HELLO, 13);
	buf_puts(&out, "before");
	assert_int_equal(
	    ws_inflate(in, packed.p + 6, 7, 1, &out, 11), WS_INFLATE_OK);
	assert_int_equal(out.len, 11);
	assert_memory_equal(out.p, "beforeHello", 11);
	assert_int_equal(
	    ws_inflate(in, AGAIN, 5, 1, &out, 15), WS_INFLATE_TOO_BIG);
	assert_int_equal(out.len, 15);
	ws_deflater_put(pool, d);
	ws_inflater_put(pool, in);
}

/* Whoever comes next finds nothing of those before. */
static void
uses_states_again(void **state)
{
	struct ws_inflater *in = inflater(15), *in2;
	struct ws_deflater *d = deflater(15), *d2;

	(void)state;
	assert_inflates(in, S(HELLO), 1, S("Hello"));
	ws_inflater_put(pool, in);
	in2 = inflater(15);
	assert_ptr_equal(in2, in);
	out.len = 0;
	assert_int_equal(
	    inflate_message(in2, S(AGAIN), 1, 100), WS_INFLATE_BAD);
	ws_inflater_put(pool, in2);
	in2 = inflater(15);
	assert_ptr_equal(in2, in);
	/* Not even when it ended in the middle. */
	assert_int_equal(
	    ws_inflate(in2, HELLO, 3, 0, &out, 100), WS_INFLATE_OK);
	ws_inflater_put(pool, in2);
	in2 = inflater(15);
	assert_inflates(in2, S(""), 1, S(""));
	assert_inflates(in2, S(HELLO), 1, S("Hello"));
	ws_inflater_put(pool, in2);

	compress_message(d, "Hello", 5);
	ws_deflater_put(pool, d);
	d2 = deflater(15);
	assert_ptr_equal(d2, d);
	compress_message(d2, "Hello", 5);
	assert_int_equal(packed.len, 14);
	assert_memory_equal(packed.p, HELLO HELLO, 14);
	ws_deflater_put(pool, d2);
}

/* As many as are wanted at once, and each of its own size. */
static void
lends_many(void **state)
{
	struct ws_inflater *in[70];
	struct ws_deflater *d[70];
	int i, round;

	(void)state;
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 70; i++) {
			in[i] = inflater(9 + i % 7);
			d[i] = deflater(9 + i % 7);
		}
		for (i = 0; i < 70; i++) {
			packed.len = 0;
			compress_message(d[i], "Hello", 5);
			assert_inflates(
			    in[i], packed.p, packed.len, 1, S("Hello"));
		}
		for (i = 0; i < 70; i++) {
			ws_inflater_put(pool, in[i]);
			ws_deflater_put(pool, d[i]);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(reads_the_examples_of_the_rfc),
	    T(writes_the_examples_of_the_rfc),
	    T(reads_what_has_no_tail),
	    T(comes_back_as_it_was),
	    T(may_be_cut_anywhere),
	    T(holds_nothing_back),
	    T(large_messages),
	    T(appends),
	    T(uses_states_again),
	    T(lends_many),
	};

	return cmocka_run_group_tests_name("ws deflate", tests, NULL, NULL);
}
