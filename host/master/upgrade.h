/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another program in the master's place, with everything the master has:
 *
 *	try	the program: is it a hostd, and could it go on with our state?
 *	give	the state into a memfd, descriptors stay open, exec: upgrade.c
 *	take	read the state, restore, go on: resume.c
 *	reload	so that the workers run the new program, too
 *
 * A program that fails before the exec has changed nothing.  One that fails
 * after it executes the one before again, which takes back what it gave.
 *
 * What a successor finds in the environment, which is not for children:
 *
 *	HOSTD_UPGRADE=<pid>:<state>:<exe>:<back>
 *		the process, so that no other believes it is meant; the memfd;
 *		the program before, as a descriptor; 1: it is that one again
 *	HOSTD_UPGRADE_WHY	why it is
 */
#ifndef MASTER_UPGRADE_H
#define MASTER_UPGRADE_H

#include "master/master.h"
#include "master/record.h"

struct control_client;

#define UPGRADE_ENV "HOSTD_UPGRADE"
#define UPGRADE_ENV_WHY "HOSTD_UPGRADE_WHY"

/*
 * Begin.  The client, if any, hears of it until it is done, from whoever is the
 * master then.  0, or -1 with a reason in why.
 */
int	upgrade_start(struct master *, struct control_client *,
	    int keep_workers, char *why, size_t size);
/* Why nothing else may begin now; NULL: it may. */
const char *upgrade_blocks(const struct master *);
/* The master is ending. */
void	upgrade_cancel(struct master *);
/* The loop has stopped: is it for the exec?  Then this returns only when that
 * did not work, and all is as before: 1.  0: it has stopped for good. */
int	upgrade_go(struct master *);

/* ---- what the client is told ---- */

int	upgrade_is_for(const struct master *, const struct control_client *);
void	upgrade_watch(struct master *, struct control_client *);
/* It will not hear the end of it. */
void	upgrade_unwatch(struct master *, const struct control_client *);

/* ---- taking over ---- */

json_t *upgrade_save(const struct master *);
void	upgrade_restore(struct master *, const json_t *);
/* We are the master now; back: why the new one is not, or NULL. */
void	upgrade_finish(struct master *, const char *back);

/* ---- resume.c ---- */

/* Has a master executed us to go on in its place? */
int	resume_wanted(void);
/* Do so; returns the exit status. */
int	resume_run(char **argv);
/* Could we, with the state in fd?  The reason why not is printed; returns the
 * exit status. */
int	resume_check(const char *fd);

#endif
