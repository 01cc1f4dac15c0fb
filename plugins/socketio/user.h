/* SPDX-License-Identifier: BSD-2-Clause */
/* Who makes a request: of the route's auth block, or its session. */
#ifndef SOCKETIO_USER_H
#define SOCKETIO_USER_H

#include "eio.h"

/* Part of the request's data. */
struct user_ask {
	void (*then)(struct hostd_inst *, void *arg, int32_t status,
	    hostd_buf user);
	void *arg;
};

/*
 * then is called with HOSTD_OK and the name, whose p is NULL when nobody has
 * logged in, or with an error when it can't be found out.  The name is [call].
 * OK: it was called; DEFER: it will be, unless the request ends before; the
 * answer of on_headers either way.
 */
int32_t	user_find(struct hostd_inst *, hostd_req, struct user_ask *,
	    void (*then)(struct hostd_inst *, void *arg, int32_t status,
	    hostd_buf user), void *arg);

/* In create: is there what token_auth names? */
int32_t	user_create(struct hostd_inst *, struct hostd_err *);
/*
 * What a client says when it connects may have a token: then the connection is
 * its user's.  -1: it is not let in, or the connection was another one's.
 */
int	user_by_token(struct hostd_inst *, struct eio *, hostd_buf said);

#endif
