/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: ws_handler/1: data_size 65537, at most 65536 */
#include "ws.h"

#undef BAD_WS_DATA_SIZE
#define BAD_WS_DATA_SIZE 65537u
BAD_WS_TABLES
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(provides) };
