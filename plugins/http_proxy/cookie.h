/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What servers say of their own names and paths, as clients have to see it:
 * the Path and Domain of cookies, the URLs of Location and Refresh.
 */
#ifndef HTTP_PROXY_COOKIE_H
#define HTTP_PROXY_COOKIE_H

#include <hostd/abi.h>
#include "head.h"

/* "FROM TO"; an empty TO takes it away. */
struct pair {
	hostd_buf from, to;		/* [instance] */
};

struct pairs {
	struct pair *v;
	uint32_t n;
};

/* Items of a list; HOSTD_OK or a negative code with err filled.  skip: words
 * that are not pairs; told in *found, a bit each. */
int32_t	pairs_read(struct pairs *, const struct hostd_conf *, const char *key,
	    const char *const *skip, unsigned *found, struct hostd_err *);
void	pairs_free(struct pairs *);
/* The first one whose FROM the value begins with; NULL: none. */
const struct pair *pairs_find(const struct pairs *, hostd_buf value);

/* The value of a Set-Cookie, in the head's memory if it changes. */
hostd_buf cookie_rewrite(hostd_buf value, const struct pairs *paths,
	    const struct pairs *domains, struct head *);

#endif
