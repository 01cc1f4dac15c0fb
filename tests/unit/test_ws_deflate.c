/* SPDX-License-Identifier: BSD-2-Clause */
/* Compression: there and back in any pieces, within limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <cmocka.h>

#include "ws/deflate.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define S(text) (text), sizeof(text) - 1
#define MIB ((size_t)1 << 20)

#define HELLO "\xf2\x48\xcd\xc9\xc9\x07\x00"
/* "Hello" once more, as five bytes that were there before. */
#define AGAIN "\xf2\x00\x11\x00\x00"

static struct ws_zpool *pool;
static struct buf packed, out;

static int
setup(void **state)
{
	(void)state;
	pool = ws_zpool_new(6, 8);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ws_zpool_free(pool);
	buf_free(&packed);
	buf_free(&out);
	return 0;
}

static struct ws_inflater *
inflater(int bits)
{
	struct ws_inflater *in = ws_inflater_get(pool, bits);

	assert_non_null(in);
	return in;
}

static struct ws_deflater *
deflater(int bits)
{
	struct ws_deflater *d = ws_deflater_get(pool, bits);

	assert_non_null(d);
	return d;
}

/*
 * A message in pieces of step bytes, each in memory of its own, behind what
 * out holds.
 */
static int
inflate_message(
    struct ws_inflater *in, const void *p, size_t n, size_t step, size_t max)
{
	size_t piece, at = 0;
	char *copy;
	int rc;

	do {
		piece = n - at < step ? n - at : step;
		copy = malloc(piece > 0 ? piece : 1);
		assert_non_null(copy);
		memcpy(copy, (const char *)p + at, piece);
		at += piece;
		rc = ws_inflate(in, copy, piece, at == n, &out, max);
		free(copy);
		assert_true(out.len <= max);
	} while (rc == WS_INFLATE_OK && at < n);
	return rc;
}

static void
assert_inflates(struct ws_inflater *in, const void *p, size_t n, size_t step,
    const void *want, size_t len)
{
	out.len = 0;
	assert_int_equal(inflate_message(in, p, n, step, len), WS_INFLATE_OK);
	assert_int_equal(out.len, len);
	if (len > 0)
		assert_memory_equal(out.p, want, len);
}

/* In any pieces, each time in a fresh window. */
static void
assert_fails(const void *p, size_t n, size_t max, int want)
{
	static const size_t steps[] = {1, 2, 5, 100, SIZE_MAX};
	struct ws_inflater *in;
	size_t i;

	for (i = 0; i < N(steps); i++) {
		in = inflater(15);
		out.len = 0;
		assert_int_equal(
		    inflate_message(in, p, n, steps[i], max), want);
		ws_inflater_put(pool, in);
	}
}

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
	assert_int_equal(ws_deflate(d, "Hello", 5, &packed), 0);
	assert_int_equal(ws_deflate(d, "Hello", 5, &packed), 0);
	/* Empty ones, twice in a row. */
	assert_int_equal(ws_deflate(d, NULL, 0, &packed), 0);
	assert_int_equal(ws_deflate(d, NULL, 0, &packed), 0);
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

#define MESSAGES 7

static struct buf messages[MESSAGES];

static void
fill(struct buf *b, size_t n, int kind)
{
	static const char words[] = "the quick brown fox jumps over a lazy dog";
	size_t i;

	b->len = 0;
	(void)buf_reserve(b, n + 1);
	for (i = 0; i < n; i++)
		b->p[i] = kind == 0 ? '\0'
		    : kind == 1
		    ? (char)rand()
		    : words[(i + (size_t)rand() % 3) % (sizeof(words) - 1)];
	b->len = n;
}

static int
setup_messages(void **state)
{
	srand(7);
	fill(&messages[0], 5, 2);
	fill(&messages[1], 0, 0);
	fill(&messages[2], 3000, 2);
	fill(&messages[3], 3000, 1);
	fill(&messages[4], 0, 0);
	fill(&messages[5], 5000, 0);
	fill(&messages[6], 3000, 2);
	return setup(state);
}

static int
teardown_messages(void **state)
{
	int i;

	for (i = 0; i < MESSAGES; i++)
		buf_free(&messages[i]);
	return teardown(state);
}

/* One connection with its two windows; step 0: each message has its own. */
static void
round_trip(int bits, int takeover, size_t step)
{
	struct ws_deflater *d = deflater(bits);
	struct ws_inflater *in = inflater(bits);
	int i;

	for (i = 0; i < MESSAGES; i++) {
		packed.len = 0;
		assert_int_equal(
		    ws_deflate(d, messages[i].p, messages[i].len, &packed), 0);
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
	assert_int_equal(ws_deflate(d, m->p, m->len, &packed), 0);
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
	assert_int_equal(ws_deflate(d, m.p, m.len, &packed), 0);
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
		assert_int_equal(ws_deflate(d, m.p, m.len, &packed), 0);
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
	assert_int_equal(ws_deflate(d, "Hello", 5, &packed), 0);
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

static void
refuses_bad_data(void **state)
{
	static const struct {
		const char *p;
		size_t n;
	} bad[] = {{S("\x06")}, {S("\x07")}, {S("\xff\xff\xff\xff")},
	    {S("Hello")}, {S(AGAIN)}, {S("\x00\x05\x00\xfb\xffHello\x00")},
	    {S("\x04\xfe\xff\xff\xff\xff\xff\xff\xff")},
	    {S(HELLO "\x00\x00\xff\xff")}, {S(HELLO "\x00\x00\xff\xff\x06")},
	    {S("\xf3\x48\xcd\xc9\xc9\x07\x00\xff")},
	    {S("\x78\x9c\xf2\x48\xcd\xc9\xc9\x07\x00")},
	    {S("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")}};
	size_t i;

	(void)state;
	for (i = 0; i < N(bad); i++)
		assert_fails(bad[i].p, bad[i].n, 1000, WS_INFLATE_BAD);
}

/* The tail does not mend a message that ends too early. */
static void
refuses_what_was_cut_short(void **state)
{
	static const char stored[] = "\x00\x05\x00\xfa\xffHello\x00";
	/* The tail makes a copy and the end of a block, but for one bit. */
	static const char bit[] =
	    "\xcc\xd1\x81\x00\x00\x00\x00\x80\x20\xd6"
	    "\xfd\x25\xd6\x28\x85\x2a\x00\x00\x00\x00\x00";
	size_t n;

	(void)state;
	for (n = 1; n < sizeof(HELLO) - 1; n++)
		assert_fails(HELLO, n, 1000, WS_INFLATE_BAD);
	/* Four bytes short, it is the rest of the text: nobody can tell. */
	for (n = 2; n < sizeof(stored) - 1; n++)
		if (n != 6)
			assert_fails(stored, n, 1000, WS_INFLATE_BAD);
	assert_fails(S(bit), 5000, WS_INFLATE_BAD);
}

/* Whichever comes first, in any pieces. */
static void
tells_too_big_from_bad(void **state)
{
	static const char bad[] = "\x4a\x00\x00\x00\x00\xff\x00";

	(void)state;
	assert_fails(S(bad), 0, WS_INFLATE_TOO_BIG);
	assert_fails(S(bad), 1, WS_INFLATE_BAD);
}

static void
stops_at_the_limit(void **state)
{
	static const size_t steps[] = {1, 3, 50, SIZE_MAX};
	struct ws_deflater *d = deflater(15);
	struct ws_inflater *in;
	size_t i, k, max;

	(void)state;
	for (i = 0; i < MESSAGES; i++) {
		packed.len = 0;
		assert_int_equal(
		    ws_deflate(d, messages[i].p, messages[i].len, &packed), 0);
		ws_deflater_put(pool, d);
		d = deflater(15);
		for (max = 0; max < messages[i].len; max += 1 + max / 3)
			assert_fails(
			    packed.p, packed.len, max, WS_INFLATE_TOO_BIG);
		if (messages[i].len > 0)
			assert_fails(packed.p, packed.len, messages[i].len - 1,
			    WS_INFLATE_TOO_BIG);
		for (k = 0; k < N(steps); k++) {
			in = inflater(15);
			assert_inflates(in, packed.p, packed.len, steps[k],
			    messages[i].p, messages[i].len);
			ws_inflater_put(pool, in);
		}
	}
	ws_deflater_put(pool, d);
}

/* n MiB of zeros.  Each is compressed without regard to those before, so they
 * all look the same. */
static void
make_bomb(size_t n)
{
	unsigned char *zeros = calloc(1, MIB), room[4096];
	z_stream z = {0};
	size_t i;

	assert_non_null(zeros);
	assert_int_equal(
	    deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = zeros;
	z.avail_in = MIB;
	z.next_out = room;
	z.avail_out = sizeof(room);
	assert_int_equal(deflate(&z, Z_FULL_FLUSH), Z_OK);
	assert_true(z.avail_out > 0);
	packed.len = 0;
	for (i = 0; i < n; i++)
		buf_append(&packed, room, sizeof(room) - z.avail_out);
	packed.len -= 4;
	(void)deflateEnd(&z);
	free(zeros);
}

static void
survives_bombs(void **state)
{
	static const size_t limits[] = {0, 1, 1000, MIB, 10 * MIB + 1};
	struct ws_inflater *in = inflater(15);
	size_t i, k;

	(void)state;
	/* It is what it claims to be. */
	make_bomb(16);
	assert_int_equal(
	    inflate_message(in, packed.p, packed.len, 4096, 16 * MIB),
	    WS_INFLATE_OK);
	assert_int_equal(out.len, 16 * MIB);
	for (k = 0; k < out.len; k++)
		assert_int_equal(out.p[k], 0);
	ws_inflater_put(pool, in);

	make_bomb(1024);
	assert_true(packed.len < 2 * MIB);
	for (i = 0; i < N(limits); i++) {
		buf_free(&out);
		assert_fails(
		    packed.p, packed.len, limits[i], WS_INFLATE_TOO_BIG);
		assert_int_equal(out.len, limits[i]);
		assert_true(out.cap <= 2 * limits[i] + 64);
	}
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

	assert_int_equal(ws_deflate(d, "Hello", 5, &packed), 0);
	ws_deflater_put(pool, d);
	d2 = deflater(15);
	assert_ptr_equal(d2, d);
	assert_int_equal(ws_deflate(d2, "Hello", 5, &packed), 0);
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
			assert_int_equal(
			    ws_deflate(d[i], "Hello", 5, &packed), 0);
			assert_inflates(
			    in[i], packed.p, packed.len, 1, S("Hello"));
		}
		for (i = 0; i < 70; i++) {
			ws_inflater_put(pool, in[i]);
			ws_deflater_put(pool, d[i]);
		}
	}
}

static size_t
packed_twice(int bits, size_t n)
{
	struct ws_deflater *d = deflater(bits);
	struct buf m = {NULL, 0, 0};

	srand(5);
	fill(&m, n, 1);
	(void)buf_reserve(&m, n);
	buf_append(&m, m.p, n);
	packed.len = 0;
	assert_int_equal(ws_deflate(d, m.p, m.len, &packed), 0);
	buf_free(&m);
	ws_deflater_put(pool, d);
	return packed.len;
}

/* What is further back than the window can't be used, and must not be. */
static void
keeps_to_the_window(void **state)
{
	struct ws_inflater *in;
	size_t n;
	int bits, other;

	(void)state;
	for (bits = 10; bits <= 15; bits++) {
		n = ((size_t)1 << bits) - 400;
		assert_true(packed_twice(bits - 1, n) > 2 * n);
		assert_true(packed_twice(bits, n) < n + n / 5);
		for (other = bits - 1; other <= bits; other++) {
			in = inflater(other);
			out.len = 0;
			assert_int_equal(
			    inflate_message(in, packed.p, packed.len, 1, 2 * n),
			    other == bits ? WS_INFLATE_OK : WS_INFLATE_BAD);
			ws_inflater_put(pool, in);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define TM(f) \
	cmocka_unit_test_setup_teardown(f, setup_messages, teardown_messages)
	    T(reads_the_examples_of_the_rfc),
	    T(writes_the_examples_of_the_rfc),
	    T(reads_what_has_no_tail),
	    TM(comes_back_as_it_was),
	    TM(may_be_cut_anywhere),
	    T(holds_nothing_back),
	    T(large_messages),
	    T(appends),
	    T(refuses_bad_data),
	    T(refuses_what_was_cut_short),
	    T(tells_too_big_from_bad),
	    TM(stops_at_the_limit),
	    T(survives_bombs),
	    T(uses_states_again),
	    T(lends_many),
	    T(keeps_to_the_window),
	};

	return cmocka_run_group_tests_name("ws deflate", tests, NULL, NULL);
}
