/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: http_route/1: struct_size 16, expected 24 or more */
#include "plugin.h"

#undef BAD_OPS_SIZE
#define BAD_OPS_SIZE 16u
BAD_TABLES
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(provides) };
