/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: ws_handler/1: unknown flag bits 0x80000000 */
#include "ws.h"

#undef BAD_WS_FLAGS
#define BAD_WS_FLAGS (HOSTD_WS_FRAGMENTS | 0x80000000u)
BAD_WS_TABLES
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(provides) };
