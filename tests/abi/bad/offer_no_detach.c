/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: hostd.p.offer/1: words/1: attach and detach must be set */
#include <hostd/offer.h>

#include "plugin.h"

static int32_t
attach(struct hostd_inst *in, hostd_user user,
    const struct hostd_user_info *info, const void **table,
    struct hostd_err *err)
{
	(void)in, (void)user, (void)info, (void)table;
	return hostd_fail(err, HOSTD_E_FULL, "no seat");
}

static HOSTD_UNUSED void
detach(struct hostd_inst *in, hostd_user user)
{
	(void)in, (void)user;
}

static const struct hostd_offer offer = { sizeof(offer), 0, "words/1", NULL,
	attach, NULL };
static const struct hostd_offer *const offers[] = { &offer, NULL };
static const struct hostd_p_offer p_offer = { sizeof(p_offer), 0, offers };

static const void *
get_ext(const char *id)
{
	return strcmp(id, HOSTD_P_OFFER) == 0 ? &p_offer : NULL;
}

#undef BAD_GET_EXT
#define BAD_GET_EXT get_ext
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(5), BAD_REST };
