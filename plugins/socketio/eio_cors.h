/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of other origins (the CORS protocol of https://fetch.spec.whatwg.org/).
 * Nobody is refused: the browser does that, by what the headers say.
 */
#ifndef SOCKETIO_EIO_CORS_H
#define SOCKETIO_EIO_CORS_H

#include <hostd/abi.h>
#include <hostd/http.h>

#define EIO_CORS_HEADERS	7	/* at most */

struct eio_cors {
	hostd_buf *origins;		/* n 0: none is let in */
	uint32_t norigins;
	int is_any, is_mirror;		/* "*"; whatever the request says */
	int credentials;
	char *methods, *allowed, *exposed;	/* joined; NULL: none */
	char max_age[24];		/* "": not said */
};

int32_t	eio_cors_read(struct eio_cors *, const struct hostd_conf *,
	    struct hostd_err *);
void	eio_cors_free(struct eio_cors *);

/* The headers of an answer; out has EIO_CORS_HEADERS.  Returns how many. */
uint32_t eio_cors_headers(const struct eio_cors *,
	    const struct hostd_request *, int is_preflight, hostd_hdr *out);

#endif
