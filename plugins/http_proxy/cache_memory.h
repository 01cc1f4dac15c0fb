/* SPDX-License-Identifier: BSD-2-Clause */
/* Kept answers in this worker's memory; those used least recently go first. */
#ifndef HTTP_PROXY_CACHE_MEMORY_H
#define HTTP_PROXY_CACHE_MEMORY_H

#include <sys/queue.h>
#include "cache_object.h"

struct memory_entry {
	LIST_ENTRY(memory_entry) bucket;	/* by name */
	LIST_ENTRY(memory_entry) same;		/* by key: all its variants */
	TAILQ_ENTRY(memory_entry) lru;
	struct cache_name name;
	struct cache_object *object;
	uint64_t cost;
};

struct cache_memory {
	LIST_HEAD(memory_bucket, memory_entry) *buckets, *keys;
	size_t nbuckets;		/* of each */
	TAILQ_HEAD(memory_lru, memory_entry) lru;	/* last used first */
	uint64_t n, bytes, max;
	uint64_t seed;			/* clients choose keys */
};

/* 0, or -1: no memory. */
int	memory_init(struct cache_memory *, uint64_t max);
void	memory_free(struct cache_memory *);
/* A reference, or NULL. */
struct cache_object *memory_get(struct cache_memory *,
	    const struct cache_name *, hostd_buf key);
/* Takes a reference of its own.  0, or -1: too large, or no memory. */
int	memory_put(struct cache_memory *, const struct cache_name *,
	    struct cache_object *);
/* Of all variants; prefix: of all keys that begin so.  How many went. */
unsigned memory_drop(struct cache_memory *, hostd_buf key, int prefix);

#endif
