/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A map from byte strings to pointers.  Keys are copied.  Seeded per process,
 * so that peers can't choose colliding keys.  Zeroed memory is an empty map.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map_entry {
	char *key;		/* NUL-ended copy; NULL: free */
	size_t len;
	uint64_t hash;
	void *value;
};

struct map {
	struct map_entry *slots;
	size_t n, cap;
};

/* NULL when absent. */
void	*map_get(const struct map *, const void *key, size_t len);
/* Returns the value that was there before, or NULL. */
void	*map_put(struct map *, const void *key, size_t len, void *value);
/* Returns the value removed, or NULL. */
void	*map_del(struct map *, const void *key, size_t len);
/* Walk: start with *it = 0; NULL at the end.  No changes meanwhile. */
struct map_entry *map_next(const struct map *, size_t *it);
/* Frees the map's own memory, not the values. */
void	 map_free(struct map *);

#endif
