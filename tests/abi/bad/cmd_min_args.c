/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: command "x": min_args is above max_args */
#include "plugin.h"

BAD_COMMAND(0, "x", "A B", 2, 1, bad_run)

#undef BAD_CMDS
#define BAD_CMDS cmds
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST };
