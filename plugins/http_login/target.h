/* SPDX-License-Identifier: BSD-2-Clause */
/* Where somebody is sent who has logged in: never to another site. */
#ifndef HTTP_LOGIN_TARGET_H
#define HTTP_LOGIN_TARGET_H

#include <hostd/abi.h>

#define TARGET_MAX	2048			/* bytes that somebody wishes */
#define TARGET_SIZE	(3 * TARGET_MAX + 1)

/*
 * A path of this site, with or without a query, as it may stand in a Location
 * header; NUL-ended.  0, or -1: it is none, or some browser could take it for
 * something else (an absolute URL, "//host", "/\host", control characters).
 */
int	target_make(hostd_buf wish, char out[TARGET_SIZE]);

#endif
