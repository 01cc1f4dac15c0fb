/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: command "x": usage must be 1-200 printable bytes */
#include "plugin.h"

BAD_COMMAND(0, "x", "two\nlines", 0, 1, bad_run)

#undef BAD_CMDS
#define BAD_CMDS cmds
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST };
