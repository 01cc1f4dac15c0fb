/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stdint.h>

/* Write v in decimal at p (room for 20); returns the end. */
static inline char *
decimal_put(char *p, uint64_t v)
{
	uint64_t limit = 10;
	char *end = p + 1, *at;

	for (; v >= limit && end < p + 20; limit *= 10)
		end++;
	for (at = end; at > p; v /= 10)
		*--at = (char)('0' + v % 10);
	return end;
}

#endif
