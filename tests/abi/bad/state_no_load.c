/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: hostd.p.state/1: save and load must be set */
#include "plugin.h"

static int32_t
save(struct hostd_inst *in, int32_t (*put)(void *, hostd_buf), void *arg)
{
	(void)in, (void)put, (void)arg;
	return HOSTD_OK;
}

static const struct hostd_p_state state = { sizeof(state), 1, save, NULL };

static const void *
get_ext(const char *id)
{
	return strcmp(id, HOSTD_P_STATE) == 0 ? &state : NULL;
}

#undef BAD_GET_EXT
#define BAD_GET_EXT get_ext
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST };
