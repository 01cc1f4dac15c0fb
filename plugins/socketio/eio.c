/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include "client.h"

struct engine {
	struct hostd_inst *in;
};

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	(void)d;
	return hostd_respond(in, req, 503, NULL, "");
}

const struct hostd_http_ops eio_http_ops = {
	.struct_size = sizeof(eio_http_ops),
	.on_headers = on_headers,
};

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	(void)in;
	(void)ws;
	(void)d;
	(void)msg;
	(void)flags;
	return HOSTD_OK;
}

const struct hostd_ws_ops eio_ws_ops = {
	.struct_size = sizeof(eio_ws_ops),
	.on_message = on_message,
};

int32_t
engine_create(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	(void)conf;
	in->engine = calloc(1, sizeof(*in->engine));
	return in->engine == NULL ? hostd_fail(err, HOSTD_E_NOMEM,
	    "out of memory") : HOSTD_OK;
}

void
engine_destroy(struct hostd_inst *in)
{
	free(in->engine);
}
