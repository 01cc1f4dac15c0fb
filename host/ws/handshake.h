/* SPDX-License-Identifier: BSD-2-Clause */
/* The opening handshake (RFC 6455 section 4.2), as far as it is HTTP. */
#ifndef WS_HANDSHAKE_H
#define WS_HANDSHAKE_H

#include <stddef.h>
#include <hostd/abi.h>
#include "http/request.h"

#define WS_ACCEPT_SIZE 29	/* NUL included */

/* Does it ask for the WebSocket protocol (an Upgrade header that names it)? */
int	ws_handshake_is_upgrade(const struct http_req *);

/*
 * Check an upgrade request.  0; 405 when it is not a GET; 400 when it is not
 * HTTP/1.1, has a body, Connection does not name "upgrade", or
 * Sec-WebSocket-Key is missing, repeated or not the base64 of 16 bytes; 426
 * when Sec-WebSocket-Version is not 13.
 */
int	ws_handshake_check(const struct http_req *);

/* Sec-WebSocket-Accept for a key that was checked. */
void	ws_handshake_accept(hostd_buf key, char out[WS_ACCEPT_SIZE]);

/* Is name one of the subprotocols offered (all Sec-WebSocket-Protocol headers;
 * case matters)? */
int	ws_handshake_offers(const struct http_req *, hostd_buf name);

/*
 * May this Origin come in?  patterns: "*" (any), "same" (its host and port are
 * those of the request's Host), "https://example.com", or the same with "*."
 * before the host, for all below it.  npatterns 0: any.  A request without
 * Origin is no browser's and is allowed.
 */
int	ws_handshake_origin_ok(const struct http_req *, char *const *patterns,
	    size_t npatterns);

#endif
