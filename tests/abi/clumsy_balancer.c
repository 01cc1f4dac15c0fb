/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As clumsy.c, of balancers.
 *
 * 1	which is no server of the last update
 * 2	pick chose a server that is down
 * 3	pick chose a server that is in tried
 * 4	pick chose a server that is draining
 * 5	pick returned HOSTD_E_FULL though there was a server
 * 6	pick returned 2 instead of
 * 7	the d of a group
 * 8	memory lent to update
 * 9	from create to destroy leaks about
 * 10	without hostd.ws/1: a failed create leaks about
 * 11	is not the d of a group
 * 12	key returned HOSTD_OK and no key
 * 13	memory lent to key
 * 14	a control byte in the value
 * 15	memory lent to cookie
 * 16	groups         pick chose
 * 17	called load of hostd.balancer/1
 * 18	update of 1024 servers returned -4
 */
#include <hostd/easy.h>

#ifndef MISTAKE
#define MISTAKE 0
#endif
/* A constant, so that all of it is compiled, whichever is chosen. */
#define IS(n) (MISTAKE == (n))

struct hostd_inst {
	HOSTD_EASY_HEAD;
};

struct group {
	struct hostd_peer *peers;
	const struct hostd_peer *lent;
	uint32_t n;
};

static struct group *last_group;
static char *leak;

static int32_t
update(struct hostd_inst *in, void *d, const struct hostd_peer *const *peers)
{
	struct group *g = d;
	struct hostd_peer *v;
	uint32_t i, n = 0;

	(void)in;
	while (peers[n] != NULL)
		n++;
	if (IS(18) && n > 1000)
		return HOSTD_E_FULL;
	if ((v = calloc(n + 1, sizeof(*v))) == NULL)
		return HOSTD_E_NOMEM;
	for (i = 0; i < n; i++)
		v[i] = *peers[i];
	free(g->peers);
	g->peers = v;
	g->lent = peers[0];
	g->n = n;
	last_group = g;
	if (IS(7))
		((char *)d)[sizeof(*g) + 4096] = 1;
	return HOSTD_OK;
}

static void
close_group(struct hostd_inst *in, void *d)
{
	struct group *g = d;

	(void)in;
	if (!IS(9))
		free(g->peers);
}

static int32_t
key(struct hostd_inst *in, void *d, const struct hostd_request *rq, char *room,
    hostd_buf *out)
{
	(void)in, (void)d;
	if (rq->nheaders < 2 && !IS(12))
		return HOSTD_PASS;
	if (IS(13))
		room[HOSTD_BALANCER_ROOM + 16] = 1;
	if (IS(12))
		return HOSTD_OK;
	*out = rq->headers[1].value;
	return HOSTD_OK;
}

static int
may_be(const struct hostd_peer *p, const struct hostd_pick *k)
{
	if (!IS(2) && (p->flags & HOSTD_PEER_DOWN) != 0)
		return 0;
	if (!IS(4) && (p->flags & HOSTD_PEER_DRAINING) != 0)
		return 0;
	return IS(3) || !hostd_is_tried(k, p->id);
}

static int32_t
load_one(struct hostd_inst *in, const void *d, uint32_t id)
{
	const struct hostd_balancer_api *api = in->easy.balancer;
	hostd_peer_load load;

	if (api == NULL || (!IS(17) && !HOSTD_HAS(api, load)))
		return HOSTD_OK;
	return api->load(in->easy.host, IS(11) ? in : d, &id, 1, &load);
}

static int32_t
pick(struct hostd_inst *in, void *d, const struct hostd_pick *k, uint32_t *id)
{
	struct group *g = IS(16) && last_group != NULL ? last_group : d;
	uint32_t i;

	if (IS(5) && k->ntried > 2)
		return HOSTD_E_FULL;
	if (IS(6))
		return HOSTD_DEFER;
	if (IS(8) && g->n > 0 && g->lent->id == 0)
		return HOSTD_E_FULL;
	if (IS(10))
		leak = malloc(100);
	for (i = 0; i < g->n; i++)
		if (may_be(&g->peers[i], k)) {
			*id = IS(1) ? i + 1 : g->peers[i].id;
			return load_one(in, d, *id);
		}
	return HOSTD_E_FULL;
}

static int32_t
cookie(struct hostd_inst *in, void *d, uint32_t id, const struct hostd_pick *k,
    char *room, size_t size, hostd_buf *out)
{
	int n = snprintf(room, size, "clumsy=%u", id);

	(void)in, (void)d;
	if (IS(14))
		room[3] = '\n';
	if (IS(15))
		room[size + 16] = 1;
	if (k->key.p != NULL)
		return HOSTD_PASS;
	out->p = room;
	out->n = (size_t)n;
	return HOSTD_OK;
}

static const struct hostd_balancer_ops ops = {
	.struct_size = sizeof(ops),
	.data_size = sizeof(struct group),
	.update = update,
	.close = close_group,
	.key = key,
	.pick = pick,
	.cookie = cookie,
};

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	(void)conf;
	return hostd_easy_create(sizeof(struct hostd_inst), host, out, err);
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_provide provide = {
	.struct_size = sizeof(provide),
	.kind = HOSTD_KIND_BALANCER,
	.ops = &ops,
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0),
	.id = "clumsy_balancer",
	.version = "1.0",
	.built_with = HOSTD_SDK_VERSION,
	.provides = provides,
	.create = create,
	.destroy = destroy,
};
