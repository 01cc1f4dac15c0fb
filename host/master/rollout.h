/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bringing a generation, or another number of workers, into service:
 *
 *	build	copy and read the files (not for scaling or going back)
 *	probe	have a throw-away process load every plugin (the same)
 *	stage	make the slots and sockets that are new
 *	roll	slot by slot: start the new worker, wait until it is ready, let
 *		the old one drain; with a canary, some slots first, and then
 *		wait and compare
 *	commit	let go of the slots that are no longer wanted
 *
 * When anything fails, what was there before stays or comes back.
 */
#ifndef MASTER_ROLLOUT_H
#define MASTER_ROLLOUT_H

#include <jansson.h>
#include "master/canary.h"
#include "master/master.h"

/* From SCALE on with the generation that is served. */
enum rollout_kind {
	ROLLOUT_START,
	ROLLOUT_RELOAD,
	ROLLOUT_BACK,		/* to a generation that is kept */
	ROLLOUT_SCALE,
	ROLLOUT_STOP,
	ROLLOUT_DELETE,
	ROLLOUT_RESTART
};

enum rollout_outcome {
	ROLLOUT_DONE,
	ROLLOUT_REFUSED,	/* nothing was changed */
	ROLLOUT_ROLLED_BACK	/* workers were replaced, and have been again */
};

struct watcher {
	/*
	 * For those who wait; may be NULL.  step is the callee's to read:
	 * {"progress": text for people, "step": what was done, ...}
	 */
	void (*progress)(void *arg, const json_t *step);
	/* Called once; no errors: it is done. */
	void (*done)(void *arg, enum rollout_outcome,
	    const struct conf_errors *);
	void *arg;
};

struct rollout_opts {
	int parallel;		/* slots replaced at a time */
	struct canary_opts canary;
};

/* 0, or -1 when another one is under way.  The watcher may be called before
 * this returns. */
int	rollout_start(struct master *, const struct watcher *);
int	rollout_reload(struct master *, const struct rollout_opts *,
	    const struct watcher *);
/* why: what the present generation has failed by; NULL: it has not. */
int	rollout_back(struct master *, struct generation *to, const char *why,
	    const struct rollout_opts *, const struct watcher *);
int	rollout_scale(struct master *, const char *pool, int workers,
	    const struct watcher *);
/* One more, in the place of one that was drained. */
int	rollout_undrain(struct master *, struct pool *, uint32_t slot,
	    const struct watcher *);
/* No workers, until it is scaled to some; over reloads, too. */
int	rollout_stop(struct master *, const char *pool,
	    const struct watcher *);
/* The same until the next reload; or one worker less. */
int	rollout_delete(struct master *, const char *pool, int slot,
	    const struct watcher *);
/* The same generation in new processes.  pool NULL: all; slot -1: all of it. */
int	rollout_restart(struct master *, const char *pool, int slot,
	    const struct watcher *);
/*
 * Give up the reload that is under way; what it has replaced comes back, and
 * then the watcher hears of it as the others do.  -1: there is none.
 */
int	rollout_take_back(struct master *, const char *why,
	    const struct watcher *);
/* Nobody listens any more. */
void	rollout_unwatch(struct master *, const void *arg);
/* The master is ending. */
void	rollout_cancel(struct master *);

/* What the slots tell; see pools_ops. */
void	rollout_slot_ready(struct rollout *, struct slot *);
void	rollout_slot_failed(struct rollout *, struct slot *,
	    const char *cause);
void	rollout_slot_crashed(struct rollout *, struct slot *,
	    const char *cause);

/* What the worker that is to be waits for. */
void	rollout_slot_waits(struct rollout *, const struct slot *,
	    const char *reason);

/* What a rollout under way would need kept. */
const struct generation *rollout_generation(const struct rollout *);

#endif
