/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts what reaches a plugin.  Every request is answered 200; "/count" tells
 * how many requests came, how many of them ended, and how many carried an X-Id
 * that was seen before.
 */
#include <hostd/easy.h>

#define IDS_MAX 4096
#define ID_SIZE 64

struct hostd_inst {
	HOSTD_EASY_HEAD;
	unsigned begun, ended, doubled;
	unsigned nids;
	char ids[IDS_MAX][ID_SIZE];
};

static void
note_id(struct hostd_inst *in, hostd_buf id)
{
	unsigned i;
	size_t n = id.n < ID_SIZE - 1 ? id.n : ID_SIZE - 1;

	for (i = 0; i < in->nids; i++)
		if (strlen(in->ids[i]) == n &&
		    memcmp(in->ids[i], id.p, n) == 0) {
			in->doubled++;
			return;
		}
	if (in->nids < IDS_MAX)
		memcpy(in->ids[in->nids++], id.p, n);
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	hostd_buf id;

	(void)d;
	if (r->path.n == 6 && memcmp(r->path.p, "/count", 6) == 0) {
		in->ended--;	/* this request does not count */
		return hostd_json(in, req, 200, "{\"begun\":%u,\"ended\":%u,"
		    "\"doubled\":%u}", in->begun, in->ended + 1, in->doubled);
	}
	in->begun++;
	if (in->easy.http->header(in->easy.host, req, "x-id", &id) == HOSTD_OK)
		note_id(in, id);
	return HOSTD_OK;
}

static int32_t
on_body(struct hostd_inst *in, hostd_req req, void *d, hostd_buf part,
    int32_t fin)
{
	uint64_t *seen = d;

	*seen += part.n;
	if (!fin)
		return HOSTD_OK;
	return hostd_json(in, req, 200, "{\"body\":%llu}",
	    (unsigned long long)*seen);
}

static void
on_end(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	(void)req;
	(void)d;
	(void)why;
	in->ended++;
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	(void)conf;
	return hostd_easy_create(sizeof(**out), host, out, err);
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_http_ops ops = {
	.struct_size = sizeof(ops), .data_size = sizeof(uint64_t),
	.on_headers = on_headers, .on_body = on_body, .on_end = on_end
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_HTTP_ROUTE,
	.ops = &ops, .route = "/"
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0), .id = "record_route", .version = "1.0",
	.built_with = HOSTD_SDK_VERSION, .provides = provides,
	.create = create, .destroy = destroy
};
