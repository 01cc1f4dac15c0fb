/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: key "rule": a block without keys */
#include "plugin.h"

static const struct hostd_key key = { sizeof(key), HOSTD_KEY_BLOCK, 0, "rule",
	NULL, "Help.", 0, 0, NULL };
static const struct hostd_key *const keys[] = { &key, NULL };

#undef BAD_KEYS
#define BAD_KEYS keys
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(5), BAD_REST };
