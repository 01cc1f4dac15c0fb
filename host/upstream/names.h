/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of all servers in the table whose groups this worker has: they are
 * resolved again when their TTL says so, within the group's bounds, and the
 * master is told what has changed.  A question that fails changes nothing, and
 * is asked again, less and less often.
 */
#ifndef UPSTREAM_NAMES_H
#define UPSTREAM_NAMES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "base/map.h"
#include "net/chan.h"
#include "upstream/group.h"

#define NAMES_ASKED	64	/* at a time */

struct name;

struct names {
	struct upstreams *all;
	int (*tell)(void *arg, const struct chan_resolved *);
	void *arg;
	TAILQ_HEAD(name_list, name) list, gone;
	struct map by_name;		/* group NUL server */
	struct loop_task reap;		/* frees those that have gone */
	unsigned nasking;
	int again;			/* look again, though nothing changes */
};

void	names_init(struct names *, struct upstreams *,
	    int (*tell)(void *, const struct chan_resolved *), void *arg);
/* Look at the table: ask for those that are new, forget those that have gone,
 * tell the master again what it does not know. */
void	names_look(struct names *);
/* Forget all. */
void	names_stop(struct names *);
/* Those that were forgotten in this turn are freed, too. */
void	names_close(struct names *);
/* Has each name in the table been resolved once, by whoever does it, or
 * failed? */
int	names_settled(const struct upstreams *);
/* After so many failures in a row, at least 1: until it is asked for again. */
uint64_t names_retry_ms(uint64_t least_ms, unsigned failures, uint32_t random);

#endif
