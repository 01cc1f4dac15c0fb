/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: provides gopher_route/1, which this host does not serve */
#include "plugin.h"

#undef BAD_KIND
#define BAD_KIND "gopher_route/1"
BAD_TABLES
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(provides) };
