/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * By the client's address, as nginx has it: the first three bytes of an IPv4
 * address, all of an IPv6 one, and the very same numbers, so that clients stay
 * where an nginx in front of the same servers has sent them.
 */
#include <hostd/easy.h>
#include <balance/servers.h>

#define BEGIN	89u
#define FACTOR	113u
#define MODULUS	6271u
#define TRIES	20	/* then it is round robin's */

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

/* Those that are down keep their place, and backups have none. */
static uint32_t
total_weight(const struct servers *s)
{
	uint32_t i, total = 0;

	for (i = 0; i < s->n; i++)
		if ((s->v[i].flags & HOSTD_PEER_BACKUP) == 0)
			total += s->v[i].weight;
	return total;
}

static const struct server *
server_at(const struct servers *s, uint32_t at)
{
	uint32_t i;

	for (i = 0; i < s->n; i++) {
		if ((s->v[i].flags & HOSTD_PEER_BACKUP) != 0)
			continue;
		if (at < s->v[i].weight)
			return &s->v[i];
		at -= s->v[i].weight;
	}
	return NULL;
}

/* A client without an address counts as 0.0.0.0. */
static uint32_t
next_hash(uint32_t hash, hostd_buf client)
{
	static const unsigned char none[3];
	const unsigned char *p = client.n == 0 ? none : client.p;
	size_t i, n = client.n == 16 ? 16 : 3;

	for (i = 0; i < n; i++)
		hash = (hash * FACTOR + p[i]) % MODULUS;
	return hash;
}

static int32_t
pick(struct hostd_inst *in, void *d, const struct hostd_pick *k, uint32_t *id)
{
	struct servers *s = d;
	uint32_t total = total_weight(s), hash = BEGIN;
	const struct server *v;
	int i;

	(void)in;
	if (servers_choose(s, k) == 0)
		return HOSTD_E_FULL;
	for (i = 0; i <= TRIES && total > 0; i++) {
		hash = next_hash(hash, k->client);
		v = server_at(s, hash % total);
		if (v != NULL && v->chosen) {
			*id = v->id;
			return HOSTD_OK;
		}
	}
	return servers_turn(s, id);
}

HOSTD_EASY_BALANCER("ip_hash", HOSTD_SDK_VERSION, sizeof(struct servers),
    update, close_group, pick)
