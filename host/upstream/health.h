/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When which server is checked, by the one worker that looks after them.  What
 * a check (upstream/check.h) finds is the group's to count (peer_checked).
 */
#ifndef UPSTREAM_HEALTH_H
#define UPSTREAM_HEALTH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "net/loop.h"
#include "upstream/group.h"

struct patient;

struct health {
	struct upstreams *all;
	/* May we say how servers are doing? */
	int (*is_ours)(struct health *);
	struct patient **by_index;	/* UP_ENTRIES, by entry */
	TAILQ_HEAD(, patient) gone;
	struct loop_task reap;		/* frees those */
	int is_void;			/* the last could not be made */
};

void	health_init(struct health *, struct upstreams *,
	    int (*is_ours)(struct health *));
/* Servers have come, gone, or changed. */
void	health_look(struct health *);
/* Break all checks off. */
void	health_stop(struct health *);
/* Those that were broken off in this turn are freed, too. */
void	health_close(struct health *);
/* Until the next check: ms from now_ms on, both of unix time. */
uint64_t health_wait_ms(const struct conf_health *, uint64_t checked_ms,
	    uint64_t now_ms, uint32_t random);

#endif
