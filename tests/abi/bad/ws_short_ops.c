/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: ws_handler/1: struct_size 40, expected 48 or more */
#include "ws.h"

#undef BAD_WS_SIZE
#define BAD_WS_SIZE offsetof(struct hostd_ws_ops, on_message)
BAD_WS_TABLES
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(provides) };
