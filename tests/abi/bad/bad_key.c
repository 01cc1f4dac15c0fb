/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: key "twice" is declared twice */
#include "plugin.h"

static const struct hostd_key key = { sizeof(key), HOSTD_KEY_INT, 0, "twice",
	"1", "Help.", 0, 0, NULL };
static const struct hostd_key *const keys[] = { &key, &key, NULL };

#undef BAD_KEYS
#define BAD_KEYS keys
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST };
