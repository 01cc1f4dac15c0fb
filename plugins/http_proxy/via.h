/* SPDX-License-Identifier: BSD-2-Clause */
/* Via (RFC 9110 section 7.6.3): which proxies a request has passed. */
#ifndef HTTP_PROXY_VIA_H
#define HTTP_PROXY_VIA_H

#include <hostd/http.h>
#include "head.h"

/* A request that has passed so many of our name goes round in a circle; there
 * may be some of it in a row. */
#define VIA_HOPS_MAX	10u

/* How many of that name. */
uint32_t via_hops(const struct hostd_request *, hostd_buf name);
/* What came, and us behind it. */
hostd_buf via_value(const struct hostd_request *, hostd_buf name,
	    struct head *);

#endif
