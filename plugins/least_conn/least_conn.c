/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server with the fewest requests and connections of the whole machine for
 * its weight; among equals one after the other.
 */
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
	struct servers *s = d;

	if (servers_choose(s, k) > 1) {
		hostd_peer_loads(in, d, s->ids, s->n, s->loads);
		servers_least(s);
	}
	return servers_turn(s, id);
}

HOSTD_EASY_BALANCER("least_conn", HOSTD_SDK_VERSION, sizeof(struct servers),
    update, close_group, pick)
