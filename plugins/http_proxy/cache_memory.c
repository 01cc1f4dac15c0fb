/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "cache_memory.h"
#include "cache_vary.h"

#define BUCKETS_MIN	4096u
#define BUCKETS_MAX	(1u << 20)
#define BYTES_EACH	4096u		/* of what is kept, for a bucket */

int
memory_init(struct cache_memory *m, uint64_t max)
{
	memset(m, 0, sizeof(*m));
	TAILQ_INIT(&m->lru);
	m->max = max;
	for (m->nbuckets = BUCKETS_MIN; m->nbuckets < BUCKETS_MAX &&
	    m->nbuckets < max / BYTES_EACH; m->nbuckets *= 2)
		;
	if (getrandom(&m->seed, sizeof(m->seed), 0) != sizeof(m->seed))
		return -1;
	/* Both in one piece. */
	m->buckets = calloc(2 * m->nbuckets, sizeof(*m->buckets));
	if (m->buckets == NULL)
		return -1;
	m->keys = m->buckets + m->nbuckets;
	return 0;
}

static struct memory_bucket *
bucket_of(struct cache_memory *m, const struct cache_name *name)
{
	uint64_t h = cache_hash(m->seed, name, sizeof(*name));

	return &m->buckets[h % m->nbuckets];
}

/* A request that changes something drops its key: that must not take the
 * longer the more is kept. */
static struct memory_bucket *
key_of(struct cache_memory *m, const struct cache_name *name)
{
	uint64_t h = cache_hash(m->seed, name,
	    offsetof(struct cache_name, variant));

	return &m->keys[h % m->nbuckets];
}

static void
entry_drop(struct cache_memory *m, struct memory_entry *e)
{
	LIST_REMOVE(e, bucket);
	LIST_REMOVE(e, same);
	TAILQ_REMOVE(&m->lru, e, lru);
	m->bytes -= e->cost;
	m->n--;
	object_unref(e->object);
	free(e);
}

void
memory_free(struct cache_memory *m)
{
	struct memory_entry *e;

	while ((e = TAILQ_FIRST(&m->lru)) != NULL)
		entry_drop(m, e);
	free(m->buckets);
	m->buckets = NULL;
}

static struct memory_entry *
entry_find(struct cache_memory *m, const struct cache_name *name)
{
	struct memory_entry *e;

	LIST_FOREACH(e, bucket_of(m, name), bucket)
		if (memcmp(&e->name, name, sizeof(*name)) == 0)
			return e;
	return NULL;
}

static int
is_key(const struct cache_object *o, hostd_buf key, int prefix)
{
	return (prefix ? o->key.n >= key.n : o->key.n == key.n) &&
	    (key.n == 0 || memcmp(o->key.p, key.p, key.n) == 0);
}

struct cache_object *
memory_get(struct cache_memory *m, const struct cache_name *name,
    hostd_buf key)
{
	struct memory_entry *e = entry_find(m, name);

	if (e == NULL || !is_key(e->object, key, 0))
		return NULL;
	if (e != TAILQ_FIRST(&m->lru)) {
		TAILQ_REMOVE(&m->lru, e, lru);
		TAILQ_INSERT_HEAD(&m->lru, e, lru);
	}
	return object_ref(e->object);
}

/* What it takes, about: the allocator's share, too. */
static uint64_t
cost_of(const struct cache_object *o)
{
	return sizeof(struct memory_entry) + sizeof(*o) + o->nhead +
	    o->nheaders * sizeof(hostd_hdr) + sizeof(struct cache_body) +
	    o->body_len + 64;
}

int
memory_put(struct cache_memory *m, const struct cache_name *name,
    struct cache_object *o)
{
	struct memory_entry *e = entry_find(m, name);
	uint64_t cost = cost_of(o);

	if (e != NULL)
		entry_drop(m, e);
	if (cost > m->max || (e = malloc(sizeof(*e))) == NULL)
		return -1;
	while (m->bytes + cost > m->max)
		entry_drop(m, TAILQ_LAST(&m->lru, memory_lru));
	e->name = *name;
	e->object = object_ref(o);
	e->cost = cost;
	m->bytes += cost;
	m->n++;
	LIST_INSERT_HEAD(bucket_of(m, name), e, bucket);
	LIST_INSERT_HEAD(key_of(m, name), e, same);
	TAILQ_INSERT_HEAD(&m->lru, e, lru);
	return 0;
}

static unsigned
drop_key(struct cache_memory *m, hostd_buf key)
{
	struct memory_entry *e, *next;
	struct cache_name name;
	unsigned n = 0;

	object_name(key, 0, &name);
	for (e = LIST_FIRST(key_of(m, &name)); e != NULL; e = next) {
		next = LIST_NEXT(e, same);
		if (is_key(e->object, key, 0)) {
			entry_drop(m, e);
			n++;
		}
	}
	return n;
}

static unsigned
drop_prefix(struct cache_memory *m, hostd_buf key)
{
	struct memory_entry *e, *next;
	unsigned n = 0;

	for (e = TAILQ_FIRST(&m->lru); e != NULL; e = next) {
		next = TAILQ_NEXT(e, lru);
		if (is_key(e->object, key, 1)) {
			entry_drop(m, e);
			n++;
		}
	}
	return n;
}

unsigned
memory_drop(struct cache_memory *m, hostd_buf key, int prefix)
{
	return prefix ? drop_prefix(m, key) : drop_key(m, key);
}
