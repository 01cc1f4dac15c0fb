/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is checked of a request's head once it has been split, whatever it
 * looked like: 0, or the status to refuse with, unless it says otherwise.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "http/request.h"

void	head_set_method(struct http_req *, const char *, size_t n);
/* The header behind those that there are, if the host itself reads it.  -1: it
 * may be there only once, and is. */
int	head_note(struct http_req *, const hostd_hdr *);
int	head_check_host(struct http_req *);
/* Path and query, and the host, if the target names one. */
int	head_parse_target(struct http_req *);
int	head_check_expect(struct http_req *);
/* view.host is lower case and has no port. */
void	head_set_host(struct http_req *);

#endif
