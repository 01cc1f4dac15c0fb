/* SPDX-License-Identifier: BSD-2-Clause */
/* From http to https, where a listen block says so (redirect_https). */
#ifndef HTTP_REDIRECT_H
#define HTTP_REDIRECT_H

#include "http/request.h"

/* Does any listen block? */
int	redirect_is_wanted(const struct conf *);
/* 1: it was answered so.  0: it is secure, or is to go on for another
 * reason. */
int	redirect_request(struct http_req *);

#endif
