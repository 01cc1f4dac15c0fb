/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: loading it crashed with SIGABRT */
#include "plugin.h"

__attribute__((constructor)) static void
crash(void)
{
	abort();
}

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST };
