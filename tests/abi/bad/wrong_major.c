/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: built for ABI major 2, this host serves 1 */
#include "plugin.h"

HOSTD_PLUGIN_ENTRY = { HOSTD_MAGIC, HOSTD_ABI_MAJOR + 1, 0,
	sizeof(struct hostd_plugin), BAD_REST };
