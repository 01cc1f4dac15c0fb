/* SPDX-License-Identifier: BSD-2-Clause */
/* accepted: what it needs is another plugin's */
/* check: words.desk/1 is what another plugin gives it, so no more of it can be tried: no desk */
#include "plugin.h"

static int32_t
needy_create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	if (host->get_ext(host, "words.desk/1") == NULL)
		return hostd_fail(err, HOSTD_E_NOTSUP, "no desk");
	return bad_create(host, conf, out, err);
}

#undef BAD_CREATE
#define BAD_CREATE needy_create
#undef BAD_KIND
#define BAD_KIND "words/1"
BAD_TABLES
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(provides) };
