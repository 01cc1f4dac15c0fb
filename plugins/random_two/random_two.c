/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two servers at random, by weight, and of them the one with the fewer requests
 * for its weight.  Nearly as even as least_conn, and where several machines
 * balance at once they do not all run to the same server.
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

/* One of the chosen, by what they take; it is not chosen any more. */
static struct server *
draw(struct servers *s, uint64_t random)
{
	uint64_t total = 0, at;
	uint32_t i;

	for (i = 0; i < s->n; i++)
		total += s->v[i].chosen ? s->v[i].takes : 0;
	if (total == 0)
		return NULL;
	at = random % total;
	for (i = 0; i < s->n; i++) {
		if (!s->v[i].chosen)
			continue;
		if (at < s->v[i].takes)
			break;
		at -= s->v[i].takes;
	}
	s->v[i].chosen = 0;
	return &s->v[i];
}

static int32_t
pick(struct hostd_inst *in, void *d, const struct hostd_pick *k, uint32_t *id)
{
	struct server *a, *b;
	hostd_peer_load load[2];
	uint32_t ids[2];

	(void)servers_choose(d, k);
	if ((a = draw(d, k->random)) == NULL)
		return HOSTD_E_FULL;
	*id = a->id;
	if ((b = draw(d, hash_mix(k->random))) == NULL)
		return HOSTD_OK;
	ids[0] = a->id;
	ids[1] = b->id;
	hostd_peer_loads(in, d, ids, 2, load);
	if (load[1].inflight * a->takes < load[0].inflight * b->takes)
		*id = b->id;
	return HOSTD_OK;
}

HOSTD_EASY_BALANCER("random_two", HOSTD_SDK_VERSION, sizeof(struct servers),
    update, close_group, pick)
