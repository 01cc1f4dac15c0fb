/* SPDX-License-Identifier: BSD-2-Clause */
/* What checks of stores that keep and of stateless ones have in common. */
#ifndef CTL_CHECK_STORE_H
#define CTL_CHECK_STORE_H

#include "ctl/fake_store.h"

#define STORE_HOUR 3600000u

hostd_buf store_text(const char *);
/* n bytes that look like nothing; static, good until the next call. */
hostd_buf store_bytes(size_t n, unsigned seed);

/* A call and its answer.  get: p NULL: there is nothing; good until the next
 * get. */
int32_t	store_get(struct fake *, hostd_buf key, hostd_buf *out);
int32_t	store_set(struct fake *, hostd_buf key, hostd_buf value,
	    uint64_t ttl_ms, const hostd_buf *expect);
int32_t	store_touch(struct fake *, hostd_buf key, uint64_t ttl_ms);
int32_t	store_del(struct fake *, hostd_buf key);

/* Is it there?  Ends the case when the answer is an error, or something
 * else. */
int	store_has(struct fake *, hostd_buf key, hostd_buf want);
/* Until it is not, which it has to be. */
void	store_await_end(struct fake *, hostd_buf key);

/* Some of all, whatever the answers are. */
void	store_use(struct fake *);

/* check_stateless.c: of those that keep nothing. */
void	check_stateless(struct check *);

#endif
