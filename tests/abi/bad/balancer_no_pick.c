/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: balancer/1: pick is NULL */
#include "plugin.h"

#include <hostd/balancer.h>

static int32_t
update(struct hostd_inst *in, void *d, const struct hostd_peer *const *peers)
{
	(void)in, (void)d, (void)peers;
	return HOSTD_OK;
}

static const struct hostd_balancer_ops ops = { sizeof(ops), 0, 0, 0, update,
	NULL, NULL, NULL, NULL, NULL, NULL };
static const struct hostd_provide provide = { sizeof(provide), 0,
	HOSTD_KIND_BALANCER, NULL, &ops, NULL };
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(provides) };
