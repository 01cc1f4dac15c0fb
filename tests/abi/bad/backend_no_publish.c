/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: pubsub_backend/1: publish is NULL */
#include "plugin.h"

#include <hostd/pubsub.h>

static int32_t
listen_to(struct hostd_inst *in, hostd_buf channel, int32_t on)
{
	(void)in, (void)channel, (void)on;
	return HOSTD_OK;
}

static const struct hostd_pubsub_ops ops = { sizeof(ops), 0, 0, 0, NULL,
	listen_to };
static const struct hostd_provide provide = { sizeof(provide), 0,
	HOSTD_KIND_PUBSUB_BACKEND, NULL, &ops, NULL };
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(provides) };
