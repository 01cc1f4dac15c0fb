/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: hostd.p.ws_state/1: save and load must be set */
#include "ws.h"

static const struct hostd_p_ws_state state = {
	sizeof(state), 1, NULL, NULL, NULL
};

static const void *
get_ext(const char *id)
{
	return strcmp(id, HOSTD_P_WS_STATE) == 0 ? &state : NULL;
}

#undef BAD_GET_EXT
#define BAD_GET_EXT get_ext
BAD_WS_TABLES
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(provides) };
