/* SPDX-License-Identifier: BSD-2-Clause */
/* The session blocks of the configuration. */
#ifndef SESSION_SESSIONS_H
#define SESSION_SESSIONS_H

#include <sys/queue.h>
#include "config/model.h"
#include "net/loop.h"
#include "session/gate.h"
#include "session/session.h"

struct session_block {
	TAILQ_ENTRY(session_block) entry;
	struct session_kind kind;	/* store: to be set before use */
	struct session_gate gate;	/* session = required */
};

struct sessions {
	TAILQ_HEAD(, session_block) all;
};

/* What is wrong with their secrets is added to the errors. */
void	sessions_open(struct sessions *, struct loop *, const struct conf *,
	    struct conf_errors *);
/* NULL: there is none. */
struct session_block *sessions_find(const struct sessions *, const char *name);
/* No request is left. */
void	sessions_close(struct sessions *);

#endif
