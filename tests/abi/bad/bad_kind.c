/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: broken provide: kind must be NAME/NUMBER */
#include "plugin.h"

#undef BAD_KIND
#define BAD_KIND "gopher_route"
BAD_TABLES
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(provides) };
