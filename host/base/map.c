/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"

#define MAP_LEAST 8

static uint64_t seed[2];

static uint64_t
map_hash(const void *key, size_t len)
{
	while (seed[0] == 0 || seed[1] == 0)
		if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
			seed[0] = seed[1] = (uintptr_t)&seed | 1;
	return hash_bytes(seed, key, len);
}

/* The slot of key, or the free one where it would go. */
static struct map_entry *
map_slot(const struct map *m, const void *key, size_t len, uint64_t hash)
{
	size_t i = hash & (m->cap - 1);
	struct map_entry *e;

	for (;; i = (i + 1) & (m->cap - 1)) {
		e = &m->slots[i];
		if (e->key == NULL || (e->hash == hash && e->len == len &&
		    memcmp(e->key, key, len) == 0))
			return e;
	}
}

void *
map_get(const struct map *m, const void *key, size_t len)
{
	struct map_entry *e;

	if (m->n == 0)
		return NULL;
	e = map_slot(m, key, len, map_hash(key, len));
	return e->key == NULL ? NULL : e->value;
}

static void
map_grow(struct map *m)
{
	struct map old = *m;
	size_t i;

	m->cap = old.cap > 0 ? old.cap * 2 : MAP_LEAST;
	m->slots = xcalloc(m->cap, sizeof(*m->slots));
	for (i = 0; i < old.cap; i++)
		if (old.slots[i].key != NULL)
			*map_slot(m, old.slots[i].key, old.slots[i].len,
			    old.slots[i].hash) = old.slots[i];
	free(old.slots);
}

void *
map_put(struct map *m, const void *key, size_t len, void *value)
{
	struct map_entry *e;
	uint64_t hash = map_hash(key, len);
	void *before;

	if (m->n * 2 >= m->cap)
		map_grow(m);
	e = map_slot(m, key, len, hash);
	before = e->value;
	if (e->key == NULL) {
		e->key = xstrndup(key, len);
		e->len = len;
		e->hash = hash;
		m->n++;
		before = NULL;
	}
	e->value = value;
	return before;
}

/* Entries behind the gap move up, if that brings them nearer to home. */
static void
map_close_gap(struct map *m, size_t gap)
{
	size_t mask = m->cap - 1, i = gap, home;

	for (;;) {
		i = (i + 1) & mask;
		if (m->slots[i].key == NULL)
			break;
		home = m->slots[i].hash & mask;
		if (((i - home) & mask) < ((i - gap) & mask))
			continue;
		m->slots[gap] = m->slots[i];
		gap = i;
	}
	memset(&m->slots[gap], 0, sizeof(m->slots[gap]));
}

void *
map_del(struct map *m, const void *key, size_t len)
{
	struct map_entry *e;
	void *value;

	if (m->n == 0)
		return NULL;
	e = map_slot(m, key, len, map_hash(key, len));
	if (e->key == NULL)
		return NULL;
	value = e->value;
	free(e->key);
	map_close_gap(m, (size_t)(e - m->slots));
	m->n--;
	return value;
}

struct map_entry *
map_next(const struct map *m, size_t *it)
{
	while (*it < m->cap)
		if (m->slots[(*it)++].key != NULL)
			return &m->slots[*it - 1];
	return NULL;
}

void
map_free(struct map *m)
{
	size_t i;

	for (i = 0; i < m->cap; i++)
		free(m->slots[i].key);
	free(m->slots);
	memset(m, 0, sizeof(*m));
}
