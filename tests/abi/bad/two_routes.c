/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: provides http_route/1 twice; one of a kind */
#include "plugin.h"

static const struct hostd_provide second = {
	sizeof(second), 0, HOSTD_KIND_HTTP_ROUTE, "second", &bad_ops, "/second"
};
static const struct hostd_provide *const both[] = { &bad_provide, &second,
	NULL };

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(both) };
