/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the whole node may have: connections and memory.  Above it, new requests
 * are turned away until there is less again than a part of it, but not those of
 * routes with shed = off.  Of connections, only those that come meanwhile are.
 */
#ifndef LIMIT_BUDGET_H
#define LIMIT_BUDGET_H

#include "base/board.h"
#include "config/model.h"
#include "http/gate.h"
#include "limit/table.h"

/* One more has come, or time has passed: whether those that come are turned
 * away now.  *changed: that is new, and we are the one to say so. */
int	budget_connections(struct limit_table *, const struct conf_budget *,
	    uint64_t connections, int *changed);
/* The master's: the same of memory. */
int	budget_memory(struct limit_table *, const struct conf_budget *,
	    uint64_t bytes, int *changed);
/* Of all workers. */
uint64_t budget_count(const struct limit_table *, const struct board *);

/* A gate that answers 503. */
int32_t	budget_enter(struct http_gate *, struct http_req *);

#endif
