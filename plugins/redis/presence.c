/* SPDX-License-Identifier: BSD-2-Clause */
#include <hostd/easy.h>
#include "presence.h"

void
redis_presence_declare(struct redis_presence *p,
    const struct hostd_host *host)
{
	static const struct hostd_dependency redis = { sizeof(redis), 0,
		"redis" };
	const struct hostd_health_api *health =
	    host->get_ext(host, HOSTD_EXT_HEALTH);

	p->host = host;
	if (health != NULL && HOSTD_HAS(health, set) && health->declare(host,
	    &redis, &p->dependency) == HOSTD_OK)
		p->health = health;
}

void
redis_presence_tell(const struct redis_presence *p, uint32_t state,
    const char *detail)
{
	if (p->health != NULL)
		(void)p->health->set(p->host, p->dependency, state,
		    hostd_str(detail));
}
