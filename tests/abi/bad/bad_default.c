/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: broken default: "size" must be a whole number, not "many" */
#include "plugin.h"

static const struct hostd_key key = { sizeof(key), HOSTD_KEY_INT, 0, "size",
	"many", "Help.", 1, 5, NULL };
static const struct hostd_key *const keys[] = { &key, NULL };

#undef BAD_KEYS
#define BAD_KEYS keys
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST };
