/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/random.h>
#include <stdlib.h>
#include <string.h>
#include "table.h"

#define SIZE_LEAST 8

/* Eight bytes at a time, each mixed into a product of 128 bits. */
static uint64_t
mix(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide x = (wide)a * b;

	return (uint64_t)x ^ (uint64_t)(x >> 64);
}

static uint64_t
hash_of(const struct table *t, hostd_buf name)
{
	const char *p = name.p;
	uint64_t h = t->seed ^ name.n, word;
	size_t n = name.n;

	for (; n >= sizeof(word); p += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = mix(h ^ word, 0x9e3779b97f4a7c15u ^ t->seed >> 1);
	}
	word = 0;
	if (n > 0)
		memcpy(&word, p, n);
	return mix(h ^ word, 0xd6e8feb86659fd93u ^ t->seed << 1);
}

struct table_entry *
table_find(const struct table *t, hostd_buf name)
{
	struct table_entry *e;
	uint64_t h;

	if (t->n == 0)
		return NULL;
	h = hash_of(t, name);
	for (e = t->buckets[h & (t->size - 1)]; e != NULL; e = e->next)
		if (e->hash == h && e->name.n == name.n &&
		    memcmp(e->name.p, name.p, name.n) == 0)
			return e;
	return NULL;
}

static int
table_grow(struct table *t)
{
	size_t size = t->size == 0 ? SIZE_LEAST : t->size * 2, i;
	struct table_entry **b, *e, *next;

	if (t->size == 0 && getrandom(&t->seed, sizeof(t->seed), 0) !=
	    (ssize_t)sizeof(t->seed))
		return -1;
	if ((b = calloc(size, sizeof(*b))) == NULL)
		return -1;
	for (i = 0; i < t->size; i++)
		for (e = t->buckets[i]; e != NULL; e = next) {
			next = e->next;
			e->next = b[e->hash & (size - 1)];
			b[e->hash & (size - 1)] = e;
		}
	free(t->buckets);
	t->buckets = b;
	t->size = size;
	return 0;
}

int
table_add(struct table *t, struct table_entry *e)
{
	struct table_entry **at;

	if (t->n >= t->size && table_grow(t) == -1)
		return -1;
	e->hash = hash_of(t, e->name);
	at = &t->buckets[e->hash & (t->size - 1)];
	e->next = *at;
	*at = e;
	t->n++;
	return 0;
}

void
table_remove(struct table *t, struct table_entry *e)
{
	struct table_entry **at = &t->buckets[e->hash & (t->size - 1)];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	t->n--;
}

struct table_entry *
table_next(const struct table *t, const struct table_entry *e)
{
	size_t i = 0;

	if (e != NULL && e->next != NULL)
		return e->next;
	if (e != NULL)
		i = (e->hash & (t->size - 1)) + 1;
	for (; i < t->size; i++)
		if (t->buckets[i] != NULL)
			return t->buckets[i];
	return NULL;
}

void
table_free(struct table *t)
{
	free(t->buckets);
	memset(t, 0, sizeof(*t));
}
