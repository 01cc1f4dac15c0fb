/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The servers of a group as a balancer keeps them, and the smooth weighted turn
 * that most balancers end with.  Zeroed memory is an empty set.
 */
#ifndef BALANCE_SERVERS_H
#define BALANCE_SERVERS_H

#include <hostd/balancer.h>

struct server {
	uint32_t id, flags, weight;
	uint32_t chosen;	/* may be picked now */
	uint64_t takes;		/* its weight times its share, at least 1 */
	int64_t turn;		/* of the smooth turn */
	uint64_t hash;		/* of its name and address */
};

struct servers {
	struct server *v;		/* in the order of the configuration */
	uint32_t *ids;			/* the same, for `load` */
	hostd_peer_load *loads;		/* room for what it answers */
	uint32_t n;
};

/* HOSTD_OK, or E_NOMEM: all is as it was.  Turns of those that stay go on. */
int32_t	servers_set(struct servers *, const struct hostd_peer *const *);
void	servers_free(struct servers *);

/* Choose those that may be picked: neither down, draining nor tried.  Returns
 * how many. */
uint32_t servers_choose(struct servers *, const struct hostd_pick *);
/* Leave of the chosen those with the fewest requests for what they take; loads
 * are known. */
void	servers_least(struct servers *);
/*
 * Whose turn it is among the chosen.  Each gets what it takes, spread as evenly
 * as can be: weights 5, 1, 1 make a a b a c a a.  HOSTD_OK, or E_FULL.
 */
int32_t	servers_turn(struct servers *, uint32_t *id);
/* NULL: none of that id. */
struct server *servers_find(struct servers *, uint32_t id);

/* FNV-1a with a final mix: the same on all machines. */
#define HASH_START	0xcbf29ce484222325u
uint64_t hash_add(uint64_t, const void *, size_t);
uint64_t hash_mix(uint64_t);

#endif
