/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "master/slot.h"

void
pools_init(
    struct pools *all, struct children *children, const struct pools_ops *ops)
{
	TAILQ_INIT(&all->list);
	all->children = children;
	all->ops = ops;
	all->stopping = 0;
}

struct pool *
pools_get(struct pools *all, const char *name, int create)
{
	struct pool *p;

	TAILQ_FOREACH (p, &all->list, link)
		if (strcmp(p->name, name) == 0)
			return p;
	if (!create)
		return NULL;
	p = xcalloc(1, sizeof(*p));
	p->all = all;
	p->name = xstrdup(name);
	TAILQ_INIT(&p->slots);
	TAILQ_INSERT_TAIL(&all->list, p, link);
	return p;
}

void
pools_forget_stopped(struct pools *all)
{
	struct pool *p, *next;

	for (p = TAILQ_FIRST(&all->list); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		p->stopped = 0;
		pool_forget(p);
	}
}

void
pool_forget(struct pool *p)
{
	if (!TAILQ_EMPTY(&p->slots) || p->target > 0 || p->stopped)
		return;
	TAILQ_REMOVE(&p->all->list, p, link);
	free(p->name);
	free(p);
}

struct slot *
pool_slot(struct pool *p, uint32_t index)
{
	struct slot *s;

	TAILQ_FOREACH (s, &p->slots, link)
		if (s->index == index && !s->retiring)
			return s;
	return NULL;
}

void
pool_set_drained(struct pool *p, uint32_t index, int is)
{
	uint8_t bit = (uint8_t)(1U << index % 8);

	if (index >= POOL_PLACES)
		return;
	if (is)
		p->drained[index / 8] |= bit;
	else
		p->drained[index / 8] &= (uint8_t)~bit;
}

int
pool_is_drained(const struct pool *p, uint32_t index)
{
	return index < POOL_PLACES &&
	    (p->drained[index / 8] >> index % 8 & 1) != 0;
}
