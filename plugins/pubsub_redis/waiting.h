/* SPDX-License-Identifier: BSD-2-Clause */
/* Channels that wait for a node to be subscribed at.  Zeroed memory, then
 * STAILQ_INIT, is an empty list. */
#ifndef PUBSUB_REDIS_WAITING_H
#define PUBSUB_REDIS_WAITING_H

#include <sys/queue.h>
#include <hostd/abi.h>

struct waiting {
	STAILQ_ENTRY(waiting) link;
	int again;		/* it was subscribed before */
	size_t n;
	char name[];
};
STAILQ_HEAD(waiting_list, waiting);

/* 0, or -1: out of memory. */
int	waiting_add(struct waiting_list *, hostd_buf name, int again);
/* It may be there more than once.  1: it was there. */
int	waiting_remove(struct waiting_list *, hostd_buf name);
void	waiting_clear(struct waiting_list *);

#endif
