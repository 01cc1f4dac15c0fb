/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session of one request: loaded when somebody asks for it, changed in
 * memory, and stored when the head of the answer is queued, which is held until
 * the store has it (503 if it can't).  One that was only read is touched, and
 * nobody waits for that.  When it is stored, and when its cookie is sent, is
 * decided as by Node's express-session.
 *
 * A store that can compare and set has the changes of two requests merged, key
 * by key; with others the last one wins as a whole.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include <sys/queue.h>
#include "http/request.h"
#include "net/loop.h"
#include "session/content.h"
#include "session/secrets.h"
#include "session/store.h"

struct session;

/* One session block in this worker. */
struct session_kind {
	const struct conf_session *conf;
	struct session_store *store;
	struct secrets *secrets;
	struct loop *loop;
	int64_t (*now_ms)(void);	/* since 1970 */
	LIST_HEAD(session_list, session) used, spare;
	unsigned nspare;
};

/* Who waits for a session.  It is not told when the request ends before. */
struct session_wait {
	LIST_ENTRY(session_wait) link;
	void (*ready)(struct session_wait *, struct session *,
	    int32_t status);
};

/* now_ms NULL: the system's. */
void	session_kind_init(struct session_kind *, const struct conf_session *,
	    struct session_store *, struct secrets *, struct loop *,
	    int64_t (*now_ms)(void));
/* No request has one any more.  What stores still had to do is cancelled. */
void	session_kind_close(struct session_kind *);

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
struct http_req *session_request(const struct session *);
/* Not to be told any more; not when the request has ended. */
void	session_leave(struct session_wait *);
/* The one that was opened, or NULL. */
struct session *session_of(const struct session_kind *,
	    const struct http_req *);

/* As content_get, _set and _del; E_STATE: it is not loaded, has been destroyed,
 * or the answer has begun. */
int32_t	session_get(struct session *, hostd_buf key, hostd_buf *value);
int32_t	session_set(struct session *, hostd_buf key, hostd_buf value);
int32_t	session_del(struct session *, hostd_buf key);
/* A new id for the same content; the old one is of no use any more. */
int32_t	session_regenerate(struct session *);
int32_t	session_destroy(struct session *);
/* Does the store have it? */
int	session_is_new(const struct session *);

#endif
