/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "cache.h"

/* FNV-1a.  Clients choose paths, but only those of existing files are kept. */
static uint64_t
path_hash(const char *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325ull;

	while (n-- > 0)
		h = (h ^ (unsigned char)*p++) * 0x100000001b3ull;
	return h ^ h >> 32;
}

int
cache_init(struct cache *c, size_t max_n, uint64_t max_cost)
{
	struct rlimit rl;

	memset(c, 0, sizeof(*c));
	c->max_fds = getrlimit(RLIMIT_NOFILE, &rl) == 0 ? rl.rlim_cur / 4 : 64;
	TAILQ_INIT(&c->lru);
	c->max_n = max_n;
	c->max_cost = max_cost;
	for (c->nbuckets = 16; c->nbuckets < max_n; c->nbuckets *= 2)
		;
	c->buckets = calloc(c->nbuckets, sizeof(struct cache_entry *));
	return c->buckets == NULL ? -1 : 0;
}

void
cache_clear(struct cache *c)
{
	struct cache_entry *e;

	while ((e = TAILQ_FIRST(&c->lru)) != NULL)
		cache_drop(c, e);
}

void
cache_free(struct cache *c)
{
	cache_clear(c);
	free(c->buckets);
	c->buckets = NULL;
}

struct cache_entry *
cache_get(struct cache *c, const char *path, size_t len)
{
	uint64_t hash = path_hash(path, len);
	struct cache_entry *e = c->buckets[hash & (c->nbuckets - 1)];

	for (; e != NULL; e = e->next) {
		if (e->hash != hash || e->len != len ||
		    memcmp(e->path, path, len) != 0)
			continue;
		if (e != TAILQ_FIRST(&c->lru)) {
			TAILQ_REMOVE(&c->lru, e, lru);
			TAILQ_INSERT_HEAD(&c->lru, e, lru);
		}
		return e;
	}
	return NULL;
}

void
cache_drop(struct cache *c, struct cache_entry *e)
{
	struct cache_entry **at = &c->buckets[e->hash & (c->nbuckets - 1)];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	TAILQ_REMOVE(&c->lru, e, lru);
	c->n--;
	c->cost -= e->cost;
	c->fds -= e->fds;
	file_unref(e->file);
	free(e);
}

static void
cache_shrink(struct cache *c, const struct cache_entry *keep)
{
	struct cache_entry *e;

	while ((c->n > c->max_n || c->cost > c->max_cost ||
	    c->fds > c->max_fds) &&
	    (e = TAILQ_LAST(&c->lru, cache_lru)) != NULL && e != keep)
		cache_drop(c, e);
}

struct cache_entry *
cache_put(struct cache *c, const char *path, size_t len, struct file *f,
    uint64_t now_ms)
{
	struct cache_entry *e;
	struct cache_entry **at;

	if (c->max_n == 0 || file_cost(f) > c->max_cost ||
	    (e = malloc(sizeof(*e) + len)) == NULL)
		return NULL;
	memset(e, 0, sizeof(*e));
	memcpy(e->path, path, len);
	e->len = len;
	e->hash = path_hash(path, len);
	e->file = file_ref(f);
	e->checked_ms = now_ms;
	e->cost = file_cost(f);
	e->fds = file_fds(f);
	at = &c->buckets[e->hash & (c->nbuckets - 1)];
	e->next = *at;
	*at = e;
	TAILQ_INSERT_HEAD(&c->lru, e, lru);
	c->n++;
	c->cost += e->cost;
	c->fds += e->fds;
	cache_shrink(c, e);
	return e;
}

void
cache_recount(struct cache *c, struct cache_entry *e)
{
	c->cost -= e->cost;
	e->cost = file_cost(e->file);
	c->cost += e->cost;
	cache_shrink(c, e);
}
