/* SPDX-License-Identifier: BSD-2-Clause */
/* What is in the table of limits now, for those who look after it. */
#ifndef LIMIT_USE_H
#define LIMIT_USE_H

#include "limit/table.h"

struct limit_use {
	uint64_t keys;		/* that have not drained, or have places */
	uint64_t taken;		/* places */
};

/* Of each zone.  Walks through all of the table. */
void	limit_uses(const struct limit_table *, uint64_t now_us,
	    struct limit_use uses[LIMIT_ZONES]);

/* Buckets that are empty again, whatever has come: all of a zone, or key's.
 * Returns how many had not drained. */
uint64_t limit_rates_forget(struct limit_table *, unsigned zone,
	    uint64_t now_us);
uint64_t limit_rate_forget(struct limit_table *, uint64_t key,
	    uint64_t now_us);

#endif
