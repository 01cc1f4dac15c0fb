/* SPDX-License-Identifier: BSD-2-Clause */
/* Which content coding a client takes (RFC 9110 section 12.5.3). */
#ifndef WEB_ENCODING_H
#define WEB_ENCODING_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/abi.h>

/* Weights in thousandths; 0: not acceptable. */
struct accepted {
	int br, gzip, identity;
};

/* header.p NULL: no header, only identity. */
void	encoding_parse(hostd_buf header, struct accepted *);

/* gzip n bytes (zlib); the result is malloced, NULL when it does not get
 * smaller or memory is short. */
void	*encoding_gzip(const void *p, size_t n, size_t *out);

#endif
