/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the plugins of a worker remember goes to the one that replaces it:
 *
 *	the heir is CREATED, the one before is told to SAVE and accepts no more,
 *	what it has saved, all or some of it, is passed on, the heir gets ready
 *
 * Each of the last two steps may take state_timeout.  After that the heir goes
 * on with what there is, or the one before accepts again: nobody waits longer
 * for whoever does not come back from a plugin's code.
 */
#ifndef MASTER_SUCCESSION_H
#define MASTER_SUCCESSION_H

#include <uv.h>

struct slot;
struct worker;

/* Part of a slot. */
struct succession {
	struct worker *from;	/* accepts no more; NULL: nobody does that */
	struct worker *to;	/* waits for what from saves, or gets ready */
	int saving;		/* to waits */
	int file;		/* what has been saved; -1: nothing yet */
	uv_timer_t late;
};

void	succession_init(struct slot *, uv_loop_t *);
void	succession_close(struct slot *, uv_close_cb);

/* What workers say: CREATED, STATE, SAVED.  fd stays the caller's. */
void	succession_created(struct slot *, struct worker *);
void	succession_state(struct slot *, struct worker *, int fd);
void	succession_saved(struct slot *, struct worker *);

/* slot->next has become current. */
void	succession_done(struct slot *);
/* A worker has ended, or was given up: before its slot forgets it. */
void	succession_forget(struct slot *, const struct worker *);

#endif
