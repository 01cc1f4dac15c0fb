/* SPDX-License-Identifier: BSD-2-Clause */
/* All that the node measures, for Prometheus. */
#include <hostd/easy.h>
#include <hostd/status.h>
#include <web/encoding.h>
#include "accept.h"

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_status_api *status;
	int64_t gzip;
};

static hostd_buf
header_of(struct hostd_inst *in, hostd_req req, const char *name)
{
	hostd_buf value;

	return in->easy.http->header(in->easy.host, req, name, &value) ==
	    HOSTD_OK ? value : hostd_str(NULL);
}

/* The text as the client takes it: smaller if it is malloced. */
static void *
shrink(struct hostd_inst *in, hostd_req req, hostd_buf *text)
{
	struct accepted a;
	void *small;
	size_t n;

	if (!in->gzip)
		return NULL;
	encoding_parse(header_of(in, req, "Accept-Encoding"), &a);
	if (a.gzip == 0 ||
	    (small = encoding_gzip(text->p, text->n, &n)) == NULL)
		return NULL;
	*text = (hostd_buf){ small, n };
	return small;
}

static int32_t
answer(struct hostd_inst *in, hostd_req req)
{
	int open = accept_openmetrics(header_of(in, req, "Accept"));
	hostd_hdr h[4];
	hostd_buf text;
	uint32_t n = 0;
	void *small;
	int32_t rc;

	rc = in->status->exposition(in->easy.host, open ?
	    HOSTD_EXPOSITION_OPENMETRICS : HOSTD_EXPOSITION_TEXT, &text);
	if (rc != HOSTD_OK)
		return rc;
	h[n++] = hostd_header("Content-Type", open ?
	    "application/openmetrics-text; version=1.0.0; charset=utf-8" :
	    "text/plain; version=0.0.4; charset=utf-8");
	h[n++] = hostd_header("Cache-Control", "no-store");
	h[n++] = hostd_header("Vary", in->gzip ? "Accept, Accept-Encoding" :
	    "Accept");
	if ((small = shrink(in, req, &text)) != NULL)
		h[n++] = hostd_header("Content-Encoding", "gzip");
	rc = in->easy.http->respond(in->easy.host, req, 200, h, n, text);
	free(small);
	return rc;
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);

	(void)d;
	if (r == NULL)
		return HOSTD_E_GONE;
	if (r->method == HOSTD_METHOD_GET || r->method == HOSTD_METHOD_HEAD)
		return answer(in, req);
	return hostd_refuse_method(in, req, "GET, HEAD, OPTIONS");
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	const struct hostd_status_api *status;
	int32_t rc;

	status = host->get_ext(host, HOSTD_EXT_STATUS);
	if (status == NULL || !HOSTD_HAS(status, exposition))
		return hostd_fail(err, HOSTD_E_NOTSUP, "this host does not "
		    "serve exposition of " HOSTD_EXT_STATUS);
	rc = hostd_easy_create(sizeof(**out), host, out, err);
	if (rc != HOSTD_OK)
		return rc;
	(*out)->status = status;
	(void)conf->get_int(conf, "gzip", &(*out)->gzip);
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_key key_gzip = { sizeof(key_gzip), HOSTD_KEY_BOOL, 0,
	"gzip", "on", "Compress for clients that take it, which Prometheus "
	"does.", 0, 0, NULL };
static const struct hostd_key *const keys[] = { &key_gzip, NULL };

static const struct hostd_http_ops ops = {
	.struct_size = sizeof(ops), .on_headers = on_headers
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_HTTP_ROUTE,
	.ops = &ops, .route = "/metrics"
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(4), .id = "http_metrics", .version = HOSTD_SDK_VERSION,
	.built_with = HOSTD_SDK_VERSION, .provides = provides,
	.keys = keys,
	.create = create, .destroy = destroy
};
