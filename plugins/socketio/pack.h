/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records for other workers and nodes: numbers and texts one behind the other,
 * little-endian.  host/base/pack.h is the same for one machine.
 */
#ifndef SOCKETIO_PACK_H
#define SOCKETIO_PACK_H

#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/abi.h>

/* Zeroed memory is an empty one. */
struct pack {
	char *p;
	size_t n, size;
	int failed;		/* no memory: it is not whole */
};

static inline int
pack_reserve(struct pack *b, size_t more)
{
	size_t size = b->size == 0 ? 256 : b->size;
	char *p;

	if (b->failed)
		return -1;
	if (more <= b->size - b->n)
		return 0;
	while (size - b->n < more)
		size *= 2;
	if ((p = realloc(b->p, size)) == NULL) {
		b->failed = 1;
		return -1;
	}
	b->p = p;
	b->size = size;
	return 0;
}

static inline void
pack_raw(struct pack *b, const void *p, size_t n)
{
	if (n == 0 || pack_reserve(b, n) == -1)
		return;
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static inline void
pack_u32(struct pack *b, uint32_t v)
{
	v = htole32(v);
	pack_raw(b, &v, sizeof(v));
}

static inline void
pack_u64(struct pack *b, uint64_t v)
{
	v = htole64(v);
	pack_raw(b, &v, sizeof(v));
}

/* Its length, and its bytes. */
static inline void
pack_bytes(struct pack *b, hostd_buf s)
{
	pack_u32(b, (uint32_t)s.n);
	pack_raw(b, s.p, s.n);
}

/* How many, and each. */
static inline void
pack_list(struct pack *b, const hostd_buf *v, uint32_t n)
{
	uint32_t i;

	pack_u32(b, n);
	for (i = 0; i < n; i++)
		pack_bytes(b, v[i]);
}

static inline hostd_buf
pack_buf(const struct pack *b)
{
	return (hostd_buf){ b->p, b->n };
}

static inline void
pack_free(struct pack *b)
{
	free(b->p);
	memset(b, 0, sizeof(*b));
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
	return le32toh(v);
}

static inline uint64_t
unpack_u64(struct unpack *u)
{
	uint64_t v = 0;
	const void *p = unpack_take(u, sizeof(v));

	if (p != NULL)
		memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/* They lie in the record. */
static inline hostd_buf
unpack_bytes(struct unpack *u)
{
	uint32_t n = unpack_u32(u);
	const void *p = unpack_take(u, n);

	return (hostd_buf){ p, p != NULL ? n : 0 };
}

/* Is it a text that has just that length? */
static inline int
unpack_is_text(hostd_buf s, size_t n)
{
	return s.n == n && memchr(s.p, '\0', n) == NULL;
}

/* How many a list has: none that the record has no room for. */
static inline uint32_t
unpack_count(struct unpack *u)
{
	uint32_t n = unpack_u32(u);

	if (n > u->n / sizeof(uint32_t)) {
		u->bad = 1;
		return 0;
	}
	return n;
}

/* Was it all of the record, and no more? */
static inline int
unpack_ok(const struct unpack *u)
{
	return !u->bad && u->n == 0;
}

#endif
