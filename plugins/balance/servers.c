/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "servers.h"

uint64_t
hash_add(uint64_t h, const void *p, size_t n)
{
	const unsigned char *s = p;

	while (n-- > 0)
		h = (h ^ *s++) * 0x100000001b3u;
	return h;
}

uint64_t
hash_mix(uint64_t h)
{
	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
	h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
	return h ^ (h >> 33);
}

struct server *
servers_find(struct servers *s, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < s->n; i++)
		if (s->v[i].id == id)
			return &s->v[i];
	return NULL;
}

static void
server_set(struct server *new, const struct hostd_peer *p, struct servers *old)
{
	const struct server *was = servers_find(old, p->id);

	new->id = p->id;
	new->flags = p->flags;
	new->weight = p->weight;
	new->takes = (uint64_t)p->weight * p->share;
	if (new->takes == 0)
		new->takes = 1;
	new->turn = was == NULL ? 0 : was->turn;
	new->hash = hash_add(HASH_START, p->name.p, p->name.n);
	new->hash = hash_mix(hash_add(new->hash, p->addr.p, p->addr.n));
}

int32_t
servers_set(struct servers *s, const struct hostd_peer *const *peers)
{
	struct servers new = { 0 };
	uint32_t i;

	while (peers[new.n] != NULL)
		new.n++;
	new.v = calloc(new.n + 1, sizeof(*new.v));
	new.ids = calloc(new.n + 1, sizeof(*new.ids));
	new.loads = calloc(new.n + 1, sizeof(*new.loads));
	if (new.v == NULL || new.ids == NULL || new.loads == NULL) {
		servers_free(&new);
		return HOSTD_E_NOMEM;
	}
	for (i = 0; i < new.n; i++) {
		server_set(&new.v[i], peers[i], s);
		new.ids[i] = peers[i]->id;
	}
	servers_free(s);
	*s = new;
	return HOSTD_OK;
}

void
servers_free(struct servers *s)
{
	free(s->v);
	free(s->ids);
	free(s->loads);
	memset(s, 0, sizeof(*s));
}

static int
is_tried(const struct hostd_pick *k, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < k->ntried; i++)
		if (k->tried[i] == id)
			return 1;
	return 0;
}

uint32_t
servers_choose(struct servers *s, const struct hostd_pick *k)
{
	uint32_t i, n = 0;

	for (i = 0; i < s->n; i++) {
		s->v[i].chosen = (s->v[i].flags & (HOSTD_PEER_DOWN |
		    HOSTD_PEER_DRAINING)) == 0 && !is_tried(k, s->v[i].id);
		n += s->v[i].chosen;
	}
	return n;
}

/* Are a's fewer than b's, for what they take?  <0, 0, >0. */
static int
compare_loads(const struct servers *s, uint32_t a, uint32_t b)
{
	uint64_t x = s->loads[a].inflight * s->v[b].takes;
	uint64_t y = s->loads[b].inflight * s->v[a].takes;

	return x < y ? -1 : x > y;
}

void
servers_least(struct servers *s)
{
	uint32_t i, best = s->n;

	for (i = 0; i < s->n; i++)
		if (s->v[i].chosen &&
		    (best == s->n || compare_loads(s, i, best) < 0))
			best = i;
	for (i = 0; i < s->n; i++)
		if (s->v[i].chosen && compare_loads(s, i, best) != 0)
			s->v[i].chosen = 0;
}

int32_t
servers_turn(struct servers *s, uint32_t *id)
{
	struct server *v, *best = NULL;
	int64_t total = 0;

	for (v = s->v; v < s->v + s->n; v++) {
		if (!v->chosen)
			continue;
		v->turn += (int64_t)v->takes;
		total += (int64_t)v->takes;
		if (best == NULL || v->turn > best->turn)
			best = v;
	}
	if (best == NULL)
		return HOSTD_E_FULL;
	best->turn -= total;
	*id = best->id;
	return HOSTD_OK;
}
