/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions by their keys. */
#ifndef SESSION_MEMORY_TABLE_H
#define SESSION_MEMORY_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/session_store.h>

struct entry {
	struct entry *next;	/* of its bucket */
	uint32_t hash;
	uint64_t expires_ms;
	hostd_buf key, value;	/* parts of bytes */
	char bytes[];
};

struct table {
	struct entry **buckets;
	size_t nbuckets;	/* a power of two */
	size_t n;
	size_t swept;		/* the bucket that is looked at next */
	uint32_t seed;		/* so that nobody can choose a bucket */
};

/* -1: out of memory. */
int	table_init(struct table *);
void	table_free(struct table *);
/* NULL: there is none, or its time is over. */
struct entry *table_find(struct table *, hostd_buf key, uint64_t now_ms);
/* In place of what was there.  NULL: out of memory, nothing is changed. */
struct entry *table_put(struct table *, hostd_buf key, hostd_buf value,
	    uint64_t expires_ms);
void	table_remove(struct table *, hostd_buf key);
/* Remove what is over from the next n buckets. */
void	table_sweep(struct table *, size_t n, uint64_t now_ms);

#endif
