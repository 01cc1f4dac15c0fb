/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one worker of the machine does for all of them: it resolves the names of
 * servers (upstream/names.h), which the master writes into the table, and
 * checks servers' health (upstream/health.h).  Every worker asks a few times a
 * second whether it is the one (up_lead).
 */
#ifndef UPSTREAM_LEAD_H
#define UPSTREAM_LEAD_H

#include <stdint.h>
#include "net/chan.h"
#include "net/wheel.h"
#include "upstream/group.h"
#include "upstream/health.h"
#include "upstream/names.h"

#define LEAD_TICK_MS	250

struct lead {
	struct upstreams *all;		/* NULL: not started */
	uint32_t generation;		/* ours; see up_lead */
	const _Atomic uint32_t *coming;
	uint64_t until_ms;		/* we are the one until then; 0: not */
	uint32_t seen;			/* up_changes, when we looked last */
	struct wheel_timer tick;
	struct names names;
	struct health health;
};

/* tell: to the master, 0, or -1 when it can't take it now.  all and coming
 * must outlive it. */
void	lead_start(struct lead *, struct upstreams *, uint32_t generation,
	    const _Atomic uint32_t *coming,
	    int (*tell)(void *arg, const struct chan_resolved *), void *arg);
/* Another one takes over at once. */
void	lead_stop(struct lead *);
/* The same, at the end of the loop.  Both are harmless when it was not
 * started. */
void	lead_close(struct lead *);

#endif
