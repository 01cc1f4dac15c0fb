/* SPDX-License-Identifier: BSD-2-Clause */
/* Byte ranges (RFC 9110 section 14). */
#ifndef WEB_RANGE_H
#define WEB_RANGE_H

#include <stddef.h>
#include <stdint.h>

#define RANGES_MAX 16

struct range {
	uint64_t from, len;
};

enum { RANGE_IGNORE = 0, RANGE_UNSATISFIABLE = -1 };

/*
 * Parse the n bytes of a Range header's value for a file of size bytes.  The
 * number of ranges; RANGE_IGNORE when the header is not for us, malformed, or
 * asks for more than the whole; RANGE_UNSATISFIABLE for 416.
 */
int	range_parse(const char *p, size_t n, uint64_t size,
	    struct range out[RANGES_MAX]);

#endif
