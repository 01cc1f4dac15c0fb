/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "ring.h"

#define PLACES		160u		/* for each unit of weight */
#define PLACES_MAX	(1u << 15)	/* of all, more or less: it is sorted in
					   a few ms */

static int
compare_places(const void *a, const void *b)
{
	const struct place *p = a, *q = b;

	if (p->at != q->at)
		return p->at < q->at ? -1 : 1;
	return p->index < q->index ? -1 : p->index > q->index;
}

static uint64_t
total_weight(const struct servers *s)
{
	uint64_t total = 0;
	uint32_t i;

	for (i = 0; i < s->n; i++)
		total += s->v[i].weight;
	return total;
}

/* By halves, so that it seldom differs when a server goes: else those that stay
 * would have other places, and keys would move between them. */
static unsigned
scale_of(const struct servers *s)
{
	uint64_t all = total_weight(s) * PLACES;
	unsigned shift = 0;

	while (all >> shift > PLACES_MAX)
		shift++;
	return shift;
}

static uint32_t
places_of(const struct server *v, unsigned shift)
{
	uint32_t n = v->weight * PLACES >> shift;

	return n == 0 ? 1 : n;
}

static int32_t
ring_make(struct ring *r)
{
	struct servers *s = &r->servers;
	unsigned shift = scale_of(s);
	uint32_t i, j, n = 0, count;
	struct place *places;

	for (i = 0; i < s->n; i++)
		n += places_of(&s->v[i], shift);
	if ((places = calloc(n + 1, sizeof(*places))) == NULL)
		return HOSTD_E_NOMEM;
	for (i = 0, n = 0; i < s->n; i++) {
		count = places_of(&s->v[i], shift);
		for (j = 0; j < count; j++, n++) {
			places[n].at = hash_mix(s->v[i].hash +
			    (uint64_t)j * 0x9e3779b97f4a7c15u);
			places[n].index = i;
		}
	}
	qsort(places, n, sizeof(*places), compare_places);
	free(r->places);
	r->places = places;
	r->n = n;
	return HOSTD_OK;
}

static int
is_same(const struct servers *s, const struct hostd_peer *const *peers)
{
	uint32_t i;

	for (i = 0; peers[i] != NULL; i++)
		if (i >= s->n || s->v[i].id != peers[i]->id ||
		    s->v[i].weight != peers[i]->weight)
			return 0;
	return i == s->n;
}

int32_t
ring_set(struct ring *r, const struct hostd_peer *const *peers)
{
	int same = r->places != NULL && is_same(&r->servers, peers);
	struct servers was = r->servers;
	int32_t rc;

	memset(&r->servers, 0, sizeof(r->servers));
	if ((rc = servers_set(&r->servers, peers)) == HOSTD_OK && !same)
		rc = ring_make(r);
	if (rc != HOSTD_OK) {
		servers_free(&r->servers);
		r->servers = was;
		return rc;
	}
	servers_free(&was);
	return HOSTD_OK;
}

void
ring_free(struct ring *r)
{
	servers_free(&r->servers);
	free(r->places);
	r->places = NULL;
	r->n = 0;
}

uint32_t
ring_find(const struct ring *r, uint64_t hash)
{
	uint32_t lo = 0, hi = r->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (r->places[mid].at < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo == r->n ? 0 : lo;
}
