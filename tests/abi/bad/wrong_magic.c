/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: its hostd_plugin_v1 starts with 0x21212121 instead of 0x48534431 */
#include "plugin.h"

HOSTD_PLUGIN_ENTRY = { 0x21212121u, HOSTD_ABI_MAJOR, 0,
	sizeof(struct hostd_plugin), BAD_REST };
