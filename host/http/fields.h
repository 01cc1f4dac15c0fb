/* SPDX-License-Identifier: BSD-2-Clause */
/* The fields of a head of HTTP/2 -> the request's view, as strictly as
 * http/parse.h does it with text. */
#ifndef HTTP_FIELDS_H
#define HTTP_FIELDS_H

#include "http/request.h"

struct guard_limits;
struct http_framed;

/*
 * 0, or the status to refuse with, as parse_head.  The fields must live as
 * long as the request.  lim: those that framed_add has kept to.
 */
int	parse_fields(struct http_req *, const struct http_framed *,
	    const struct guard_limits *lim);

#endif
