/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "base/handle.h"
#include "base/mem.h"

#define HANDLE_LEAST 64

/* Free slots form a list of index + 1; 0 ends it. */
static void
handle_grow(struct handle_table *t)
{
	uint32_t i, n = t->nslots > 0 ? t->nslots * 2 : HANDLE_LEAST;

	t->slots = xrealloc(t->slots, n * sizeof(*t->slots));
	for (i = n; i-- > t->nslots;) {
		t->slots[i].obj = NULL;
		t->slots[i].gen = 1;
		t->slots[i].next_free = t->first_free;
		t->first_free = i + 1;
	}
	t->nslots = n;
}

uint64_t
handle_new(struct handle_table *t, void *obj)
{
	struct handle_slot *s;
	uint32_t i;

	if (t->max != 0 && t->nused == t->max)
		return 0;
	if (t->first_free == 0)
		handle_grow(t);
	i = t->first_free;
	s = &t->slots[i - 1];
	t->first_free = s->next_free;
	t->nused++;
	s->obj = obj;
	return (uint64_t)s->gen << 32 | i;
}

void
handle_free(struct handle_table *t, uint64_t id)
{
	struct handle_slot *s;

	if (handle_get(t, id) == NULL)
		return;
	s = &t->slots[(uint32_t)id - 1];
	s->obj = NULL;
	if (++s->gen == 0)
		s->gen = 1;
	s->next_free = t->first_free;
	t->first_free = (uint32_t)id;
	t->nused--;
}

void
handle_table_free(struct handle_table *t)
{
	free(t->slots);
	memset(t, 0, sizeof(*t));
}
