/* SPDX-License-Identifier: BSD-2-Clause */
/* A body compressed while it passes. */
#ifndef HTTP_PROXY_GZIP_H
#define HTTP_PROXY_GZIP_H

#include <hostd/fetch.h>

struct gzip;
struct settings;

/* Should this answer be?  1; -1: no, but only as this client does not take it,
 * so that caches have to be told; 0: no. */
int	gzip_wanted(const struct settings *, const struct hostd_request *,
	    const struct hostd_fetch_response *);

/* NULL: out of memory.  flush: what comes goes on at once. */
struct gzip *gzip_new(struct gzip **pool, int level, int flush);
void	gzip_free(struct gzip **pool, struct gzip *);
void	gzip_pool_free(struct gzip **pool);

/* Compress a part; put is given what comes of it, and any result but a negative
 * one goes on. */
int32_t	gzip_part(struct gzip *, hostd_buf part, int fin,
	    int32_t (*put)(void *arg, hostd_buf), void *arg);

#endif
