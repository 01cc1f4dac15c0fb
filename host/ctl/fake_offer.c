/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.offer/1: nobody uses what is offered, so every user is stale. */
#include <stddef.h>

#include "ctl/fake.h"

static struct hostd_inst *
offer_enter(const struct hostd_host *host, hostd_user user)
{
	(void)fake_called(host, "enter of " HOSTD_EXT_OFFER);
	(void)user;
	return NULL;
}

static void
offer_leave(const struct hostd_host *host, hostd_user user)
{
	(void)fake_called(host, "leave of " HOSTD_EXT_OFFER);
	check_fail("called leave of " HOSTD_EXT_OFFER " with user %llu, which "
	    "it has not entered", (unsigned long long)user.id);
}

const struct hostd_offer_api fake_offer_api = {
    .struct_size = sizeof(struct hostd_offer_api),
    .enter = offer_enter,
    .leave = offer_leave,
};
