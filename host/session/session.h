/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One session in use: loaded from its store, changed in memory, and stored
 * again.  Whose it is, is a request (session/visit.h) or a WebSocket
 * (session/socket.h); they open it, and it ends with them.
 *
 * A store that can compare and set has the changes of two who use one session
 * merged, key by key; with others the last one wins as a whole.
 *
 * Codes are those of <hostd/abi.h>.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include <sys/queue.h>
#include "config/model.h"
#include "net/loop.h"
#include "session/secrets.h"
#include "session/store.h"

struct session;
LIST_HEAD(session_list, session);

/* One session block in this worker. */
struct session_kind {
	const struct conf_session *conf;
	struct session_store *store;
	struct secrets *secrets;
	struct loop *loop;
	int64_t (*now_ms)(void);	/* since 1970 */
	/* Optional.  What session_handle was given is of no use any more. */
	void (*forget)(struct session_kind *, uint64_t handle);
	void *arg;			/* of whoever forgets */
	struct session_list used, spare;
	unsigned nspare;
};

/* Who waits for a session to be loaded, or stored. */
struct session_wait {
	LIST_ENTRY(session_wait) link;
	/* Once; session NULL: whose session it is has ended before. */
	void (*ready)(struct session_wait *, struct session *,
	    int32_t status);
};

/* now_ms NULL: the system's. */
void	session_kind_init(struct session_kind *, const struct conf_session *,
	    struct session_store *, struct secrets *, struct loop *,
	    int64_t (*now_ms)(void));
/* No request has one any more.  What stores still had to do is cancelled. */
void	session_kind_close(struct session_kind *);
struct session_kind *session_kind_of(const struct session *);

/* Not to be told any more; only before it was. */
void	session_leave(struct session_wait *);

/* A number that stands for it, until kind->forget is called; 0: none. */
void	session_set_handle(struct session *, uint64_t handle);
uint64_t session_handle(const struct session *);

/* As content_get, _set, _del and _keys; E_STATE: it is not loaded, has been
 * destroyed, or the answer has begun. */
int32_t	session_get(struct session *, hostd_buf key, hostd_buf *value);
int32_t	session_set(struct session *, hostd_buf key, hostd_buf value);
int32_t	session_del(struct session *, hostd_buf key);
int32_t	session_keys(struct session *, struct buf *);
int32_t	session_set_max_age(struct session *, int64_t ms);
/* A new id for the same content; the old one is of no use any more.  E_STATE:
 * also while it is being stored; E_NOTSUP: a WebSocket's. */
int32_t	session_regenerate(struct session *);
int32_t	session_destroy(struct session *);
/* Does the store not have it? */
int	session_is_new(const struct session *);
/* What the cookie and the store call it; n 0: nothing yet. */
hostd_buf session_id(const struct session *);

/*
 * Store it, or end it if it was destroyed, or let it live longer if it was not
 * changed.  HOSTD_DEFER: the wait, which may be NULL, is told when it is done
 * and how it went.  Anything else: that is how it went.  E_STATE: somebody else
 * has destroyed it meanwhile, or it may not be stored now; E_NOTSUP: a
 * WebSocket's new one; E_IO: it could not be loaded, and is one of which
 * nothing is stored.
 */
int32_t	session_save(struct session *, struct session_wait *);

#endif
