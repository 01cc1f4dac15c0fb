/* SPDX-License-Identifier: BSD-2-Clause */
/* accepted: a host finds out only by calling it */
/* check: crashed with SIGABRT, while in create */
#include "plugin.h"

static int32_t
crash(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	(void)host, (void)conf, (void)out, (void)err;
	abort();
}

#undef BAD_CREATE
#define BAD_CREATE crash
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST };
