/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A balancer that tries something new on few: the last server of its upstream
 * gets `percent` of the requests, and all that say "X-Canary: yes"; the others
 * share the rest at random.
 *
 *	plugin "canary" { module = "canary_balancer.so"  percent = 5 }
 *	upstream "app" {
 *		balancer = "canary"
 *		server "10.0.0.1:3000" { }
 *		server "10.0.0.2:3000" { }
 *		server "10.0.0.3:3000" { }	# the new version
 *	}
 */
#include <hostd/easy.h>
#include <strings.h>

struct hostd_inst {
	HOSTD_EASY_HEAD;
	uint64_t percent;
};

/* One group: ids of its servers; 0 in place of one that can't be had now. */
struct group {
	uint32_t *ids;
	uint32_t n;
};

static int32_t
update(struct hostd_inst *in, void *d, const struct hostd_peer *const *peers)
{
	const uint32_t not_now = HOSTD_PEER_DOWN | HOSTD_PEER_DRAINING;
	struct group *g = d;
	uint32_t i, n = 0, *ids;

	(void)in;
	while (peers[n] != NULL)
		n++;
	if ((ids = calloc(n + 1, sizeof(*ids))) == NULL)
		return HOSTD_E_NOMEM;
	for (i = 0; i < n; i++)
		ids[i] = (peers[i]->flags & not_now) == 0 ? peers[i]->id : 0;
	free(g->ids);
	g->ids = ids;
	g->n = n;
	return HOSTD_OK;
}

static void
close_group(struct hostd_inst *in, void *d)
{
	struct group *g = d;

	(void)in;
	free(g->ids);
}

/* A key for those that ask for it: pick sees the key, not the request. */
static int32_t
key(struct hostd_inst *in, void *d, const struct hostd_request *rq, char *room,
    hostd_buf *out)
{
	uint32_t i;

	(void)in, (void)d, (void)room;
	for (i = 0; i < rq->nheaders; i++)
		if (rq->headers[i].name.n == 8 &&
		    strncasecmp(rq->headers[i].name.p, "X-Canary", 8) == 0) {
			*out = rq->headers[i].value;
			return HOSTD_OK;
		}
	return HOSTD_PASS;
}

static int
may_be(const struct group *g, const struct hostd_pick *k, uint32_t i)
{
	return g->ids[i] != 0 && !hostd_is_tried(k, g->ids[i]);
}

static int
wants_canary(const struct hostd_inst *in, const struct hostd_pick *k)
{
	if (k->key.n == 3 && memcmp(k->key.p, "yes", 3) == 0)
		return 1;
	return (k->random >> 32) % 100 < in->percent;
}

static int32_t
pick(struct hostd_inst *in, void *d, const struct hostd_pick *k, uint32_t *id)
{
	struct group *g = d;
	uint32_t others = g->n - 1, from, i, at;

	if (g->n == 0)
		return HOSTD_E_FULL;
	from = others == 0 ? 0 : (uint32_t)(k->random % others);
	if (wants_canary(in, k) && may_be(g, k, others)) {
		*id = g->ids[others];
		return HOSTD_OK;
	}
	/* The canary comes last: for when there is no other. */
	for (i = 0; i <= others; i++) {
		at = i == others ? others : (from + i) % others;
		if (may_be(g, k, at)) {
			*id = g->ids[at];
			return HOSTD_OK;
		}
	}
	return HOSTD_E_FULL;
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = NULL;
	int64_t percent = 0;
	int32_t rc;

	if ((rc = hostd_easy_create(sizeof(*in), host, &in, err)) != HOSTD_OK)
		return rc;
	(void)conf->get_int(conf, "percent", &percent);
	in->percent = (uint64_t)percent;
	*out = in;
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_key percent_key = {
	.struct_size = sizeof(percent_key),
	.type = HOSTD_KEY_INT,
	.name = "percent",
	.dflt = "1",
	.help = "How many of a hundred requests the last server gets.",
	.max = 100,
};
static const struct hostd_key *const keys[] = { &percent_key, NULL };

static const struct hostd_balancer_ops ops = {
	.struct_size = sizeof(ops),
	.data_size = sizeof(struct group),
	.update = update,
	.close = close_group,
	.key = key,
	.pick = pick,
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide),
	.kind = HOSTD_KIND_BALANCER,
	.ops = &ops,
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(2),	/* balancers are served since minor 2 */
	.id = "canary_balancer",
	.version = "1.0",
	.built_with = HOSTD_SDK_VERSION,
	.provides = provides,
	.keys = keys,
	.create = create,
	.destroy = destroy,
};
