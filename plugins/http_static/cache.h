/* SPDX-License-Identifier: BSD-2-Clause */
/* Files by path, bounded, the least recently used go first. */
#ifndef HTTP_STATIC_CACHE_H
#define HTTP_STATIC_CACHE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "file.h"

struct cache_entry {
	struct cache_entry *next;	/* of the same bucket */
	TAILQ_ENTRY(cache_entry) lru;
	struct file *file;
	uint64_t checked_ms;		/* when it was last seen unchanged */
	uint64_t cost;
	unsigned fds;
	uint64_t hash;
	size_t len;
	char path[];
};

struct cache {
	struct cache_entry **buckets;
	size_t nbuckets;		/* a power of two */
	TAILQ_HEAD(cache_lru, cache_entry) lru;	/* most recent first */
	size_t n, max_n;
	uint64_t cost, max_cost;
	uint64_t fds, max_fds;		/* descriptors kept open */
};

/* 0, or -1: no memory.  Of the process's descriptors a quarter is used. */
int	cache_init(struct cache *, size_t max_n, uint64_t max_cost);
void	cache_clear(struct cache *);
void	cache_free(struct cache *);
struct cache_entry *cache_get(struct cache *, const char *path, size_t len);
/* Takes a reference to the file; NULL when it is not kept. */
struct cache_entry *cache_put(struct cache *, const char *path, size_t len,
	    struct file *, uint64_t now_ms);
void	cache_drop(struct cache *, struct cache_entry *);
/* The file has got another coding: count it. */
void	cache_recount(struct cache *, struct cache_entry *);

#endif
