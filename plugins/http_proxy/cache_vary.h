/* SPDX-License-Identifier: BSD-2-Clause */
/* Which requests a kept answer is for (RFC 9111 section 4.1). */
#ifndef HTTP_PROXY_CACHE_VARY_H
#define HTTP_PROXY_CACHE_VARY_H

#include <hostd/abi.h>

#define VARY_MAX	512

/*
 * The names of all Vary headers, lower case, separated by commas, with a NUL.
 * Their length; 0: none; -1: too much, or "*".
 */
int	vary_names(const hostd_hdr *, uint32_t n, char out[VARY_MAX]);
/* Of what a request has in those headers; 0: no names. */
uint64_t vary_hash(const char *names, const hostd_hdr *, uint32_t n);

/* Of any bytes, going on from h. */
uint64_t cache_hash(uint64_t h, const void *, size_t);

#endif
