/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records for another process of this machine: numbers and texts one behind the
 * other, in the machine's byte order.  plugins/socketio/pack.h is the same for
 * any machine; plugins may not include this one, and neither is for the SDK.
 */
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <hostd/abi.h>
#include "base/buf.h"

static inline void
pack_u32(struct buf *b, uint32_t v)
{
	buf_append(b, &v, sizeof(v));
}

static inline void
pack_u64(struct buf *b, uint64_t v)
{
	buf_append(b, &v, sizeof(v));
}

/* Its length, and its bytes. */
static inline void
pack_bytes(struct buf *b, const void *p, size_t n)
{
	pack_u32(b, (uint32_t)n);
	if (n > 0)
		buf_append(b, p, n);
}

static inline void
pack_text(struct buf *b, const char *s)
{
	pack_bytes(b, s, strlen(s));
}

/* What is left to be read. */
struct unpack {
	const char *p;
	size_t n;
	int bad;		/* it was too short: what was read is zero */
};

static inline const void *
unpack_take(struct unpack *u, size_t n)
{
	const char *p = u->p;

	if (u->bad || n > u->n) {
		u->bad = 1;
		return NULL;
	}
	u->p += n;
	u->n -= n;
	return p;
}

static inline uint32_t
unpack_u32(struct unpack *u)
{
	uint32_t v = 0;
	const void *p = unpack_take(u, sizeof(v));

	if (p != NULL)
		memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t
unpack_u64(struct unpack *u)
{
	uint64_t v = 0;
	const void *p = unpack_take(u, sizeof(v));

	if (p != NULL)
		memcpy(&v, p, sizeof(v));
	return v;
}

/* They lie in the record. */
static inline hostd_buf
unpack_bytes(struct unpack *u)
{
	uint32_t n = unpack_u32(u);
	const void *p = unpack_take(u, n);

	return (hostd_buf){ p, p != NULL ? n : 0 };
}

/* Was it all of the record, and no more? */
static inline int
unpack_ok(const struct unpack *u)
{
	return !u->bad && u->n == 0;
}

#endif
