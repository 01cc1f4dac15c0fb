/* SPDX-License-Identifier: BSD-2-Clause */
/* A rollout under way; for the files that it consists of only. */
#ifndef MASTER_ROLLOUT_STATE_H
#define MASTER_ROLLOUT_STATE_H

#include <sys/queue.h>
#include "master/probe.h"
#include "master/rollout.h"

struct watching {
	TAILQ_ENTRY(watching) link;
	struct watcher w;
};

struct rollout {
	struct master *m;
	uint64_t id;
	enum rollout_kind kind;
	struct rollout_opts opts;
	struct generation *gen;		/* where it goes */
	struct conf_errors errors;
	TAILQ_HEAD(, watching) watchers;
	struct probe probe;
	struct canary *canary;		/* NULL: none, or it has been judged */
	uint64_t started;		/* uv_now */
	char *why;			/* BACK: what the present one failed
					   by */
	int probing;
	int reverting;
	int cancelled;
	int pending;			/* slots that have a next worker */
	int done, total;
	int rank;			/* of those that are pending */
	char *pool;			/* to be scaled, or restarted; NULL:
					   all */
	int workers;
	int starts; /* scaled from none */
	int slot;			/* the one of it to be restarted,
					   removed or filled; -1: all */
};

/* rollout.c: nothing of it is left to do but going back. */
void	rollout_fail(struct rollout *);
/* It is over: whoever waits is told, and it is freed. */
void	rollout_end(struct rollout *, enum rollout_outcome);
void	pools_forget_empty(struct rollout *);
/* As far as it can. */
void	rollout_roll(struct rollout *);
int	rollout_has_errors(const struct rollout *);
void	rollout_slots(struct rollout *,
	    void (*)(struct rollout *, struct slot *));

/* stage.c: slots and sockets for the generation; then it rolls, or fails. */
void	rollout_stage(struct rollout *);
/* Is it this pool's number of workers that changes? */
int	rollout_counts(const struct rollout *, const struct pool *);

/* commit.c: all are ready. */
void	rollout_commit(struct rollout *);
const char *rollout_name(const struct rollout *);

/* progress.c */
void	rollout_watch(struct rollout *, const struct watcher *);
/* One step; takes more's reference, whose members are added.  NULL: none. */
void	rollout_say(struct rollout *, const char *step, json_t *more,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void	rollout_say_slot(struct rollout *, const struct slot *);
/* The end. */
void	rollout_tell(struct rollout *, enum rollout_outcome);

#endif
