/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests by route, method and status, and how long they took by route: what
 * one process counts on the board, the totals of those that have ended, and the
 * sum of all.  Its size is fixed, so what finds no room counts as of another
 * route.
 *
 * Only one process writes; others may read meanwhile, and trust nothing.
 */
#ifndef BASE_TRAFFIC_H
#define BASE_TRAFFIC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define TRAFFIC_ROUTES	256
#define TRAFFIC_NAME	128	/* bytes of a route's, NUL included */
#define TRAFFIC_TALLIES	2048	/* a power of two */
#define TRAFFIC_SPARE	256	/* of these, for TRAFFIC_OTHER */
#define TRAFFIC_BOUNDS	11
#define TRAFFIC_METHODS	10	/* HOSTD_METHOD_*; 0: any other */

#define TRAFFIC_NONE	0u	/* no route was found for it */
#define TRAFFIC_OTHER	1u	/* one of those without room */

/* How many requests there were of one kind. */
struct traffic_tally {
	_Atomic uint32_t key;		/* 0: free.  Set last */
	uint32_t reserved;
	_Atomic uint64_t n;
};

struct traffic_time {
	_Atomic uint64_t buckets[TRAFFIC_BOUNDS + 1];	/* not cumulative */
	_Atomic uint64_t sum_ms;
};

struct traffic {
	_Atomic uint32_t nroutes;	/* with the two that have no name */
	_Atomic uint32_t ntallies;
	char routes[TRAFFIC_ROUTES][TRAFFIC_NAME];
	struct traffic_tally tallies[TRAFFIC_TALLIES];
	struct traffic_time times[TRAFFIC_ROUTES];
};

/* Upper bounds, in ms. */
extern const uint32_t traffic_bounds[TRAFFIC_BOUNDS];

/* What a route is counted as; TRAFFIC_OTHER when there is no room.  The same
 * name is the same route. */
uint32_t traffic_route(struct traffic *, const char *name);
/* The tally of that key, or where what has no room is counted. */
struct traffic_tally *traffic_tally_new(struct traffic *, uint32_t key);

/* Add all of from, by names. */
void	traffic_fold(struct traffic *to, const struct traffic *from);

/* The parts of a key. */
const char *traffic_method(uint32_t key);
static inline uint32_t
traffic_status(uint32_t key)
{
	return key & 0x3ff;
}
static inline uint32_t
traffic_route_of(uint32_t key)
{
	return key >> 14 & 0x1ffff;
}
/* A copy of what is counted as route; size: TRAFFIC_NAME. */
void	traffic_name(const struct traffic *, uint32_t route, char *name);

static inline uint32_t
traffic_key(uint32_t route, uint32_t method, uint32_t status)
{
	return 1u << 31 | route << 14 | (method & 0xf) << 10 |
	    (status < 1000 ? status : 0);
}

static inline uint32_t
traffic_hash(uint32_t key)
{
	return key * 2654435769u >> 21;		/* 11 bits */
}

/* One more, of ms; took: whether that says anything. */
static inline void
traffic_count(struct traffic *t, uint32_t route, uint32_t method,
    uint32_t status, int took, uint64_t ms)
{
	uint32_t key = traffic_key(route, method, status);
	struct traffic_tally *y = &t->tallies[traffic_hash(key)];
	struct traffic_time *m = &t->times[route];
	unsigned i = 0;

	if (atomic_load_explicit(&y->key, memory_order_relaxed) != key)
		y = traffic_tally_new(t, key);
	atomic_store_explicit(&y->n, atomic_load_explicit(&y->n,
	    memory_order_relaxed) + 1, memory_order_relaxed);
	if (!took)
		return;
	while (i < TRAFFIC_BOUNDS && ms > traffic_bounds[i])
		i++;
	atomic_store_explicit(&m->buckets[i], atomic_load_explicit(
	    &m->buckets[i], memory_order_relaxed) + 1, memory_order_relaxed);
	atomic_store_explicit(&m->sum_ms, atomic_load_explicit(&m->sum_ms,
	    memory_order_relaxed) + ms, memory_order_relaxed);
}

#endif
