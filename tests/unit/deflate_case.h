/* SPDX-License-Identifier: BSD-2-Clause */
/* A pool of zlib's states, and messages to try it with. */
#ifndef UNIT_DEFLATE_CASE_H
#define UNIT_DEFLATE_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ws/deflate.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define S(text) (text), sizeof(text) - 1
#define MIB ((size_t)1 << 20)

#define HELLO "\xf2\x48\xcd\xc9\xc9\x07\x00"
/* "Hello" once more, as five bytes that were there before. */
#define AGAIN "\xf2\x00\x11\x00\x00"

#define MESSAGES 7

static struct ws_zpool *pool;
static struct buf packed, out, messages[MESSAGES];

/* Zeros, noise, or something like words. */
static inline void
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

static inline int
setup(void **state)
{
	(void)state;
	pool = ws_zpool_new(6, 8);
	srand(7);
	fill(&messages[0], 5, 2);
	fill(&messages[1], 0, 0);
	fill(&messages[2], 3000, 2);
	fill(&messages[3], 3000, 1);
	fill(&messages[4], 0, 0);
	fill(&messages[5], 5000, 0);
	fill(&messages[6], 3000, 2);
	return 0;
}

static inline int
teardown(void **state)
{
	int i;

	(void)state;
	ws_zpool_free(pool);
	buf_free(&packed);
	buf_free(&out);
	for (i = 0; i < MESSAGES; i++)
		buf_free(&messages[i]);
	return 0;
}

static inline struct ws_inflater *
inflater(int bits)
{
	struct ws_inflater *in = ws_inflater_get(pool, bits);

	assert_non_null(in);
	return in;
}

static inline struct ws_deflater *
deflater(int bits)
{
	struct ws_deflater *d = ws_deflater_get(pool, bits);

	assert_non_null(d);
	return d;
}

/* Behind what packed holds. */
static inline void
compress_message(struct ws_deflater *d, const void *p, size_t n)
{
	assert_int_equal(ws_deflate(d, p, n, &packed), 0);
}

/*
 * A message in pieces of step bytes, each in memory of its own, behind what
 * out holds.
 */
static inline int
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

static inline void
assert_inflates(struct ws_inflater *in, const void *p, size_t n, size_t step,
    const void *want, size_t len)
{
	out.len = 0;
	assert_int_equal(inflate_message(in, p, n, step, len), WS_INFLATE_OK);
	assert_int_equal(out.len, len);
	if (len > 0)
		assert_memory_equal(out.p, want, len);
}

#endif
