/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: session_store/1: touch and del must be set */
#include "plugin.h"

#include <hostd/session_store.h>

static int32_t
get(struct hostd_inst *in, hostd_buf key, hostd_op op)
{
	(void)in, (void)key, (void)op;
	return HOSTD_OK;
}

static int32_t
set(struct hostd_inst *in, hostd_buf key, hostd_buf value, uint64_t ttl_ms,
    const hostd_buf *expect, hostd_op op)
{
	(void)in, (void)key, (void)value, (void)ttl_ms, (void)expect, (void)op;
	return HOSTD_OK;
}

static const struct hostd_session_store_ops ops = { sizeof(ops),
	0, 0, 0, get, set, NULL, get };
static const struct hostd_provide provide = { sizeof(provide), 0,
	HOSTD_KIND_SESSION_STORE, NULL, &ops, NULL };
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(3), BAD_REST_WITH(provides) };
