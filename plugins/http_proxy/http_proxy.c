/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_proxy: requests go to the servers of an upstream block, and their
 * answers come back.  The host picks servers, keeps connections and reads what
 * they say (hostd.fetch/1); here is what happens to heads and bodies between
 * the two sides.
 */
#include <errno.h>
#include "exchange.h"
#include "text.h"
#include "via.h"

/* Per request, the host's: */
struct slot {
	struct exchange *x;
};

static void
name_request(struct exchange *x, const struct hostd_request *q)
{
	const struct settings *s = &x->in->settings;
	hostd_buf came = { NULL, 0 };

	if (s->request_id == IDS_OFF)
		return;
	if (s->request_id == IDS_PASS)
		came = text_header(q->headers, q->nheaders, "x-request-id");
	if (request_id_is_sound(came)) {
		memcpy(x->id, came.p, came.n);
		x->nid = came.n;
	} else
		x->nid = request_id_make(&x->in->ids, x->id);
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *q = hostd_request_of(in, req);
	struct slot *slot = d;
	struct exchange *x;
	int32_t rc;
	int done;

	if (q == NULL)
		return HOSTD_E_GONE;
	if ((x = exchange_new(in, req)) == NULL)
		return HOSTD_E_FULL;
	slot->x = x;
	name_request(x, q);
	x->has_body = q->content_length != 0;
	x->body_done = !x->has_body;
	x->upgrade = (uint8_t)forward_may_upgrade(in, q);
	if (in->settings.via.n > 0 &&
	    via_hops(q, in->settings.via) >= VIA_HOPS_MAX)
		return exchange_fail(x, 508, hostd_str("it goes round in a "
		    "circle, says its Via"));
	rc = cached_ask(x, q, &done);
	if (done)
		return rc;
	if (x->has_body && in->settings.request_buffering) {
		x->collecting = 1;
		return HOSTD_DEFER;
	}
	return exchange_ask(x, q->content_length);
}

static int32_t
on_body(struct hostd_inst *in, hostd_req req, void *d, hostd_buf part,
    int32_t fin)
{
	struct slot *slot = d;

	(void)in;
	(void)req;
	return upload_part(slot->x, part, fin);
}

static void
on_writable(struct hostd_inst *in, hostd_req req, void *d)
{
	struct slot *slot = d;

	(void)in;
	(void)req;
	if (!slot->x->finished)
		download_more(slot->x);
	else
		cache_writable(&slot->x->cache);
}

static void
on_end(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	struct slot *slot = d;
	struct exchange *x = slot->x;

	(void)in;
	(void)req;
	(void)why;
	if (x == NULL)
		return;
	cache_end(&x->cache);
	x->req.id = 0;
	x->unwanted = 1;
	/* What goes through a tunnel is no business of the request's. */
	if (!x->tunnel && !exchange_outlives(x))
		exchange_drop(x);
	download_forget(x);
	exchange_release(x);
}

/* -- life -- */

static void
destroy(struct hostd_inst *in)
{
	cache_destroy(in->cache);
	settings_free(&in->settings);
	exchanges_free(in);
	gzip_pool_free(&in->gzips);
	free(in);
}

static int32_t
set_up(struct hostd_inst *in, const struct hostd_host *host,
    const struct hostd_conf *conf, struct hostd_err *err)
{
	int32_t rc;

	in->fetch = host->get_ext(host, HOSTD_EXT_FETCH);
	in->auth = host->get_ext(host, HOSTD_EXT_AUTH);
	if (in->auth != NULL && (!HOSTD_HAS(in->auth, user) ||
	    !HOSTD_HAS(in->auth, claim)))
		in->auth = NULL;
	in->tls = host->get_ext(host, HOSTD_EXT_TLS);
	if (in->tls != NULL && !HOSTD_HAS(in->tls, get))
		in->tls = NULL;
	in->trace = host->get_ext(host, HOSTD_EXT_TRACE);
	if (in->trace != NULL && !HOSTD_HAS(in->trace, get))
		in->trace = NULL;
	if (in->fetch == NULL || !HOSTD_HAS(in->fetch, cancel) ||
	    !HOSTD_HAS(in->easy.http, trailers))
		return hostd_fail(err, HOSTD_E_NOTSUP,
		    "this host does not serve " HOSTD_EXT_FETCH);
	if (request_ids_init(&in->ids) == -1)
		return hostd_fail(err, HOSTD_E_IO, "random numbers: %s",
		    strerror(errno));
	if ((rc = settings_read(&in->settings, conf, err)) != HOSTD_OK)
		return rc;
	if ((rc = in->fetch->check(host, in->settings.upstream, err)) !=
	    HOSTD_OK)
		return rc;
	if ((rc = cache_create(in, &in->easy, conf, cached_ready, &in->cache,
	    err)) != HOSTD_OK)
		return rc;
	cache_ours(in->cache, forward_is_ours);
	return HOSTD_OK;
}

static int32_t
start(struct hostd_inst *in)
{
	return cache_start(in->cache);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = NULL;
	int32_t rc;

	if ((rc = hostd_easy_create(sizeof(*in), host, &in, err)) != HOSTD_OK)
		return rc;
	if ((rc = set_up(in, host, conf, err)) != HOSTD_OK) {
		destroy(in);
		return rc;
	}
	*out = in;
	return HOSTD_OK;
}

/* -- commands -- */

static int32_t
purge(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv, hostd_op op)
{
	if (in->cache == NULL)
		return hostd_reply(in, op, HOSTD_E_STATE, "its cache is off");
	return cache_purge(in->cache, argc, argv, op);
}

static int32_t
cache(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv, hostd_op op)
{
	(void)argc;
	(void)argv;
	if (in->cache == NULL)
		return hostd_reply(in, op, HOSTD_E_STATE, "its cache is off");
	return cache_stats(in->cache, op);
}

static const struct hostd_cmd purge_cmd = {
	.struct_size = sizeof(purge_cmd), .flags = HOSTD_CMD_ADMIN,
	.name = "purge", .usage = "URL...|URL*...|all",
	.help = "Remove what is kept of URLs, or of all that begin so, in all "
	    "workers and nodes.",
	.min_args = 1, .max_args = UINT32_MAX, .run = purge
};
static const struct hostd_cmd cache_cmd = {
	.struct_size = sizeof(cache_cmd),
	.flags = HOSTD_CMD_EVERY | HOSTD_CMD_JSON, .name = "cache",
	.help = "What is kept, and how requests were answered by it.",
	.run = cache
};
static const struct hostd_cmd *const cmds[] = { &purge_cmd, &cache_cmd, NULL };

static const struct hostd_http_ops ops = {
	.struct_size = sizeof(ops),
	.data_size = sizeof(struct slot),
	.on_headers = on_headers,
	.on_body = on_body,
	.on_writable = on_writable,
	.on_end = on_end,
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_HTTP_ROUTE,
	.ops = &ops
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(4), .id = "http_proxy", .version = HOSTD_SDK_VERSION,
	.built_with = HOSTD_SDK_VERSION, .provides = provides,
	.keys = settings_keys, .cmds = cmds, .create = create, .start = start,
	.destroy = destroy
};
