/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: broken entry: struct_size 40 */
#include "plugin.h"

HOSTD_PLUGIN_ENTRY = { HOSTD_MAGIC, HOSTD_ABI_MAJOR, 0, 40, BAD_REST };
