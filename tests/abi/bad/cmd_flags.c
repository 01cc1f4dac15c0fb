/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: command "x": unknown flag bits 0x8 */
#include "plugin.h"

BAD_COMMAND(8, "x", NULL, 0, 0, bad_run)

#undef BAD_CMDS
#define BAD_CMDS cmds
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST };
