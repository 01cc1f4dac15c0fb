/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: hostd.p.state/1: struct_size 16, expected 24 or more */
#include "plugin.h"

static const struct hostd_p_state state = {
	offsetof(struct hostd_p_state, load), 1, NULL, NULL
};

static const void *
get_ext(const char *id)
{
	return strcmp(id, HOSTD_P_STATE) == 0 ? &state : NULL;
}

#undef BAD_GET_EXT
#define BAD_GET_EXT get_ext
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST };
