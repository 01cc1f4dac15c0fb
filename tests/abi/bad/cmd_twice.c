/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: command "x" is declared twice */
#include "plugin.h"

BAD_COMMAND(0, "x", NULL, 0, 0, bad_run)

static const struct hostd_cmd *const twice[] = { &cmd, &cmd, NULL };

#undef BAD_CMDS
#define BAD_CMDS twice
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST };
