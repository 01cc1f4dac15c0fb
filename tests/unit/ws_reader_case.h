/* SPDX-License-Identifier: BSD-2-Clause */
/* A client's bytes, and a reader of them. */
#ifndef UNIT_WS_READER_CASE_H
#define UNIT_WS_READER_CASE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static inline void
note(struct witness *x, const char *s, size_t n)
{
	size_t len = strlen(x->told);

	(void)snprintf(x->told + len, sizeof(x->told) - len, "%s%zu", s, n);
}

static inline int
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

static inline int
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

static inline void
witness_init(struct witness *x)
{
	memset(x, 0, sizeof(*x));
	x->reader.ops = &ops;
	x->reader.pool = &pool;
	x->reader.max = MAX;
	x->reader.bits = 15;
}

static inline void
witness_free(struct witness *x)
{
	ws_reader_close(&x->reader);
	buf_free(&x->bytes);
}

static inline int
setup(void **state)
{
	(void)state;
	memset(&pool, 0, sizeof(pool));
	pool.zpool = ws_zpool_new(1, 8);
	witness_init(&w);
	wire.len = 0;
	return 0;
}

static inline int
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
static inline void
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

static inline void
put(unsigned first, const void *p, size_t n)
{
	put_part(first, n, p, n);
}

static inline void
puts_frame(unsigned first, const char *s)
{
	put(first, s, strlen(s));
}

/* Feed what was put in pieces of that size, from memory that is gone then. */
static inline void
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

static inline char *
noise(size_t n)
{
	char *p = xmalloc(n);
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (char)(i * 31 + i / 251);
	return p;
}

static inline void
assert_bytes(const struct witness *x, const void *p, size_t n)
{
	assert_int_equal(x->bytes.len, n);
	assert_memory_equal(x->bytes.p, p, n);
}

#endif
