/* SPDX-License-Identifier: BSD-2-Clause */
/* How long to wait before the next attempt: any time up to a limit that
 * doubles, so that those who have lost their server at the same time do not
 * come back at the same time. */
#ifndef REDIS_BACKOFF_H
#define REDIS_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MS 100

struct backoff {
	unsigned attempts;	/* in a row; 0: it has worked */
};

uint64_t backoff_next(struct backoff *, uint64_t max_ms);

#endif
