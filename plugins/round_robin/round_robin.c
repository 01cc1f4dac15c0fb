/* SPDX-License-Identifier: BSD-2-Clause */
/* One server after the other, by weight. */
#include <hostd/easy.h>
#include <balance/servers.h>

static int32_t
update(struct hostd_inst *in, void *d, const struct hostd_peer *const *peers)
{
	(void)in;
	return servers_set(d, peers);
}

static void
close_group(struct hostd_inst *in, void *d)
{
	(void)in;
	servers_free(d);
}

static int32_t
pick(struct hostd_inst *in, void *d, const struct hostd_pick *k, uint32_t *id)
{
	(void)in;
	(void)servers_choose(d, k);
	return servers_turn(d, id);
}

HOSTD_EASY_BALANCER("round_robin", HOSTD_SDK_VERSION, sizeof(struct servers),
    update, close_group, pick)
