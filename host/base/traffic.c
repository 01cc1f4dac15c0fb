/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "base/traffic.h"

#define MASK	(TRAFFIC_TALLIES - 1)
#define FIRST	2u	/* route that has a name */

_Static_assert(TRAFFIC_TALLIES == 1 << 11, "traffic_hash gives 11 bits");

const uint32_t traffic_bounds[TRAFFIC_BOUNDS] = {
	5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000
};

static uint32_t
count_of(const _Atomic uint32_t *n, uint32_t least, uint32_t most)
{
	uint32_t v = atomic_load_explicit(n, memory_order_acquire);

	if (v < least)
		return least;
	return v < most ? v : most;
}

static void
add(_Atomic uint64_t *to, uint64_t n)
{
	atomic_store_explicit(to, atomic_load_explicit(to,
	    memory_order_relaxed) + n, memory_order_relaxed);
}

void
traffic_name(const struct traffic *t, uint32_t route, char *name)
{
	static const char *const nameless[] = { "none", "other" };

	if (route < FIRST) {
		(void)strcpy(name, nameless[route]);
		return;
	}
	memcpy(name, t->routes[route % TRAFFIC_ROUTES], TRAFFIC_NAME - 1);
	name[TRAFFIC_NAME - 1] = '\0';
}

/* A name of TRAFFIC_NAME bytes, zeroes behind its end. */
static uint32_t
route_of(struct traffic *t, const char *name)
{
	uint32_t i, n = count_of(&t->nroutes, FIRST, TRAFFIC_ROUTES);

	for (i = FIRST; i < n; i++)
		if (memcmp(t->routes[i], name, TRAFFIC_NAME) == 0)
			return i;
	if (n == TRAFFIC_ROUTES)
		return TRAFFIC_OTHER;
	memcpy(t->routes[n], name, TRAFFIC_NAME);
	atomic_store_explicit(&t->nroutes, n + 1, memory_order_release);
	return n;
}

uint32_t
traffic_route(struct traffic *t, const char *name)
{
	char own[TRAFFIC_NAME] = "";

	memcpy(own, name, strnlen(name, TRAFFIC_NAME - 1));
	return route_of(t, own);
}

/* Where the key is, or would be.  Some room is always left. */
static struct traffic_tally *
tally_place(struct traffic *t, uint32_t key)
{
	uint32_t i, k, h = traffic_hash(key);

	for (i = 0; i < MASK; i++) {
		k = atomic_load_explicit(&t->tallies[(h + i) & MASK].key,
		    memory_order_relaxed);
		if (k == 0 || k == key)
			break;
	}
	return &t->tallies[(h + i) & MASK];
}

struct traffic_tally *
traffic_tally_new(struct traffic *t, uint32_t key)
{
	uint32_t n = atomic_load_explicit(&t->ntallies, memory_order_relaxed);
	struct traffic_tally *y = tally_place(t, key);

	if (y->key == key)
		return y;
	if (n >= TRAFFIC_TALLIES - TRAFFIC_SPARE &&
	    traffic_route_of(key) != TRAFFIC_OTHER)
		return traffic_tally_new(t, traffic_key(TRAFFIC_OTHER,
		    key >> 10 & 0xf, traffic_status(key)));
	/* The last: whatever it was. */
	if (n >= TRAFFIC_TALLIES - 2) {
		y = tally_place(t, traffic_key(TRAFFIC_OTHER, 0, 0));
		key = traffic_key(TRAFFIC_OTHER, 0, 0);
		if (y->key == key)
			return y;
	}
	atomic_store_explicit(&t->ntallies, n + 1, memory_order_relaxed);
	atomic_store_explicit(&y->key, key, memory_order_release);
	return y;
}

const char *
traffic_method(uint32_t key)
{
	static const char *const names[TRAFFIC_METHODS] = { "other", "GET",
		"HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE",
		"CONNECT" };
	uint32_t m = key >> 10 & 0xf;

	return names[m < TRAFFIC_METHODS ? m : 0];
}

static void
fold_tallies(struct traffic *to, const struct traffic *from,
    const uint32_t *routes)
{
	const struct traffic_tally *y;
	uint32_t key, i;

	for (i = 0; i < TRAFFIC_TALLIES; i++) {
		y = &from->tallies[i];
		key = atomic_load_explicit(&y->key, memory_order_acquire);
		if (key == 0)
			continue;
		key = traffic_key(routes[traffic_route_of(key) %
		    TRAFFIC_ROUTES], key >> 10 & 0xf, traffic_status(key));
		add(&traffic_tally_new(to, key)->n,
		    atomic_load_explicit(&y->n, memory_order_relaxed));
	}
}

static void
fold_time(struct traffic_time *to, const struct traffic_time *from)
{
	unsigned i;

	for (i = 0; i <= TRAFFIC_BOUNDS; i++)
		add(&to->buckets[i], atomic_load_explicit(&from->buckets[i],
		    memory_order_relaxed));
	add(&to->sum_ms, atomic_load_explicit(&from->sum_ms,
	    memory_order_relaxed));
}

void
traffic_fold(struct traffic *to, const struct traffic *from)
{
	uint32_t routes[TRAFFIC_ROUTES] = { TRAFFIC_NONE, TRAFFIC_OTHER };
	uint32_t i, n = count_of(&from->nroutes, FIRST, TRAFFIC_ROUTES);
	char name[TRAFFIC_NAME];

	for (i = FIRST; i < n; i++) {
		traffic_name(from, i, name);
		routes[i] = route_of(to, name);
	}
	fold_tallies(to, from, routes);
	for (i = 0; i < n; i++)
		fold_time(&to->times[routes[i]], &from->times[i]);
}
