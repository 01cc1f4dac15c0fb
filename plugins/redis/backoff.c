/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/random.h>
#include "backoff.h"

uint64_t
backoff_next(struct backoff *b, uint64_t max_ms)
{
	uint64_t limit = max_ms, random;

	if (b->attempts < 32 &&
	    (uint64_t)BACKOFF_FIRST_MS << b->attempts < max_ms)
		limit = (uint64_t)BACKOFF_FIRST_MS << b->attempts;
	if (b->attempts < 32)
		b->attempts++;
	/* Too early in the life of the machine: then it is all of it. */
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(random))
		return limit;
	return random % (limit + 1);
}
