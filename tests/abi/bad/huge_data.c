/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: http_route/1: data_size 65537, at most 65536 */
#include "plugin.h"

#undef BAD_DATA_SIZE
#define BAD_DATA_SIZE 65537u
BAD_TABLES
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(provides) };
