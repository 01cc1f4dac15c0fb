/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interim responses and trailers.  By path (behind the route's prefix); codes
 * are logged as "PATH: CODE CODE ...":
 *
 *	inform		102 and 103 with Link, then the answer
 *	late		103 when the answer has begun
 *	odd		statuses and headers that are none
 *	flood		103 until it is refused
 *	echo		the request's trailers come back behind its body
 *	length		trailers behind a body of a known length
 *	framing		trailers that frame; then the answer is finished
 *	early		asks for trailers while the body comes
 */
#include <hostd/easy.h>

#define CODES_MAX 8

struct hostd_inst {
	HOSTD_EASY_HEAD;
};

struct request {
	int32_t codes[CODES_MAX];
	int ncodes;
	int begun;
};

static int
is(const struct hostd_request *q, const char *path)
{
	return q->rest.n == strlen(path) && memcmp(q->rest.p, path,
	    q->rest.n) == 0;
}

static int32_t
note(struct request *d, int32_t code)
{
	if (d->ncodes < CODES_MAX)
		d->codes[d->ncodes++] = code;
	return code;
}

static int32_t
inform(struct hostd_inst *in, hostd_req req, struct request *d, int32_t status)
{
	hostd_hdr h = hostd_header("Link", "</a.css>; rel=preload");

	return note(d,
	    in->easy.http->inform(in->easy.host, req, status, &h, 1));
}

static void
odd(struct hostd_inst *in, hostd_req req, struct request *d)
{
	hostd_hdr owned = hostd_header("Connection", "close");
	hostd_hdr bad = hostd_header("A", "b\r\nC: d");

	(void)inform(in, req, d, 100);
	(void)inform(in, req, d, 101);
	(void)inform(in, req, d, 200);
	(void)note(d, in->easy.http->inform(in->easy.host, req, 103, &owned,
	    1));
	(void)note(d, in->easy.http->inform(in->easy.host, req, 103, &bad, 1));
}

static void
flood(struct hostd_inst *in, hostd_req req, struct request *d)
{
	int i, rc = HOSTD_OK;
	struct request ignored;

	for (i = 0; i < 100000 && rc == HOSTD_OK; i++) {
		ignored.ncodes = 0;
		rc = inform(in, req, &ignored, 103);
	}
	(void)note(d, rc);
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *arg)
{
	const struct hostd_http_api *http = in->easy.http;
	const struct hostd_request *q = http->request(in->easy.host, req);
	struct request *d = arg;
	int64_t length = is(q, "length") ? 2 : -1;

	if (is(q, "inform")) {
		(void)inform(in, req, d, 102);
		(void)inform(in, req, d, 103);
	} else if (is(q, "odd"))
		odd(in, req, d);
	else if (is(q, "flood"))
		flood(in, req, d);
	if (http->begin(in->easy.host, req, 200, NULL, 0, length) != HOSTD_OK)
		return HOSTD_E_INVAL;
	if (is(q, "late"))
		(void)inform(in, req, d, 103);
	return HOSTD_DEFER;
}

static int32_t
finish(struct hostd_inst *in, hostd_req req, const struct hostd_request *q,
    struct request *d)
{
	const struct hostd_http_api *http = in->easy.http;
	hostd_hdr own = hostd_header("X-Sum", "2");
	hostd_hdr framing = hostd_header("Content-Type", "text/plain");
	const hostd_hdr *t = NULL;
	uint32_t n = 0;

	if (is(q, "echo")) {
		(void)note(d, http->trailers(in->easy.host, req, &t, &n));
		return note(d, http->finish_trailers(in->easy.host, req, t, n));
	}
	if (is(q, "framing"))
		(void)note(d, http->finish_trailers(in->easy.host, req,
		    &framing, 1));
	return note(d, http->finish_trailers(in->easy.host, req, &own, 1));
}

static int32_t
on_body(struct hostd_inst *in, hostd_req req, void *arg, hostd_buf part,
    int32_t fin)
{
	const struct hostd_http_api *http = in->easy.http;
	const struct hostd_request *q = http->request(in->easy.host, req);
	struct request *d = arg;
	const hostd_hdr *t;
	uint32_t n;

	if (is(q, "early") && !fin)
		(void)note(d, http->trailers(in->easy.host, req, &t, &n));
	if (is(q, "echo"))
		(void)http->write(in->easy.host, req, part);
	if (!fin)
		return HOSTD_DEFER;
	if (!is(q, "echo"))
		(void)http->write(in->easy.host, req, hostd_str("ok"));
	return finish(in, req, q, d) < 0 ? HOSTD_E_INVAL : HOSTD_OK;
}

static void
on_end(struct hostd_inst *in, hostd_req req, void *arg, int32_t why)
{
	const struct hostd_request *q = in->easy.http->request(in->easy.host,
	    req);
	const struct request *d = arg;
	char line[160];
	int i, len;

	(void)why;
	len = snprintf(line, sizeof(line), "%.*s:", (int)q->rest.n,
	    (const char *)q->rest.p);
	for (i = 0; i < d->ncodes; i++)
		len += snprintf(line + len, sizeof(line) - (size_t)len, " %d",
		    (int)d->codes[i]);
	in->easy.host->log(in->easy.host, HOSTD_LOG_INFO, line, (size_t)len);
}

/* -- life -- */

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	(void)conf;
	return hostd_easy_create(sizeof(struct hostd_inst), host, out, err);
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_http_ops ops = {.struct_size = sizeof(ops),
    .data_size = sizeof(struct request),
    .on_headers = on_headers,
    .on_body = on_body,
    .on_end = on_end};
static const struct hostd_provide provide = {.struct_size = sizeof(provide),
    .kind = HOSTD_KIND_HTTP_ROUTE,
    .ops = &ops,
    .route = "/"};
static const struct hostd_provide *const provides[] = {&provide, NULL};

HOSTD_PLUGIN_ENTRY = {HOSTD_PREFIX(2), .id = "trailer_route", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .create = create,
    .destroy = destroy};
