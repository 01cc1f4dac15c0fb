/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client stays with the server that it had first, by a cookie: one of ours,
 * which is signed, or one of the application's.  Others go to one server after
 * the other, by weight.
 */
#include <openssl/crypto.h>
#include <balance/request.h>
#include "sticky.h"

static int32_t
update(struct hostd_inst *in, void *d, const struct hostd_peer *const *peers)
{
	struct group *g = d;

	return in->learns ? servers_set(&g->servers, peers) :
	    tokens_make(in, g, peers);
}

static void
close_group(struct hostd_inst *in, void *d)
{
	struct group *g = d;

	(void)in;
	servers_free(&g->servers);
	free(g->tokens);
}

/* The index of the server that it sticks to; the number of servers: none. */
static uint32_t
stuck_to(struct hostd_inst *in, const struct group *g, hostd_buf cookie)
{
	uint64_t hash;
	uint32_t i;

	if (!in->learns)
		return tokens_find(g, cookie);
	if ((hash = learn_find(in, cookie)) == 0)
		return g->servers.n;
	for (i = 0; i < g->servers.n && g->servers.v[i].hash != hash; i++)
		;
	return i;
}

/* The first that names a server: one that does not is another path's, or
 * forged, and must not hide it. */
static int32_t
key(struct hostd_inst *in, void *d, const struct hostd_request *rq, char *room,
    hostd_buf *out)
{
	struct cookie_place at = { 0, { NULL, 0 } };
	const struct group *g = d;

	(void)room;
	while (cookie_next(rq, in->name, &at, out))
		if (out->n > 0 && stuck_to(in, g, *out) < g->servers.n)
			return HOSTD_OK;
	return HOSTD_PASS;
}

static int32_t
pick(struct hostd_inst *in, void *d, const struct hostd_pick *k, uint32_t *id)
{
	struct group *g = d;
	uint32_t i = k->key.p == NULL ? g->servers.n : stuck_to(in, g, k->key);

	/* One that drains takes its own still. */
	if (i < g->servers.n &&
	    (g->servers.v[i].flags & HOSTD_PEER_DOWN) == 0 &&
	    !hostd_is_tried(k, g->servers.v[i].id)) {
		*id = g->servers.v[i].id;
		return HOSTD_OK;
	}
	(void)servers_choose(&g->servers, k);
	return servers_turn(&g->servers, id);
}

static int32_t
cookie(struct hostd_inst *in, void *d, uint32_t id, const struct hostd_pick *k,
    char *room, size_t size, hostd_buf *out)
{
	struct group *g = d;
	const struct server *v = servers_find(&g->servers, id);
	uint32_t i;
	int n;

	if (in->learns || v == NULL)
		return HOSTD_PASS;
	i = (uint32_t)(v - g->servers.v);
	if (k->key.p != NULL && tokens_find(g, k->key) == i)
		return HOSTD_PASS;
	n = snprintf(room, size, "%s=%s%s", (const char *)in->name.p,
	    g->tokens[i], in->attributes);
	if (n < 0 || (size_t)n >= size)
		return HOSTD_E_FULL;
	out->p = room;
	out->n = (size_t)n;
	return HOSTD_OK;
}

static void
answered(struct hostd_inst *in, void *d, uint32_t id,
    const struct hostd_pick *k, int32_t status, const hostd_hdr *hdrs,
    uint32_t nhdrs)
{
	struct group *g = d;
	const struct server *v;

	(void)k;
	(void)status;
	if (in->learns && (v = servers_find(&g->servers, id)) != NULL)
		learn_answer(in, v, hdrs, nhdrs);
}

static void
destroy(struct hostd_inst *in)
{
	if (in->secret != NULL)
		OPENSSL_cleanse(in->secret, in->secret_len);
	free(in->secret);
	free(in->seen);
	free(in);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = NULL;
	int32_t rc;

	if ((rc = hostd_easy_create(sizeof(*in), host, &in, err)) != HOSTD_OK)
		return rc;
	if ((rc = sticky_configure(in, conf, err)) != HOSTD_OK) {
		destroy(in);
		return rc;
	}
	*out = in;
	return HOSTD_OK;
}

static int32_t
start(struct hostd_inst *in)
{
	return in->learns ? learn_start(in) : HOSTD_OK;
}

static const void *
get_ext(const char *id)
{
	return strcmp(id, HOSTD_P_STATE) == 0 ? &learn_state : NULL;
}

static const struct hostd_balancer_ops ops = {
	.struct_size = sizeof(ops), .data_size = sizeof(struct group),
	.update = update, .close = close_group, .key = key, .pick = pick,
	.cookie = cookie, .answered = answered,
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_BALANCER,
	.ops = &ops,
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0),
	.id = "sticky_cookie",
	.version = HOSTD_SDK_VERSION,
	.built_with = HOSTD_SDK_VERSION,
	.provides = provides,
	.keys = sticky_keys,
	.create = create,
	.start = start,
	.destroy = destroy,
	.get_ext = get_ext,
};
