/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: broken entry: create is NULL */
#include "plugin.h"

#undef BAD_CREATE
#define BAD_CREATE NULL
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST };
