/* SPDX-License-Identifier: BSD-2-Clause */
/* Conditional requests (RFC 9110 section 13). */
#ifndef WEB_CONDITIONAL_H
#define WEB_CONDITIONAL_H

#include <time.h>
#include <hostd/abi.h>

/* The headers that matter; p NULL when absent. */
struct conditions {
	hostd_buf if_match, if_none_match, if_modified_since;
	hostd_buf if_unmodified_since, if_range;
};

/* 0: go on; 304 or 412: answer that.  etag is strong, with its quotes. */
int	conditional_check(const struct conditions *, const char *etag,
	    time_t modified);

/* May a Range header be honoured? */
int	conditional_range(const struct conditions *, const char *etag,
	    time_t modified);

#endif
