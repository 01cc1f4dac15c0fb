/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A canary: some workers of a new generation serve for a while beside those of
 * the old one, and are compared with them, pool by pool.
 */
#ifndef MASTER_CANARY_H
#define MASTER_CANARY_H

#include <jansson.h>
#include <stdint.h>
#include <uv.h>
#include "base/board.h"

struct canary;
struct pools;

struct canary_opts {
	int workers;		/* of each pool; 0: no canary */
	int64_t ms;		/* how long */
	double factor;		/* how many times worse is too bad */
};

struct canary_ops {
	/* For those who wait; takes more's reference. */
	void (*said)(void *arg, json_t *more, const char *text);
	/* Called once; the canary is freed.  worse: why, or NULL. */
	void (*judged)(void *arg, const char *worse);
};

struct canary *canary_new(uv_loop_t *, const struct board *,
	    const struct canary_opts *);
/*
 * Mark the slots that go first: all but one of a pool at most, so that there
 * is something to compare with; a pool of one is compared with its own past.
 * Returns how many there are.
 */
int	canary_choose(struct canary *, struct pools *);
/* They serve: compare from now on. */
void	canary_watch(struct canary *, const struct canary_ops *, void *arg);
int	canary_is_watching(const struct canary *);
void	canary_free(struct canary *);

#endif
