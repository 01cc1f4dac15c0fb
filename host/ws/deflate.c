/* SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>
#include "base/mem.h"
#include "ws/deflate.h"

#define BITS_LEAST	9
#define BITS_N		7	/* 9 to 15 */
#define IDLE_MAX	4	/* kept of a kind: more are seldom wanted */
#define WINDOW_MAX	32768
#define STEP		1024	/* room for output, at the least */

/* What a flush ends with, and a sender takes off. */
static const unsigned char tail[] = { 0x00, 0x00, 0xff, 0xff };

/* zlib's state of one direction, and its place on a shelf. */
struct zstate {
	z_stream z;
	struct zstate *next;
	int bits;
};

struct ws_inflater {
	struct zstate s;
	int midway;		/* behind the start of a stream or message */
};

struct ws_deflater {
	struct zstate s;
};

struct shelf {
	struct zstate *first;
	unsigned n;
};

struct ws_zpool {
	int level, mem_level;
	struct shelf inflaters[BITS_N], deflaters[BITS_N];
};

static struct zstate *
shelf_take(struct shelf *sh)
{
	struct zstate *s = sh->first;

	if (s != NULL) {
		sh->first = s->next;
		sh->n--;
	}
	return s;
}

/* Is there room for it? */
static int
shelf_put(struct shelf *sh, struct zstate *s)
{
	if (sh->n == IDLE_MAX)
		return 0;
	s->next = sh->first;
	sh->first = s;
	sh->n++;
	return 1;
}

static void
shelf_clear(struct shelf *sh, int (*end)(z_stream *))
{
	struct zstate *s;

	while ((s = shelf_take(sh)) != NULL) {
		(void)end(&s->z);
		free(s);
	}
}

struct ws_zpool *
ws_zpool_new(int level, int mem_level)
{
	struct ws_zpool *pool = xcalloc(1, sizeof(*pool));

	pool->level = level;
	pool->mem_level = mem_level;
	return pool;
}

void
ws_zpool_free(struct ws_zpool *pool)
{
	int i;

	for (i = 0; i < BITS_N; i++) {
		shelf_clear(&pool->inflaters[i], inflateEnd);
		shelf_clear(&pool->deflaters[i], deflateEnd);
	}
	free(pool);
}

struct ws_inflater *
ws_inflater_get(struct ws_zpool *pool, int bits)
{
	struct ws_inflater *in = (struct ws_inflater *)
	    shelf_take(&pool->inflaters[bits - BITS_LEAST]);

	if (in != NULL) {
		(void)inflateReset(&in->s.z);
		in->midway = 0;
		return in;
	}
	in = xcalloc(1, sizeof(*in));
	in->s.bits = bits;
	if (inflateInit2(&in->s.z, -bits) == Z_OK)
		return in;
	free(in);
	return NULL;
}

void
ws_inflater_put(struct ws_zpool *pool, struct ws_inflater *in)
{
	if (shelf_put(&pool->inflaters[in->s.bits - BITS_LEAST], &in->s))
		return;
	(void)inflateEnd(&in->s.z);
	free(in);
}

struct ws_deflater *
ws_deflater_get(struct ws_zpool *pool, int bits)
{
	struct ws_deflater *d = (struct ws_deflater *)
	    shelf_take(&pool->deflaters[bits - BITS_LEAST]);

	if (d != NULL) {
		(void)deflateReset(&d->s.z);
		return d;
	}
	d = xcalloc(1, sizeof(*d));
	d->s.bits = bits;
	if (deflateInit2(&d->s.z, pool->level, Z_DEFLATED, -bits,
	    pool->mem_level, Z_DEFAULT_STRATEGY) == Z_OK)
		return d;
	free(d);
	return NULL;
}

void
ws_deflater_put(struct ws_zpool *pool, struct ws_deflater *d)
{
	if (shelf_put(&pool->deflaters[d->s.bits - BITS_LEAST], &d->s))
		return;
	(void)deflateEnd(&d->s.z);
	free(d);
}

/* -- windows -- */

void
ws_inflater_window(struct ws_inflater *in, struct buf *out)
{
	uInt n = 0;

	(void)buf_reserve(out, WINDOW_MAX);
	if (inflateGetDictionary(&in->s.z, (unsigned char *)out->p + out->len,
	    &n) == Z_OK)
		out->len += n;
}

void
ws_deflater_window(struct ws_deflater *d, struct buf *out)
{
	uInt n = 0;

	(void)buf_reserve(out, WINDOW_MAX);
	if (deflateGetDictionary(&d->s.z, (unsigned char *)out->p + out->len,
	    &n) == Z_OK)
		out->len += n;
}

struct ws_inflater *
ws_inflater_resume(struct ws_zpool *pool, int bits, hostd_buf window)
{
	struct ws_inflater *in = ws_inflater_get(pool, bits);

	if (in == NULL || (window.n <= WINDOW_MAX &&
	    inflateSetDictionary(&in->s.z, window.p, (uInt)window.n) == Z_OK))
		return in;
	ws_inflater_put(pool, in);
	return NULL;
}

struct ws_deflater *
ws_deflater_resume(struct ws_zpool *pool, int bits, hostd_buf window)
{
	struct ws_deflater *d = ws_deflater_get(pool, bits);

	if (d == NULL || (window.n <= WINDOW_MAX &&
	    deflateSetDictionary(&d->s.z, window.p, (uInt)window.n) == Z_OK))
		return d;
	ws_deflater_put(pool, d);
	return NULL;
}

/* -- messages -- */

static unsigned
clamp(size_t n)
{
	return n < UINT_MAX ? (unsigned)n : UINT_MAX;
}

/* Output goes behind what there is; up to room bytes, which is not 0. */
static void
aim(z_stream *z, struct buf *out, size_t room)
{
	size_t n = out->cap - out->len;

	if (n < STEP) {
		(void)buf_reserve(out, room < STEP ? room : STEP);
		n = out->cap - out->len;
	}
	z->next_out = (unsigned char *)out->p + out->len;
	z->avail_out = clamp(n < room ? n : room);
}

/*
 * One call of zlib's.  With out full, a byte beside it tells whether there is
 * more.
 */
static int
inflate_some(struct ws_inflater *in, struct buf *out, size_t max)
{
	z_stream *z = &in->s.z;
	unsigned char beyond;
	unsigned room = 1;
	int rc, is_full = out->len >= max;

	if (is_full) {
		z->next_out = &beyond;
		z->avail_out = 1;
	} else {
		aim(z, out, max - out->len);
		room = z->avail_out;
	}
	in->midway |= z->avail_in > 0;
	rc = inflate(z, Z_SYNC_FLUSH);
	if (is_full && z->avail_out == 0)
		return WS_INFLATE_TOO_BIG;
	if (rc != Z_OK && rc != Z_BUF_ERROR && rc != Z_STREAM_END)
		return WS_INFLATE_BAD;
	if (!is_full)
		out->len += room - z->avail_out;
	if (rc != Z_STREAM_END)
		return WS_INFLATE_OK;
	/* Another stream follows, in the same window (section 7.2.3.4). */
	(void)inflateResetKeep(z);
	in->midway = 0;
	return WS_INFLATE_OK;
}

static int
inflate_all(struct ws_inflater *in, const unsigned char *p, size_t n,
    struct buf *out, size_t max)
{
	z_stream *z = &in->s.z;
	unsigned piece;
	int rc;

	for (; n > 0; p += piece, n -= piece) {
		z->next_in = p;
		z->avail_in = piece = clamp(n);
		do {
			rc = inflate_some(in, out, max);
			if (rc != WS_INFLATE_OK)
				return rc;
		} while (z->avail_in > 0 || z->avail_out == 0);
	}
	return WS_INFLATE_OK;
}

/*
 * Behind a whole block, with no bit left over?  Most messages that were cut
 * short have taken the tail for something else.
 */
static int
is_between_blocks(const z_stream *z)
{
	return (z->data_type & 128) != 0 && (z->data_type & 63) == 0;
}

int
ws_inflate(struct ws_inflater *in, const void *p, size_t n, int fin,
    struct buf *out, size_t max)
{
	int rc = inflate_all(in, p, n, out, max);

	/*
	 * Nothing was taken off by a sender that ended its stream, or had
	 * nothing to flush.
	 */
	if (rc != WS_INFLATE_OK || !fin || !in->midway)
		return rc;
	rc = inflate_all(in, tail, sizeof(tail), out, max);
	if (rc == WS_INFLATE_OK && in->midway && !is_between_blocks(&in->s.z))
		rc = WS_INFLATE_BAD;
	in->midway = 0;
	return rc;
}

int
ws_deflate(struct ws_deflater *d, const void *p, size_t n, struct buf *out)
{
	z_stream *z = &d->s.z;
	unsigned room;
	int rc, flush;

	/* zlib won't flush twice without input in between. */
	if (n == 0) {
		buf_append(out, tail, 1);
		return 0;
	}
	z->next_in = p;
	do {
		z->avail_in = clamp(n);
		n -= z->avail_in;
		flush = n > 0 ? Z_NO_FLUSH : Z_SYNC_FLUSH;
		do {
			aim(z, out, UINT_MAX);
			room = z->avail_out;
			rc = deflate(z, flush);
			if (rc != Z_OK && rc != Z_BUF_ERROR)
				return -1;
			out->len += room - z->avail_out;
		} while (z->avail_out == 0);
	} while (n > 0);
	out->len -= sizeof(tail);
	return 0;
}
