/* SPDX-License-Identifier: BSD-2-Clause */
/* The live state of the node as JSON. */
#include <hostd/easy.h>
#include <hostd/status.h>

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_status_api *status;
	int64_t answer;
};

enum { ANSWER_STATUS, ANSWER_READY };

/* For load balancers: 200 or 503.  No text of the status can hold the bare
 * quotes that this looks for. */
static int32_t
answer_ready(struct hostd_inst *in, hostd_req req, hostd_buf json)
{
	static const char yes[] = "\"ready\":true";
	hostd_hdr h[2];
	int ready = memmem(json.p, json.n, yes, sizeof(yes) - 1) != NULL;

	h[0] = hostd_header("Content-Type", "application/json");
	h[1] = hostd_header("Cache-Control", "no-store");
	return in->easy.http->respond(in->easy.host, req, ready ? 200 : 503, h,
	    2, hostd_str(ready ? "{\"ready\":true}\n" :
	    "{\"ready\":false}\n"));
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
		return hostd_refuse_method(in, req, "GET, HEAD, OPTIONS");
	if ((rc = in->status->json(in->easy.host, &json)) != HOSTD_OK)
		return rc;
	if (in->answer == ANSWER_READY)
		return answer_ready(in, req, json);
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

	status = host->get_ext(host, HOSTD_EXT_STATUS);
	if (status == NULL || !HOSTD_HAS(status, json))
		return hostd_fail(err, HOSTD_E_NOTSUP,
		    "this host does not serve " HOSTD_EXT_STATUS);
	rc = hostd_easy_create(sizeof(**out), host, out, err);
	if (rc != HOSTD_OK)
		return rc;
	(*out)->status = status;
	(void)conf->get_int(conf, "answer", &(*out)->answer);
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const char *const answers[] = { "status", "ready", NULL };
static const struct hostd_key key_answer = { sizeof(key_answer),
	HOSTD_KEY_ENUM, 0, "answer", "status", "The live state as JSON; or "
	"only whether the node is ready: 200, or 503 from hostctl drain or the "
	"beginning of a stop on.", 0, 0, answers };
static const struct hostd_key *const keys[] = { &key_answer, NULL };

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
	.keys = keys,
	.create = create, .destroy = destroy
};
