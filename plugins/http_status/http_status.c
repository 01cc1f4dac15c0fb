/* SPDX-License-Identifier: BSD-2-Clause */
/* The live state of the node as JSON. */
#include <hostd/easy.h>
#include <hostd/status.h>

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_status_api *status;
};

static int32_t
answer_method(struct hostd_inst *in, hostd_req req, uint32_t method)
{
	hostd_hdr allow = hostd_header("Allow", "GET, HEAD, OPTIONS");

	return in->easy.http->respond(in->easy.host, req,
	    method == HOSTD_METHOD_OPTIONS ? 204 : 405, &allow, 1,
	    hostd_str(NULL));
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	hostd_hdr h[2];
	hostd_buf json;
	int32_t rc;

	(void)d;
	if (r == NULL)
		return HOSTD_E_GONE;
	if (r->method != HOSTD_METHOD_GET && r->method != HOSTD_METHOD_HEAD)
		return answer_method(in, req, r->method);
	if ((rc = in->status->json(in->easy.host, &json)) != HOSTD_OK)
		return rc;
	h[0] = hostd_header("Content-Type", "application/json");
	h[1] = hostd_header("Cache-Control", "no-store");
	return in->easy.http->respond(in->easy.host, req, 200, h, 2, json);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	const struct hostd_status_api *status;
	int32_t rc;

	(void)conf;
	status = host->get_ext(host, HOSTD_EXT_STATUS);
	if (status == NULL || !HOSTD_HAS(status, json))
		return hostd_fail(err, HOSTD_E_NOTSUP,
		    "this host does not serve " HOSTD_EXT_STATUS);
	rc = hostd_easy_create(sizeof(**out), host, out, err);
	if (rc == HOSTD_OK)
		(*out)->status = status;
	return rc;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_http_ops ops = {
	.struct_size = sizeof(ops), .on_headers = on_headers
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_HTTP_ROUTE,
	.ops = &ops, .route = "/status"
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0), .id = "http_status", .version = HOSTD_SDK_VERSION,
	.built_with = HOSTD_SDK_VERSION, .provides = provides,
	.create = create, .destroy = destroy
};
