/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guarded head -> the request's view.  llhttp splits it; what llhttp lets
 * through and RFC 9112 does not is refused here (sections 3.2, 6.1, 6.3).
 */
#ifndef HTTP_PARSE_H
#define HTTP_PARSE_H

#include <stddef.h>
#include "http/request.h"

struct parser;

struct parser *parser_new(size_t max_headers);
void	parser_free(struct parser *);

/*
 * 0, or the status to refuse with: 400, 417, 431, 501, 505.  On success view,
 * known, head, body, keepalive and minor of the request are set.  On failure
 * the first line is set as far as it was understood, for the log.
 */
int	parse_head(struct parser *, struct http_req *, const char *p, size_t n);

#endif
