/* SPDX-License-Identifier: BSD-2-Clause */
/* accepted: moved came later, and is not there to be called */
/* check: 0 failed */
#include "ws.h"

static void
never(struct hostd_inst *in, hostd_ws ws, void *d)
{
	(void)in, (void)ws, (void)d;
	abort();
}

BAD_WS_TABLES
HOSTD_WS_STATE_PLAIN(1, ops)
static const struct hostd_p_ws_state older = {
	offsetof(struct hostd_p_ws_state, moved), 1, hostd_ws_plain_save,
	hostd_ws_plain_load, never
};

static const void *
get_ext(const char *id)
{
	return strcmp(id, HOSTD_P_WS_STATE) == 0 ? &older : NULL;
}

#undef BAD_GET_EXT
#define BAD_GET_EXT get_ext
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(provides) };
