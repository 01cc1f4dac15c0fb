/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: blocks in blocks, more than 4 deep */
#include "plugin.h"

static const struct hostd_key *const keys[];
static const struct hostd_key_block rule = {
	{ sizeof(rule), HOSTD_KEY_BLOCK, 0, "rule", NULL, "Help.", 0, 0, NULL },
	keys
};
static const struct hostd_key *const keys[] = { &rule.key, NULL };

#undef BAD_KEYS
#define BAD_KEYS keys
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(5), BAD_REST };
