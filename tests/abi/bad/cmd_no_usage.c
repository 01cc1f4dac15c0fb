/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: command "x": takes arguments, but has no usage */
#include "plugin.h"

BAD_COMMAND(0, "x", NULL, 0, 1, bad_run)

#undef BAD_CMDS
#define BAD_CMDS cmds
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST };
