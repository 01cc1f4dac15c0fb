/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: http_route/1: its route must start with "/" */
#include "plugin.h"

#undef BAD_ROUTE
#define BAD_ROUTE "bad"
BAD_TABLES
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(provides) };
