/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: needs ABI 1.999, this host serves 1. */
#include "plugin.h"

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(999), BAD_REST };
