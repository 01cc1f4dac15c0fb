/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: broken entry: id must be 1-63 of [a-z0-9_] */
#include "plugin.h"

#undef BAD_ID
#define BAD_ID "../../etc"
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST };
