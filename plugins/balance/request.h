/* SPDX-License-Identifier: BSD-2-Clause */
/* What balancers look for in a request.  Each returns 0 when it is not
 * there. */
#ifndef BALANCE_REQUEST_H
#define BALANCE_REQUEST_H

#include <hostd/http.h>

/* Of a list of headers; case does not matter, and in name "_" is "-". */
int	header_find(const hostd_hdr *, uint32_t nhdrs, hostd_buf name,
	    hostd_buf *value);
/* How far cookies were looked at; zeroed at first. */
struct cookie_place {
	uint32_t header;
	hostd_buf rest;
};

/*
 * The next cookie of that name.  There may be several: browsers send those of
 * longer paths first (RFC 6265 section 5.4), and whoever controls a sibling of
 * the host can set one that comes before another.
 */
int	cookie_next(const struct hostd_request *, hostd_buf name,
	    struct cookie_place *, hostd_buf *value);
/* The first one. */
int	cookie_find(const struct hostd_request *, hostd_buf name,
	    hostd_buf *value);
/* The one that a Set-Cookie line sets, if it is of that name. */
int	first_pair(hostd_buf line, hostd_buf name, hostd_buf *value);
/* The first argument of the query of that name, as sent. */
int	arg_find(const struct hostd_request *, hostd_buf name,
	    hostd_buf *value);

#endif
