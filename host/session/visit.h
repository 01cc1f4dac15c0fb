/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session of a request: loaded when somebody asks for it, and stored when
 * the head of the answer is queued, which is held until the store has it (503
 * if it can't).  One that was only read is touched, and nobody waits for that.
 * When it is stored, and when its cookie is sent, is decided as by Node's
 * express-session.
 */
#ifndef SESSION_VISIT_H
#define SESSION_VISIT_H

#include "http/request.h"
#include "session/session.h"

/*
 * A request's session, a new one if it has none, in *out.  HOSTD_OK: it is
 * there; HOSTD_DEFER: ready is called later; E_NOTSUP: the cookie is not for
 * this path; E_STATE: the answer has begun.
 *
 * Other errors, here or as ready's status, are the store's: E_IO, E_TIMEOUT.
 * With on_error = anonymous there are none, but an empty session, of which
 * nothing is stored.
 */
int32_t	session_open(struct session_kind *, struct http_req *,
	    struct session_wait *, struct session **out);
/* The same with a wait of its own, for the one who guards the route. */
int32_t	session_guard(struct session_kind *, struct http_req *,
	    void (*ready)(struct session_wait *, struct session *, int32_t),
	    struct session **out);
/* Whose it is; NULL: it has ended, or is no request. */
struct http_req *session_request(const struct session *);
/* The one that was opened, or NULL. */
struct session *session_of(const struct session_kind *,
	    const struct http_req *);

/* Did it come by TLS, to us or to a proxy whose word is taken? */
/* The key that the request's cookie names, in static memory; p NULL: none. */
hostd_buf session_key_of(const struct session_kind *,
	    const struct http_req *);

#endif
