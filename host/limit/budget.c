/* SPDX-License-Identifier: BSD-2-Clause */
#include "http/conn.h"
#include "limit/budget.h"
#include "limit/limits.h"

/* Of those who see it at the same time one makes the change. */
static int
look(struct limit_table *t, uint32_t flag, uint64_t have, uint64_t max,
    int resume, int *changed)
{
	uint32_t was = atomic_load_explicit(&t->head->shed,
	    memory_order_relaxed);

	*changed = 0;
	if (!(was & flag) && max > 0 && have > max) {
		was = atomic_fetch_or(&t->head->shed, flag);
		*changed = !(was & flag);
		return 1;
	}
	if ((was & flag) && (max == 0 ||
	    have <= max / 100 * (uint64_t)resume +
	    max % 100 * (uint64_t)resume / 100)) {
		was = atomic_fetch_and(&t->head->shed, ~flag);
		*changed = (was & flag) != 0;
		return 0;
	}
	return (was & flag) != 0;
}

int
budget_connections(struct limit_table *t, const struct conf_budget *b,
    uint64_t connections, int *changed)
{
	return look(t, LIMIT_SHED_CONNECTIONS, connections,
	    (uint64_t)b->max_connections, b->resume, changed);
}

int
budget_memory(struct limit_table *t, const struct conf_budget *b,
    uint64_t bytes, int *changed)
{
	atomic_store(&t->head->memory, bytes);
	return look(t, LIMIT_SHED_MEMORY, bytes, (uint64_t)b->max_memory,
	    b->resume, changed);
}

uint64_t
budget_count(const struct limit_table *t, const struct board *b)
{
	uint32_t c, n = atomic_load_explicit(&t->head->ncells,
	    memory_order_relaxed);
	uint64_t sum = 0;

	for (c = 0; c < n && c < BOARD_CELLS; c++)
		sum += atomic_load_explicit(&b->cells[c].active,
		    memory_order_relaxed);
	return sum;
}

int32_t
budget_enter(struct http_gate *gate, struct http_req *r)
{
	struct limit_gate *g = (struct limit_gate *)(void *)gate;
	struct limit_head *h = g->all->table->head;

	if (!r->conn->shed && !(atomic_load_explicit(&h->shed,
	    memory_order_relaxed) & LIMIT_SHED_MEMORY))
		return HOSTD_OK;
	atomic_fetch_add(&h->shed_reqs, 1);
	r->keepalive = 0;
	return limits_refuse(r, 503, g->all->budget->retry_after * 1000);
}
