/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What plugins depend on, as the workers' cells of the board say it, and
 * whether workers turn.
 */
#ifndef BASE_DEPENDENCY_H
#define BASE_DEPENDENCY_H

#include <stddef.h>
#include <stdint.h>
#include "base/board.h"

#define DEPENDENCIES_MAX	128		/* dependencies of a node */
#define BOARD_STILL_MS	10000		/* a loop that has not turned for so
					   long: the master should have ended
					   it */

/* The values of HOSTD_HEALTH_* of the SDK. */
#define DEPENDENCY_UNKNOWN	0u
#define DEPENDENCY_UP	1u
#define DEPENDENCY_DOWN	2u
#define DEPENDENCY_UNUSED	3u

struct dependency {
	uint32_t flags;			/* BOARD_DEPENDENCY_* */
	uint32_t state;			/* HEALTH_* */
	uint64_t since_ms;
	char name[32], plugin[64], detail[128];
};

/* -- a worker's own -- */

/* One more of that cell; NULL: there is no room. */
struct board_dependency *dependency_declare(struct board_cell *,
	    const char *name, const char *plugin, int is_required);
/* detail: n bytes at most what fits is kept of. */
void	dependency_set(struct board_dependency *, uint32_t state,
	    const char *detail, size_t n);

/* -- the node's -- */

/*
 * What all workers say together: down when one that serves says so, else up
 * when one does.  Workers that start or drain are asked when no other is there.
 * Returns how many of out there are.
 */
size_t	dependencies_sum(const struct board *,
	    struct dependency out[DEPENDENCIES_MAX]);
/* How many workers are ready; *is_alive: no pool has only ones that stand
 * still. */
unsigned board_serving(const struct board *, int *is_alive);

#endif
