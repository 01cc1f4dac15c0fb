/* SPDX-License-Identifier: BSD-2-Clause */
/* A growing byte buffer.  Zeroed memory is an empty one. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <string.h>

struct buf {
	char *p;
	size_t len, cap;
};

/* Make it larger, for n more bytes; for buf_reserve. */
void	 buf_grow(struct buf *, size_t n);
void	 buf_puts(struct buf *, const char *);
void	 buf_printf(struct buf *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
/* Drop n bytes from the front. */
void	 buf_consume(struct buf *, size_t n);
void	 buf_free(struct buf *);
/* The same of what nobody is to find in memory. */
void	 buf_wipe(struct buf *);

/* Make room for n more bytes and return where they go (buf->p + buf->len). */
static inline char *
buf_reserve(struct buf *b, size_t n)
{
	if (n > b->cap - b->len)
		buf_grow(b, n);
	return b->p + b->len;
}

static inline void
buf_append(struct buf *b, const void *p, size_t n)
{
	if (n == 0)
		return;
	memcpy(buf_reserve(b, n), p, n);
	b->len += n;
}

#endif
