/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "table.h"

#define BUCKETS_MIN	64

int
table_init(struct table *t)
{
	memset(t, 0, sizeof(*t));
	t->nbuckets = BUCKETS_MIN;
	t->buckets = calloc(t->nbuckets, sizeof(*t->buckets));
	if (getrandom(&t->seed, sizeof(t->seed), 0) != sizeof(t->seed))
		t->seed = (uint32_t)(uintptr_t)t;
	return t->buckets == NULL ? -1 : 0;
}

void
table_free(struct table *t)
{
	table_sweep(t, t->nbuckets, UINT64_MAX);
	free(t->buckets);
}

/* FNV-1a. */
static uint32_t
hash_of(const struct table *t, hostd_buf key)
{
	const unsigned char *p = key.p;
	uint32_t h = 2166136261u ^ t->seed;
	size_t i;

	for (i = 0; i < key.n; i++)
		h = (h ^ p[i]) * 16777619u;
	return h ^ h >> 15;
}

/* Where the pointer to it is, or would be. */
static struct entry **
place_of(const struct table *t, hostd_buf key, uint32_t hash)
{
	struct entry **at = &t->buckets[hash & (t->nbuckets - 1)], *e;

	for (; (e = *at) != NULL; at = &e->next)
		if (e->hash == hash && e->key.n == key.n &&
		    memcmp(e->key.p, key.p, key.n) == 0)
			break;
	return at;
}

static void
cut(struct table *t, struct entry **at)
{
	struct entry *e = *at;

	*at = e->next;
	t->n--;
	free(e);
}

/* Twice as many buckets, if there is memory for them. */
static void
grow(struct table *t)
{
	struct table wide = *t;
	struct entry *e, **at;
	size_t i;

	wide.nbuckets *= 2;
	wide.buckets = calloc(wide.nbuckets, sizeof(*wide.buckets));
	if (wide.buckets == NULL)
		return;
	for (i = 0; i < t->nbuckets; i++)
		while ((e = t->buckets[i]) != NULL) {
			t->buckets[i] = e->next;
			at = &wide.buckets[e->hash & (wide.nbuckets - 1)];
			e->next = *at;
			*at = e;
		}
	free(t->buckets);
	*t = wide;
}

struct entry *
table_find(struct table *t, hostd_buf key, uint64_t now_ms)
{
	struct entry **at = place_of(t, key, hash_of(t, key));

	if (*at != NULL && (*at)->expires_ms <= now_ms)
		cut(t, at);
	else
		return *at;
	return NULL;
}

struct entry *
table_put(struct table *t, hostd_buf key, hostd_buf value, uint64_t expires_ms)
{
	struct entry *e = malloc(sizeof(*e) + key.n + value.n), **at;

	if (e == NULL)
		return NULL;
	e->hash = hash_of(t, key);
	e->expires_ms = expires_ms;
	e->key = (hostd_buf){ e->bytes, key.n };
	e->value = (hostd_buf){ e->bytes + key.n, value.n };
	memcpy(e->bytes, key.p, key.n);
	if (value.n > 0)
		memcpy(e->bytes + key.n, value.p, value.n);
	at = place_of(t, key, e->hash);
	if (*at != NULL)
		cut(t, at);
	e->next = *at;
	*at = e;
	if (++t->n > t->nbuckets)
		grow(t);
	return e;
}

void
table_remove(struct table *t, hostd_buf key)
{
	struct entry **at = place_of(t, key, hash_of(t, key));

	if (*at != NULL)
		cut(t, at);
}

void
table_sweep(struct table *t, size_t n, uint64_t now_ms)
{
	struct entry **at;

	for (; n > 0; n--) {
		t->swept = (t->swept + 1) & (t->nbuckets - 1);
		at = &t->buckets[t->swept];
		while (*at != NULL)
			if ((*at)->expires_ms <= now_ms)
				cut(t, at);
			else
				at = &(*at)->next;
	}
}
