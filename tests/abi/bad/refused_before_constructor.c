/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: built for ABI major 9, this host serves 1 */
#include "plugin.h"

__attribute__((constructor)) static void
crash(void)
{
	abort();
}

HOSTD_PLUGIN_ENTRY = { HOSTD_MAGIC, 9, 0, sizeof(struct hostd_plugin),
	BAD_REST };
