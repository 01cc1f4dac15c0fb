/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who a client has proved to be: what a gate leaves on the request, for its
 * handler, the access log, and the WebSocket that it may become.
 */
#ifndef HTTP_IDENTITY_H
#define HTTP_IDENTITY_H

#include <stddef.h>
#include <hostd/abi.h>
#include "base/buf.h"

struct identity {
	unsigned refs;
	hostd_buf user;		/* n 0: it has no name */
	hostd_buf claims;	/* a JSON object; n 0: none */
	char text[];
};

/* claims: a JSON object that was checked, or nothing.  Both are copied. */
struct identity *identity_new(hostd_buf user, hostd_buf claims);
/* NULL stands for nobody. */
struct identity *identity_ref(struct identity *);
void	identity_unref(struct identity *);

/* One member of a JSON object that was checked, as it is written there; the
 * last of that name.  1, or 0: there is none. */
int	claim_find(hostd_buf claims, hostd_buf name, hostd_buf *json);
/* Append its value: what a string says, anything else as JSON. */
void	claim_put_text(hostd_buf json, struct buf *out);

#endif
