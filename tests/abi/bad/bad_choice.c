/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: key "mode": the default "slow" is not a choice */
#include "plugin.h"

static const char *const choices[] = { "fast", "faster", NULL };
static const struct hostd_key key = { sizeof(key), HOSTD_KEY_ENUM, 0, "mode",
	"slow", "Help.", 0, 0, choices };
static const struct hostd_key *const keys[] = { &key, NULL };

#undef BAD_KEYS
#define BAD_KEYS keys
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST };
