/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of a session share. */
#ifndef SESSION_INSIDE_H
#define SESSION_INSIDE_H

#include "http/request.h"
#include "session/content.h"
#include "session/session.h"

LIST_HEAD(session_waits, session_wait);

enum session_phase {
	SESSION_LOADING,
	SESSION_READY,
	SESSION_CLOSED		/* the answer has begun, or loading failed */
};

struct session {
	LIST_ENTRY(session) link;	/* of its kind: used or spare */
	struct session_kind *kind;
	struct store_call call;
	struct session_waits loads;
	struct session_waits saves;	/* for the run that is on */
	struct session_waits later;	/* for the one behind it */
	struct content content;
	struct buf id;			/* empty: it has none yet */
	struct buf old;			/* one that is to be deleted */
	uint64_t handle;
	enum session_phase phase;
	int32_t status;			/* of loading */
	unsigned tries;			/* of comparing and setting */
	struct wheel_timer rest;	/* between two of them */
	int resting;
	int orphan;			/* whose it was has ended */
	int secure;			/* it came by TLS */
	int lost;			/* nothing of it is stored */
	int destroyed;
	int regenerated;		/* and not stored since */
	int stored;			/* a change was, since it was loaded */
	int saving;			/* a run is on */
	int32_t outcome;		/* of it; HOSTD_DEFER: none yet */
	int again;			/* another one is to follow */
	int pins;			/* somebody looks at it yet */

	/* of a request */
	struct http_req *r;		/* NULL: it has ended, or a WebSocket */
	struct http_errand errand;
	struct loop_task refuse;	/* a store that has failed at once */
	struct buf set_cookie;
	struct session_wait guard;	/* whoever guards the route */
	struct session_wait store;	/* the answer is held for it */
	int came;			/* the client has the cookie */
	int held;

	/* of a WebSocket */
	struct ws_conn *ws;		/* NULL: it has ended, or a request */
};

/* A new one in use, without content; secure: for secure = auto. */
struct session *session_new(struct session_kind *, int secure);
/* Whose it was ends.  It is freed when the store has done what it is at. */
void	session_end(struct session *);

/* Load what the store has under that key; p NULL: start a new one.
 * HOSTD_DEFER: those in loads are told when it is there. */
int32_t	session_load(struct session *, hostd_buf key);

/* A run: store it as it is, changed or not; or let it live longer.
 * HOSTD_DEFER: those in saves are told when it is done. */
int32_t	session_store(struct session *);
int32_t	session_touch(struct session *);
int	session_is_changed(const struct session *);
/* Whatever the store is at for it is not waited for. */
void	session_cancel(struct session *);
/* The run is too late, whatever comes of it. */
void	session_give_up(struct session *);

void	session_move_waits(struct session_waits *from,
	    struct session_waits *to);
/* Tell all of them. */
void	session_tell(struct session *, struct session_waits *,
	    int32_t status);
/* It is freed if nobody has it any more, and nothing is under way. */
void	session_settle(struct session *);

#endif
