/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All generations that there are: the one that serves, those that some process
 * still uses, and a few to go back to.
 */
#ifndef MASTER_GENERATIONS_H
#define MASTER_GENERATIONS_H

#include <jansson.h>
#include <stdint.h>

struct generation;
struct master;

/* NULL: it is not kept. */
struct generation *generations_find(const struct master *, uint32_t n);
/*
 * Where going back from g leads: what served before it, or what is nearest to
 * that and has not failed.  NULL: nowhere.
 */
struct generation *generations_before(const struct master *,
	    const struct generation *g);
/* Another one serves now. */
void	generations_serve(struct master *, struct generation *);
/* g was taken back. */
void	generation_fail(struct generation *, const char *why);
/* Free those that nobody uses and nobody would go back to. */
void	generations_prune(struct master *);

/*
 * By number, the latest first: [{"generation": 3, "state": "serving",
 * "made_ms": ..., "served_ms": ..., "workers": 4, "plugins": [{"name":,
 * "file":, "hash":}], "changes": [...], "failed": "why"}]
 */
json_t	*generations_json(const struct master *);

#endif
