/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: balancer/1: unknown flag bits 0x1 */
#include "plugin.h"

#include <hostd/balancer.h>

static int32_t
update(struct hostd_inst *in, void *d, const struct hostd_peer *const *peers)
{
	(void)in, (void)d, (void)peers;
	return HOSTD_OK;
}

static int32_t
pick(struct hostd_inst *in, void *d, const struct hostd_pick *k, uint32_t *id)
{
	(void)in, (void)d, (void)k, (void)id;
	return HOSTD_E_FULL;
}

static const struct hostd_balancer_ops ops = { sizeof(ops), 1, 0, 0, update,
	NULL, NULL, pick, NULL, NULL, NULL };
static const struct hostd_provide provide = { sizeof(provide), 0,
	HOSTD_KIND_BALANCER, NULL, &ops, NULL };
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(provides) };
