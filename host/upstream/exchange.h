/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One HTTP/1.1 request to a group of servers, and its answer: a server is
 * picked, a connection taken from those that are kept or made anew, the request
 * sent, the answer read; and when that fails, the next server is tried by the
 * request's rules.  Semantics are those of <hostd/fetch.h>, which
 * plugin/fetch_service.c makes of it.
 *
 *	PICK      a server is wanted
 *	CONNECT   a connection is being made
 *	SEND      the request goes out; an answer may come early
 *	HEAD      request sent, waiting for a head
 *	BODY      reading a body
 *	SWITCHED  101: the connection is the other protocol's
 *	DONE
 */
#ifndef UPSTREAM_EXCHANGE_H
#define UPSTREAM_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/fetch.h>
#include "upstream/group.h"

struct up_exchange;

/* Whoever wants the answer.  Called from the loop only, never from within a
 * function below. */
struct up_exchange_ops {
	void (*info)(struct up_exchange *, const struct hostd_fetch_response *);
	void (*head)(struct up_exchange *, const struct hostd_fetch_response *);
	void (*body)(struct up_exchange *, hostd_buf part, int fin);
	void (*writable)(struct up_exchange *);
	/* Once; the exchange is gone when it returns. */
	void (*end)(struct up_exchange *, int32_t status, const char *text);
};

#endif
