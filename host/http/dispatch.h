/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who answers a request: the route that fits best, once its gates have let the
 * request through, and if its handler passes, the next one.
 */
#ifndef HTTP_DISPATCH_H
#define HTTP_DISPATCH_H

#include "http/request.h"

/* r's head has been read.  Its connection has no request any more when another
 * pool's worker is to get it. */
void	dispatch(struct http_req *);
/* More of the body for its handler, the last if fin; whether it goes on. */
int	dispatch_body(struct http_req *, hostd_buf part, int fin);
/* While r's handler is told of its head: another worker of ours shall get it.
 * Codes of hostd_worker_api.give. */
int32_t	dispatch_give(struct http_req *, uint32_t slot);

#endif
