/* SPDX-License-Identifier: BSD-2-Clause */
/* A cookie with the id of the session, for balancers in front that send its
 * requests to one server.  hostd itself does not need it. */
#ifndef SOCKETIO_EIO_COOKIE_H
#define SOCKETIO_EIO_COOKIE_H

#include <hostd/abi.h>

struct eio_cookie {
	hostd_buf name;			/* n 0: there is none */
	char *rest;			/* what follows the value */
};

#define EIO_COOKIE_MAX	1024		/* bytes of the header's value */

int32_t	eio_cookie_read(struct eio_cookie *, const struct hostd_conf *,
	    struct hostd_err *);
void	eio_cookie_free(struct eio_cookie *);
/* The value of Set-Cookie. */
hostd_buf eio_cookie_make(const struct eio_cookie *, const char *id,
	    char *room);

#endif
