/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table of entries that have a name.  Names come from clients, so where
 * they go can't be foreseen: the hash has a random seed.  Entries are the
 * caller's, with a struct table_entry in them.
 */
#ifndef SOCKETIO_TABLE_H
#define SOCKETIO_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/abi.h>

struct table_entry {
	struct table_entry *next;
	hostd_buf name;			/* good as long as it is in the table */
	uint64_t hash;
};

/* Zeroed memory is an empty one. */
struct table {
	struct table_entry **buckets;
	size_t n, size;			/* size: a power of two, or 0 */
	uint64_t seed;
};

struct table_entry *table_find(const struct table *, hostd_buf name);
/* The name is not in it.  -1: out of memory, nothing was changed. */
int	table_add(struct table *, struct table_entry *);
void	table_remove(struct table *, struct table_entry *);
/* All of them, in no order: start with NULL; the table must not change
 * meanwhile, but for the one that was returned being removed after the next was
 * asked for. */
struct table_entry *table_next(const struct table *,
	    const struct table_entry *);
/* Its own memory; entries are the caller's. */
void	table_free(struct table *);

/* The entry that e is a member of. */
#define TABLE_OF(e, type, member) ((type *)(void *)((char *)(e) -	\
	offsetof(type, member)))

#endif
