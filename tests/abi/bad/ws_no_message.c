/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: ws_handler/1: on_message is NULL */
#include "ws.h"

#undef BAD_WS_MESSAGE
#define BAD_WS_MESSAGE NULL
BAD_WS_TABLES
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(provides) };
