/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The chunked transfer coding, read strictly (RFC 9112 section 7.1): sizes of
 * 1 to 15 hex digits, CRLF only, extensions bounded and ignored, trailers
 * bounded and checked; kept when somebody wants them.
 */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

struct chunked {
	uint8_t state;
	uint8_t digits;
	uint16_t overhead;	/* bytes of this extension or of all trailers */
	uint64_t left;		/* of the present chunk */
	struct buf *trailers;	/* where their lines go, each with its CRLF;
				   NULL: nowhere.  See http/trailers.h */
};

enum { CHUNKED_MORE = 0, CHUNKED_DONE = 1, CHUNKED_BAD = -1 };

/*
 * Eat from the n bytes at p.  *used says how many were eaten; *data and *ndata
 * are a run of body bytes within them (at most one a call; ndata may be 0).
 * MORE with *used < n: call again with the rest.
 */
int	chunked_feed(struct chunked *, const char *p, size_t n, size_t *used,
	    const char **data, size_t *ndata);

#endif
