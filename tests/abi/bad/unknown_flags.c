/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: http_route/1: unknown flag bits 0x80000000 */
#include "plugin.h"

#undef BAD_FLAGS
#define BAD_FLAGS 0x80000001u
BAD_TABLES
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(provides) };
