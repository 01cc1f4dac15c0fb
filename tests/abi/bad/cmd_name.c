/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: broken command: its name must be 1-63 of [a-z0-9_] */
#include "plugin.h"

BAD_COMMAND(0, "Purge", NULL, 0, 0, bad_run)

#undef BAD_CMDS
#define BAD_CMDS cmds
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST };
