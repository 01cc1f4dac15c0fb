/* SPDX-License-Identifier: BSD-2-Clause */
/* Frame headers: what is read, what is refused and how early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ws/frame.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static const uint8_t key[4] = {0x11, 0x22, 0x33, 0x44};

/* A client's header: ours, with a mask. */
static size_t
put_masked(uint8_t out[WS_HEAD_MAX], unsigned first, uint64_t len)
{
	size_t n = ws_head_put(out, first, len);

	out[1] |= 0x80;
	memcpy(out + n, key, sizeof(key));
	return n + sizeof(key);
}

/* The first n bytes, in memory of just that size. */
static int
parse(struct ws_head *h, const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, p, n);
	rc = ws_head_parse(h, copy, n);
	free(copy);
	return rc;
}

static void
assert_reads(unsigned first, uint64_t len, size_t size)
{
	uint8_t in[WS_HEAD_MAX + 3];
	struct ws_head h;
	size_t n;

	memset(in, 0xff, sizeof(in));
	assert_int_equal(put_masked(in, first, len), size);
	for (n = 0; n < size; n++)
		assert_int_equal(parse(&h, in, n), 0);
	for (; n <= size + 3 && n <= sizeof(in); n++) {
		memset(&h, 0x55, sizeof(h));
		assert_int_equal(parse(&h, in, n), size);
		assert_int_equal(h.first, first);
		assert_int_equal(h.size, size);
		assert_int_equal(h.len, len);
		assert_memory_equal(h.key, key, sizeof(key));
	}
}

static void
reads_headers(void **state)
{
	unsigned first;

	(void)state;
	for (first = 0; first < 256; first++) {
		assert_reads(first, 0, 6);
		assert_reads(first, 125, 6);
	}
	assert_reads(0x82, 126, 8);
	assert_reads(0x01, 127, 8);
	assert_reads(0x82, 0x1234, 8);
	assert_reads(0x82, 65535, 8);
	assert_reads(0x82, 65536, 14);
	assert_reads(0x82, UINT64_C(0x0123456789abcdef), 14);
	assert_reads(0x82, INT64_MAX, 14);
}

/* Refused with the byte that makes it wrong, and ever after. */
static void
assert_bad(const uint8_t *in, size_t n, size_t from)
{
	struct ws_head h;
	size_t k;

	for (k = 0; k <= n; k++)
		assert_int_equal(parse(&h, in, k), k < from ? 0 : -1);
}

static void
refuses_what_is_not_masked(void **state)
{
	uint8_t in[WS_HEAD_MAX] = {0x81};
	unsigned second;

	(void)state;
	for (second = 0; second < 0x80; second++) {
		in[1] = (uint8_t)second;
		assert_bad(in, sizeof(in), 2);
	}
}

static void
refuses_long_ways_to_write_a_length(void **state)
{
	static const uint8_t in[][WS_HEAD_MAX] = {{0x82, 0xfe, 0, 0},
	    {0x82, 0xfe, 0, 125}, {0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 0},
	    {0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 125},
	    {0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 126},
	    {0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};
	size_t i;

	(void)state;
	for (i = 0; i < N(in); i++)
		assert_bad(in[i], sizeof(in[i]), in[i][1] == 0xfe ? 4 : 10);
}

static void
refuses_the_highest_bit(void **state)
{
	static const uint8_t in[][WS_HEAD_MAX] = {
	    {0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0},
	    {0x82, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0},
	    {0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	size_t i;

	(void)state;
	for (i = 0; i < N(in); i++)
		assert_bad(in[i], sizeof(in[i]), 10);
}

static void
refuses_long_control_frames(void **state)
{
	uint8_t in[WS_HEAD_MAX] = {0};
	unsigned opcode;

	(void)state;
	for (opcode = 0; opcode < 16; opcode++) {
		assert_reads(WS_FIN | opcode, 125, 6);
		in[0] = (uint8_t)(WS_FIN | opcode);
		in[1] = 0xfe;
		in[3] = 126;
		if (opcode < 8)
			assert_reads(in[0], 126, 8);
		else
			assert_bad(in, sizeof(in), 2);
		in[1] = 0xff;
		in[7] = 1;
		if (opcode < 8)
			assert_reads(in[0], 65536, 14);
		else
			assert_bad(in, sizeof(in), 2);
		memset(in, 0, sizeof(in));
	}
}

static void
assert_writes(unsigned first, uint64_t len, const uint8_t *want, size_t n)
{
	uint8_t out[WS_HEAD_OUT + 1];
	size_t i;

	memset(out, 0xee, sizeof(out));
	assert_int_equal(ws_head_put(out, first, len), n);
	assert_memory_equal(out, want, n);
	for (i = n; i < sizeof(out); i++)
		assert_int_equal(out[i], 0xee);
}

static void
writes_headers(void **state)
{
#define H(...) \
	((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})
	(void)state;
	assert_writes(WS_FIN | WS_TEXT, 0, H(0x81, 0));
	assert_writes(WS_FIN | WS_RSV1 | WS_BINARY, 5, H(0xc2, 5));
	assert_writes(WS_FIN | WS_PONG, 125, H(0x8a, 125));
	assert_writes(WS_BINARY, 126, H(2, 126, 0, 126));
	assert_writes(WS_CONT, 256, H(0, 126, 1, 0));
	assert_writes(WS_CONT, 65535, H(0, 126, 255, 255));
	assert_writes(WS_FIN, 65536, H(0x80, 127, 0, 0, 0, 0, 0, 1, 0, 0));
	assert_writes(WS_FIN, UINT64_C(0x0102030405060708),
	    H(0x80, 127, 1, 2, 3, 4, 5, 6, 7, 8));
}

static void
tells_control_frames(void **state)
{
	struct ws_head h = {0};

	(void)state;
	for (h.first = 0; h.first < 255; h.first++) {
		assert_int_equal(ws_head_opcode(&h), h.first % 16);
		assert_int_equal(ws_head_is_control(&h), h.first % 16 >= 8);
	}
}

static void
knows_close_codes(void **state)
{
	static const unsigned edges[] = {1000, 1003, 1007, 1014, 3000, 4999};
	unsigned code, ok;
	size_t i;

	(void)state;
	for (code = 0; code < 70000; code++) {
		for (ok = 0, i = 0; i < N(edges); i += 2)
			ok |= code >= edges[i] && code <= edges[i + 1];
		assert_int_equal(ws_close_code_ok(code), ok);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_headers),
	    cmocka_unit_test(refuses_what_is_not_masked),
	    cmocka_unit_test(refuses_long_ways_to_write_a_length),
	    cmocka_unit_test(refuses_the_highest_bit),
	    cmocka_unit_test(refuses_long_control_frames),
	    cmocka_unit_test(writes_headers),
	    cmocka_unit_test(tells_control_frames),
	    cmocka_unit_test(knows_close_codes),
	};

	return cmocka_run_group_tests_name("ws frame", tests, NULL, NULL);
}
