/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a request has its token, or its password. */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "config/model.h"
#include "http/request.h"

enum token_found {
	TOKEN_NONE, TOKEN_FOUND,
	TOKEN_TWICE		/* there are several Authorization headers: who
				   reads another one than we did, reads
				   something that was not checked */
};

/* What follows "Bearer " or "Basic ", whichever it is. */
enum token_found token_authorization(const struct http_req *,
	    const char *scheme, hostd_buf *out);
/* In the first of those places that has one.  In the request's memory. */
enum token_found token_find(const struct http_req *,
	    const struct conf_token *, size_t n, hostd_buf *out);

#endif
