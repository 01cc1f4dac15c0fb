/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether Redis is there, for the node's health (<hostd/health.h>). */
#ifndef REDIS_PRESENCE_H
#define REDIS_PRESENCE_H

#include <hostd/health.h>

struct redis_presence {
	const struct hostd_host *host;
	const struct hostd_health_api *health;	/* NULL: not served */
	uint32_t dependency;
};

/* In create. */
void	redis_presence_declare(struct redis_presence *,
	    const struct hostd_host *);
/* HOSTD_HEALTH_*, and why. */
void	redis_presence_tell(const struct redis_presence *, uint32_t state,
	    const char *detail);

#endif
