/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What two workers say to each other of a stream of HTTP/2 that one of them has
 * and the other answers, over a socket between them: parts of bodies, heads
 * (http/packed.h), trailers, and that a side has ended.  A socket that ends
 * before is a reset.
 */
#ifndef HTTP2_PARCEL_H
#define HTTP2_PARCEL_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "http/framed.h"

#define PARCEL_HEADER	8
#define PARCEL_MOST	(2u << 20)	/* of what is told in one piece */

enum parcel_kind {
	PARCEL_INTERIM = FRAMED_INTERIM, PARCEL_HEAD = FRAMED_HEAD,
	PARCEL_TRAILERS = FRAMED_TRAILERS, PARCEL_END = FRAMED_END,
	PARCEL_DATA,
	PARCEL_FIN,		/* nor does the client on any other stream */
	PARCEL_N
};

/* Of one direction: what has been read in part. */
struct parcels {
	char header[PARCEL_HEADER];
	uint32_t nheader;
	uint32_t kind;
	uint32_t left;
	struct buf whole;
};

/* One of them; of data there may be more in the next. */
struct parcel {
	enum parcel_kind kind;
	const char *p;
	size_t n;
};

/* The header of a parcel of n bytes, to PARCEL_HEADER bytes. */
void	parcel_header(char *, enum parcel_kind, size_t n);
/* The next one in the *n bytes at *p, which are moved on, good until the next
 * call: 1, 0: more is needed, -1: it is none. */
int	parcels_next(struct parcels *, const char **p, size_t *n,
	    struct parcel *);
void	parcels_free(struct parcels *);

#endif
