/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is that somebody's password?  A hash takes its time, so it is computed on a
 * thread, few of them at once; who asks the same at the same time waits for the
 * same one, and what was right is remembered.
 */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include <sys/queue.h>
#include <hostd/abi.h>
#include "config/model.h"
#include "http/identity.h"

#define PASSWORD_MAX	766	/* name and password together */

struct auth;
struct auths;
struct check;

/* Somebody who waits for the answer, in memory of his own. */
struct password_ask {
	LIST_ENTRY(password_ask) link;
	struct check *check;
	/* Once.  who NULL: it is not.  password_forget is not called after it;
	 * it may end other asks. */
	void (*told)(struct password_ask *, struct identity *who);
};

/* The auth block of that name, of type basic; NULL: there is none. */
struct auth *auths_users(const struct auths *, const char *name);

/* The user, if that was right before, of late; NULL: it is to be checked. */
struct identity *password_known(struct auth *, hostd_buf name,
	    hostd_buf password);
/*
 * HOSTD_DEFER: told is called later.  E_INVAL: it can't be anybody's, since it
 * is too long or has a NUL.  E_FULL: too many want to know.
 */
int32_t	password_ask(struct auth *, hostd_buf name, hostd_buf password,
	    struct password_ask *);
/* Of one that waits: it is not told any more. */
void	password_forget(struct password_ask *);
/* Waits for what a thread is at; nobody asks any more. */
void	passwords_close(struct auth *);

#endif
