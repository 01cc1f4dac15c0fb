/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 64-bit names of objects: slot number and generation, so that a stale name
 * is noticed instead of followed.  A slot's generation grows each time it is
 * freed; a name is never given twice within 2^32 uses of one slot.
 */
#ifndef BASE_HANDLE_H
#define BASE_HANDLE_H

#include <stddef.h>
#include <stdint.h>

struct handle_slot {
	void *obj;		/* NULL: free */
	uint32_t gen;
	uint32_t next_free;
};

struct handle_table {
	struct handle_slot *slots;
	uint32_t nslots, first_free, nused;
	uint32_t max;		/* 0: no bound */
	uint64_t stale;		/* lookups that found nothing */
};

/* A new name for obj (not NULL), or 0 when max is reached. */
uint64_t handle_new(struct handle_table *, void *obj);
void	 handle_free(struct handle_table *, uint64_t id);
void	 handle_table_free(struct handle_table *);

/* The object, or NULL when the name is stale. */
static inline void *
handle_get(struct handle_table *t, uint64_t id)
{
	uint32_t i = (uint32_t)id, gen = (uint32_t)(id >> 32);

	if (i - 1 < t->nslots && t->slots[i - 1].gen == gen &&
	    t->slots[i - 1].obj != NULL)
		return t->slots[i - 1].obj;
	t->stale++;
	return NULL;
}

#endif
