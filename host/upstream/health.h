/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks of the health of servers, by the one worker that looks after them: a
 * connection, and over HTTP a request and its answer.  What they find is the
 * group's to count (peer_checked).
 */
#ifndef UPSTREAM_HEALTH_H
#define UPSTREAM_HEALTH_H

#include <stddef.h>
#include <stdint.h>
#include "upstream/group.h"

struct check;

struct checks {
	struct upstreams *all;
	/* Is it still ours to say how servers are doing? */
	int (*is_ours)(struct checks *);
	struct check **by_index;	/* UP_ENTRIES; NULL: not started */
};

void	checks_init(struct checks *, struct upstreams *,
	    int (*is_ours)(struct checks *));
/* Servers have come or gone. */
void	checks_look(struct checks *);
/* Those under way are broken off. */
void	checks_close(struct checks *);

#endif
