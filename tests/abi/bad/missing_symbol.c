/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: unresolved symbol `not_to_be_found` (link with -Wl,-z,defs */
#include "plugin.h"

int32_t not_to_be_found(struct hostd_inst *, hostd_req, void *);

#undef BAD_ON_HEADERS
#define BAD_ON_HEADERS not_to_be_found
BAD_TABLES
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(provides) };
