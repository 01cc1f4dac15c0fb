/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session of a WebSocket: that of the request which it began with.  What it
 * is called stays with the connection, wherever it moves; the session is loaded
 * whenever somebody asks for it, and stored when somebody says so.
 */
#ifndef SESSION_SOCKET_H
#define SESSION_SOCKET_H

#include "http/request.h"
#include "session/session.h"

struct ws_conn;

/* The upgrade was accepted: whose session it is, is known from now on. */
void	session_socket_begin(struct session_kind *, const struct http_req *,
	    struct ws_conn *);
/* The name of its session block, as a string; NULL: it has no sessions. */
const char *session_socket_block(const struct ws_conn *);
/* As session_open (session/visit.h), but it is loaded again each time.
 * E_STATE: that is being done, or it is being stored. */
int32_t	session_socket_open(struct session_kind *, struct ws_conn *,
	    struct session_wait *, struct session **out);
/* The connection ends, or moves. */
void	session_socket_end(struct ws_conn *);
/* Whose it is; NULL: it has ended, or is no WebSocket. */
struct ws_conn *session_socket(const struct session *);

#endif
