/* SPDX-License-Identifier: BSD-2-Clause */
/* One auth block; for the files of this room only. */
#ifndef AUTH_GATE_H
#define AUTH_GATE_H

#include <stdint.h>
#include <sys/queue.h>
#include "auth/auth.h"
#include "auth/file.h"
#include "auth/htpasswd.h"
#include "auth/key.h"
#include "auth/memo.h"

#define AUTH_WHY	256

struct check;

struct auth {
	TAILQ_ENTRY(auth) link;
	struct http_gate gate;
	char *name;			/* the gate's: "auth api" */
	const struct conf_auth *conf;
	struct loop *loop;
	struct auth_file file;
	struct memo memo;
	/* bearer.c */
	struct keys *keys;
	/* basic.c, password.c */
	struct users *users;
	uint64_t edition;		/* how often they were read */
	TAILQ_HEAD(, check) checks;	/* those that run come first */
	unsigned nchecks, nrunning;
};

/* Each kind of gate: read what it needs, 0 or -1 and a reason; again, when the
 * file has changed, and what was there before stays if that will not do. */
int	bearer_load(struct auth *, char why[AUTH_WHY]);
int32_t	bearer_enter(struct http_gate *, struct http_req *);
int	basic_load(struct auth *, char why[AUTH_WHY]);
int32_t	basic_enter(struct http_gate *, struct http_req *);
int32_t	certificate_enter(struct http_gate *, struct http_req *);

struct auth *auth_of(struct http_gate *);
/* Read the file again if it is another one now. */
void	auth_refresh(struct auth *, int (*load)(struct auth *,
	    char why[AUTH_WHY]));
/* Answer with that status and one header of it.  Returns what enter does
 * then. */
int32_t	auth_answer(struct http_req *, int status, const char *name,
	    const char *value);

#endif
