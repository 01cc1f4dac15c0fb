/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts its requests: all, by method, and a histogram of the length of their
 * paths.  The first is defined by the struct of a smaller SDK.
 */
#include <stddef.h>
#include <hostd/easy.h>
#include <hostd/metrics.h>

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_metrics_api *metrics;
	uint32_t all, method, length, now;
};

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_metrics_api *m = in->metrics;
	const struct hostd_host *host = in->easy.host;
	const struct hostd_request *r = hostd_request_of(in, req);
	uint32_t series;
	int32_t rc;

	(void)d;
	m->add(host, in->all, 1);
	m->set(host, in->now, 7);
	m->observe(host, in->length, (int64_t)r->path.n);
	/* With a query, that is the word. */
	rc = m->series(host, in->method, r->query.n > 0 ? &r->query :
	    &r->method_name, 1, &series);
	if (rc < 0)
		return rc;
	m->add(host, series, 2);
	return hostd_respond(in, req, 200, "text/plain", "counted\n");
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	static const char *const labels[] = {"method", NULL};
	static const int64_t bounds[] = {2, 4};
	struct hostd_metric all = {
	    .struct_size = offsetof(struct hostd_metric, labels),
	    .type = HOSTD_METRIC_COUNTER,
	    .name = "requests_total",
	    .help = "Requests."};
	struct hostd_metric method = {.struct_size = sizeof(method),
	    .type = HOSTD_METRIC_COUNTER,
	    .name = "methods_total",
	    .help = "Requests by method.",
	    .labels = labels};
	struct hostd_metric length = {.struct_size = sizeof(length),
	    .type = HOSTD_METRIC_HISTOGRAM,
	    .name = "path_bytes",
	    .help = "Length of paths.",
	    .bounds = bounds,
	    .nbounds = 2};
	struct hostd_metric now = {.struct_size = sizeof(now),
	    .type = HOSTD_METRIC_GAUGE,
	    .name = "now",
	    .help = "A gauge."};
	struct hostd_inst *in = NULL;
	int32_t rc;

	(void)conf;
	if ((rc = hostd_easy_create(sizeof(*in), host, &in, err)) != HOSTD_OK)
		return rc;
	*out = in;
	in->metrics = host->get_ext(host, HOSTD_EXT_METRICS);
	if (in->metrics == NULL) {
		free(in);
		return hostd_fail(err, HOSTD_E_NOTSUP,
		    "this host does not serve " HOSTD_EXT_METRICS);
	}
	if ((rc = in->metrics->define(host, &all, &in->all)) < 0 ||
	    (rc = in->metrics->define(host, &method, &in->method)) < 0 ||
	    (rc = in->metrics->define(host, &length, &in->length)) < 0 ||
	    (rc = in->metrics->define(host, &now, &in->now)) < 0) {
		free(in);
		return hostd_fail(err, rc, "define says %d", (int)rc);
	}
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_http_ops ops = {
    .struct_size = sizeof(ops), .on_headers = on_headers};
static const struct hostd_provide provide = {.struct_size = sizeof(provide),
    .kind = HOSTD_KIND_HTTP_ROUTE,
    .ops = &ops};
static const struct hostd_provide *const provides[] = {&provide, NULL};

HOSTD_PLUGIN_ENTRY = {HOSTD_PREFIX(0), .id = "metric_route", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .create = create,
    .destroy = destroy};
