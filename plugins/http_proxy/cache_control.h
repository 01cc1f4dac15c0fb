/* SPDX-License-Identifier: BSD-2-Clause */
/* Cache-Control of an answer (RFC 9111 section 5.2.2, RFC 5861). */
#ifndef HTTP_PROXY_CACHE_CONTROL_H
#define HTTP_PROXY_CACHE_CONTROL_H

#include <hostd/abi.h>

#define CC_NO_STORE		0x1u
#define CC_NO_CACHE		0x2u	/* also with fields named */
#define CC_PRIVATE		0x4u	/* also with fields named */
#define CC_PUBLIC		0x8u
#define CC_MUST_REVALIDATE	0x10u	/* or proxy-revalidate */

#define CC_SECONDS_MAX	INT64_C(2147483648)

/* Seconds; -1: not said.  Zero is not the start: cache_control_init is. */
struct cache_control {
	unsigned flags;			/* CC_* */
	int64_t max_age, s_maxage;
	int64_t stale_while_revalidate, stale_if_error;
};

void	cache_control_init(struct cache_control *);
/* One line's value; several add up.  What can't be read makes it no-store. */
void	cache_control_add(struct cache_control *, hostd_buf value);

/* A number of seconds: at most CC_SECONDS_MAX; -1 when it is none. */
int64_t	cache_seconds(const char *p, size_t n);

#endif
