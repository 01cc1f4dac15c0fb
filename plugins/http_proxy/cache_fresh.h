/* SPDX-License-Identifier: BSD-2-Clause */
/* May an answer be kept, and how long is it good (RFC 9111 sections 3, 4.2)? */
#ifndef HTTP_PROXY_CACHE_FRESH_H
#define HTTP_PROXY_CACHE_FRESH_H

#include <hostd/abi.h>

#define FRESH_NO_CACHE		0x1u	/* ask before each use */
#define FRESH_NO_STALE		0x2u	/* not when it is too old, whatever */
#define FRESH_SHARED		0x4u	/* also for those who authorize */
#define FRESH_FLAGS		0x7u

/* Times in unix seconds. */
struct freshness {
	int64_t stored;			/* when it came */
	int64_t age;			/* as it was then */
	int64_t lifetime;
	int64_t while_revalidate, if_error;	/* beyond that; 0: not */
	uint32_t flags;			/* FRESH_* */
};

/* A line of cache_valid: status 0 is any. */
struct fresh_rule {
	int status;
	int64_t seconds;
};

/* What is known of an answer. */
struct fresh_facts {
	int status;
	const hostd_hdr *headers;
	uint32_t nheaders;
	int authorized;			/* its request had Authorization */
	const struct fresh_rule *rules;	/* where it says nothing itself */
	uint32_t nrules;
	int64_t now;
};

/* 0: it may be kept; -1: not, or to no use. */
int	fresh_judge(const struct fresh_facts *, struct freshness *);
int64_t	fresh_age(const struct freshness *, int64_t now);
int	fresh_is(const struct freshness *, int64_t now);
/* How long it has been too old already; 0: it is not. */
int64_t	fresh_over(const struct freshness *, int64_t now);

/* First header of that name; p NULL: none. */
hostd_buf fresh_header(const hostd_hdr *, uint32_t n, const char *name);

#endif
