/* SPDX-License-Identifier: BSD-2-Clause */
/* Compressed messages that are bad, or too large. */
#include <zlib.h>
#include "deflate_case.h"

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
		compress_message(d, messages[i].p, messages[i].len);
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
	compress_message(d, m.p, m.len);
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
	    T(refuses_bad_data),
	    T(refuses_what_was_cut_short),
	    T(tells_too_big_from_bad),
	    T(stops_at_the_limit),
	    T(survives_bombs),
	    T(keeps_to_the_window),
	};

	return cmocka_run_group_tests_name("ws inflate", tests, NULL, NULL);
}
