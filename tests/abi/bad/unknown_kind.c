/* SPDX-License-Identifier: BSD-2-Clause */
/* accepted: another plugin may offer it; if none does, that is said with the
 * configuration */
#include "plugin.h"

#undef BAD_KIND
#define BAD_KIND "gopher_route/1"
BAD_TABLES
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(provides) };
