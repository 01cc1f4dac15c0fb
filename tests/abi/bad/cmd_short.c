/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: broken command: struct_size 40, expected 48 or more */
#include "plugin.h"

static const struct hostd_cmd cmd = { 40, 0, "x", NULL, NULL, 0, 0, NULL };
static const struct hostd_cmd *const cmds[] = { &cmd, NULL };

#undef BAD_CMDS
#define BAD_CMDS cmds
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST };
