/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands between a route and its handler and decides whether a request
 * comes through: who the client is, whether it has a session.
 */
#ifndef HTTP_GATE_H
#define HTTP_GATE_H

#include "http/request.h"

struct http_gate {
	const char *name;		/* for the log: "auth api" */
	/*
	 * HOSTD_OK: it may pass.  HOSTD_DEFER: gate_open, or an answer
	 * (response.h), follows from the loop within the route's
	 * defer_timeout; nothing of the body is read meanwhile.  Anything
	 * else: it has been answered.
	 *
	 * Whoever defers puts an errand on the request, to be told when it
	 * ends before.
	 */
	int32_t (*enter)(struct http_gate *, struct http_req *);
};

/* Whoever has deferred lets it pass; never from within enter. */
void	gate_open(struct http_req *);

#endif
