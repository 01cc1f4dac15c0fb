/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: command "x": run is NULL */
#include "plugin.h"

BAD_COMMAND(0, "x", NULL, 0, 0, NULL)

#undef BAD_CMDS
#define BAD_CMDS cmds
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST };
