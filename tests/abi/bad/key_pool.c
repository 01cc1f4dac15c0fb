/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: key "pool": the host has one of that name */
#include "plugin.h"

static const struct hostd_key key = { sizeof(key), HOSTD_KEY_STRING, 0,
	"pool", NULL, "Help.", 0, 0, NULL };
static const struct hostd_key *const keys[] = { &key, NULL };

#undef BAD_KEYS
#define BAD_KEYS keys
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST };
