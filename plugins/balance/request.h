/* SPDX-License-Identifier: BSD-2-Clause */
/* What balancers look for in a request.  Each returns 0 when it is not there. */
#ifndef BALANCE_REQUEST_H
#define BALANCE_REQUEST_H

#include <hostd/http.h>

/* Of a list of headers; case does not matter, and in name "_" is "-". */
int	header_find(const hostd_hdr *, uint32_t nhdrs, hostd_buf name,
	    hostd_buf *value);
/* The first cookie of that name (RFC 6265 section 5.4). */
int	cookie_find(const struct hostd_request *, hostd_buf name,
	    hostd_buf *value);
/* The one that a Set-Cookie line sets, if it is of that name. */
int	first_pair(hostd_buf line, hostd_buf name, hostd_buf *value);
/* The first argument of the query of that name, as sent. */
int	arg_find(const struct hostd_request *, hostd_buf name,
	    hostd_buf *value);

#endif
