/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends every message back, as it came. */
#include <hostd/easy.h>

struct hostd_inst {
	HOSTD_EASY_HEAD;
	hostd_buf *protocols;
	uint32_t nprotocols;
};

/* The first of ours that the client offers; the host knows which it does. */
static int32_t
on_upgrade(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	hostd_buf none = { NULL, 0 };
	uint32_t i;

	(void)d;
	for (i = 0; i < in->nprotocols; i++)
		if (e->ws->accept(e->host, req, in->protocols[i], NULL, 0) ==
		    HOSTD_OK)
			return HOSTD_OK;
	return e->ws->accept(e->host, req, none, NULL, 0);
}

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	const struct hostd_easy *e = hostd_easy_of(in);

	(void)d;
	return e->ws->send(e->host, ws, msg,
	    flags & (HOSTD_WS_TEXT | HOSTD_WS_BINARY));
}

static void
destroy(struct hostd_inst *in)
{
	free(in->protocols);
	free(in);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = NULL;
	uint32_t i, n;
	int32_t rc;

	if ((rc = hostd_easy_create(sizeof(*in), host, &in, err)) != HOSTD_OK)
		return rc;
	if (in->easy.ws == NULL) {
		destroy(in);
		return hostd_fail(err, HOSTD_E_NOTSUP,
		    "this host does not serve " HOSTD_EXT_WS);
	}
	(void)conf->get_count(conf, "subprotocols", &n);
	in->protocols = calloc(n + 1, sizeof(*in->protocols));
	if (in->protocols == NULL) {
		destroy(in);
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	}
	for (i = 0; i < n; i++)
		(void)conf->get_item(conf, "subprotocols", i,
		    &in->protocols[i]);
	in->nprotocols = n;
	*out = in;
	return HOSTD_OK;
}

static const struct hostd_key subprotocols_key = {
	.struct_size = sizeof(subprotocols_key),
	.type = HOSTD_KEY_LIST,
	.name = "subprotocols",
	.help = "Subprotocols to agree to; the first that is offered.",
};
static const struct hostd_key *const keys[] = { &subprotocols_key, NULL };

static const struct hostd_ws_ops ops = {
	.struct_size = sizeof(ops),
	.on_upgrade = on_upgrade,
	.on_message = on_message,
};
HOSTD_WS_STATE_PLAIN(1, ops)
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide),
	.kind = HOSTD_KIND_WS_HANDLER,
	.ops = &ops,
	.route = "/echo",
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0),
	.id = "ws_echo",
	.version = HOSTD_SDK_VERSION,
	.built_with = HOSTD_SDK_VERSION,
	.provides = provides,
	.keys = keys,
	.create = create,
	.destroy = destroy,
	.get_ext = hostd_ws_plain_get_ext,
};
