/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The servers that were asked on behalf of a request: what the access log
 * tells of them.
 */
#ifndef HTTP_TRIES_H
#define HTTP_TRIES_H

#include <stdint.h>
#include "base/buf.h"

#define TRIES_MAX	8
#define TRIES_ADDR	120

struct http_try {
	char addr[TRIES_ADDR];	/* "192.0.2.1:3000"; "" for none */
	int32_t status;		/* of the answer; 502, 504: it has failed, or
				   took too long; 503: no server could be asked,
				   and addr is the group; 0: given up */
	/* ms from the begin of this try; -1: it did not come so far. */
	int32_t connect_ms;	/* connected; 0 over a kept connection */
	int32_t header_ms;	/* the answer's head was there */
	int32_t response_ms;	/* it was over */
};

struct http_tries {
	uint32_t n;
	struct http_try v[TRIES_MAX];	/* set up to n only */
};

enum tries_what {
	TRIES_ADDRS, TRIES_STATUSES, TRIES_CONNECT, TRIES_HEADER,
	TRIES_RESPONSE
};

/* One more, with nothing known of it.  Beyond TRIES_MAX the last is taken
 * over: the first ones and the one that has answered are there. */
struct http_try *tries_add(struct http_tries *);
/* As nginx writes them: ", " in between, "-" for what is not known. */
void	tries_put(const struct http_tries *, enum tries_what, struct buf *out);

#endif
