/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that is put together where there is room for it; each returns the
 * end.  decimal.h has numbers. */
#ifndef BASE_PUT_H
#define BASE_PUT_H

#include <string.h>

static inline char *
bytes_put(char *p, const void *s, size_t n)
{
	memcpy(p, s, n);
	return p + n;
}

#define TEXT_PUT(p, literal) bytes_put(p, literal, sizeof(literal) - 1)

#endif
