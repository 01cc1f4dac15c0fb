/* SPDX-License-Identifier: BSD-2-Clause */
/* The request target that a server gets. */
#ifndef HTTP_PROXY_TARGET_H
#define HTTP_PROXY_TARGET_H

#include <hostd/http.h>
#include "head.h"

/*
 * In origin form, as the client sent it; with a rewrite (p not NULL) that is in
 * the place of what the route has matched, and the rest stays as it was sent
 * unless the path was written in a round-about way ("/a/../b").
 */
hostd_buf target_make(const struct hostd_request *, hostd_buf rewrite,
	    struct head *);
/* Path and query as sent; of "http://a?b" without what is before "?", so that a
 * "/" belongs there. */
hostd_buf target_origin(const struct hostd_request *);
/* The part of the path that the route has matched. */
hostd_buf target_prefix(const struct hostd_request *);

#endif
