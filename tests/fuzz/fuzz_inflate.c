/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compressed messages.  The input is: size of windows, size of pieces, the
 * limit in two bytes, and a message's payload.
 *
 * What must hold: nothing grows past the limit; pieces never matter; what we
 * compress comes back as it was, in the window of the message before as in a
 * fresh one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "ws/deflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define PREFIX 4

static struct ws_zpool *pool;

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* A message in pieces, each in memory of its own. */
static int
inflate_message(struct ws_inflater *in, const uint8_t *p, size_t n, size_t step,
    struct buf *out, size_t max)
{
	size_t piece, at = 0;
	uint8_t *copy;
	int rc;

	out->len = 0;
	do {
		piece = n - at < step ? n - at : step;
		must((copy = malloc(piece > 0 ? piece : 1)) != NULL);
		if (piece > 0)
			memcpy(copy, p + at, piece);
		at += piece;
		rc = ws_inflate(in, copy, piece, at == n, out, max);
		free(copy);
		must(out->len <= max && out->cap <= 2 * max + 64);
		must(rc != WS_INFLATE_TOO_BIG || out->len == max);
	} while (rc == WS_INFLATE_OK && at < n);
	return rc;
}

static int
is_same(const struct buf *a, const void *p, size_t n)
{
	return a->len == n && (n == 0 || memcmp(a->p, p, n) == 0);
}

/*
 * The message twice on one connection, whole and in pieces.  In a small window
 * they do matter: zlib sees how far back something is only by what it has not
 * at hand.
 */
static void
try_message(int bits, const uint8_t *p, size_t n, size_t step, size_t max)
{
	struct ws_inflater *a = ws_inflater_get(pool, bits);
	struct ws_inflater *b = ws_inflater_get(pool, bits);
	struct buf whole = {NULL, 0, 0}, cut = {NULL, 0, 0};
	int i, rc, rc2;

	must(a != NULL && b != NULL);
	for (i = 0, rc = WS_INFLATE_OK; i < 2 && rc == WS_INFLATE_OK; i++) {
		rc = inflate_message(a, p, n, SIZE_MAX, &whole, max);
		rc2 = inflate_message(b, p, n, step, &cut, max);
		if (bits == 15)
			must(rc == rc2 &&
			    (rc == WS_INFLATE_BAD ||
				is_same(&whole, cut.p, cut.len)));
		if (rc2 != WS_INFLATE_OK)
			break;
	}
	ws_inflater_put(pool, a);
	ws_inflater_put(pool, b);
	buf_free(&whole);
	buf_free(&cut);
}

static void
try_round_trip(int bits, const uint8_t *p, size_t n, size_t step)
{
	struct ws_deflater *d = ws_deflater_get(pool, bits);
	struct ws_inflater *in = ws_inflater_get(pool, bits);
	struct buf packed = {NULL, 0, 0}, out = {NULL, 0, 0};
	int i;

	must(d != NULL && in != NULL);
	for (i = 0; i < 3; i++) {
		packed.len = 0;
		must(ws_deflate(d, p, n, &packed) == 0);
		must(inflate_message(in, (uint8_t *)packed.p, packed.len, step,
			 &out, n) == WS_INFLATE_OK);
		must(is_same(&out, p, n));
	}
	ws_inflater_put(pool, in);
	ws_deflater_put(pool, d);
	buf_free(&packed);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t step, max;
	int bits;

	if (size < PREFIX)
		return 0;
	if (pool == NULL)
		pool = ws_zpool_new(6, 8);
	bits = 9 + data[0] % 7;
	step = (size_t)data[1] + 1;
	max = (size_t)(data[2] << 8 | data[3]);
	try_message(bits, data + PREFIX, size - PREFIX, step, max);
	try_round_trip(bits, data + PREFIX, size - PREFIX, step);
	return 0;
}
