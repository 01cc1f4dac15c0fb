/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: broken entry: struct_size 4096, but it has */
#include "plugin.h"

HOSTD_PLUGIN_ENTRY = { HOSTD_MAGIC, HOSTD_ABI_MAJOR, 0, 4096, BAD_REST };
