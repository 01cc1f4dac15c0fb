/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may come, by address: where a connection is accepted, and at routes. */
#ifndef LIMIT_ACCESS_H
#define LIMIT_ACCESS_H

#include <sys/socket.h>
#include "limit/limits.h"

/* By the first rule that is about it; without one it may. */
int	access_allows(const struct conf_access *, const struct sockaddr *);

/* A gate that answers 403. */
int32_t	access_enter(struct http_gate *, struct http_req *);

/*
 * May a connection be taken that was accepted there?  *lease is its place among
 * those of its address, or NULL.
 */
int	limits_admit(struct limits *, const struct conf_http *,
	    const struct conf_listen *, const struct sockaddr *,
	    struct http_lease **lease);

#endif
