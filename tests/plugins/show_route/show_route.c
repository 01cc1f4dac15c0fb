/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells what a plugin sees of a request, as JSON.  The query asks for more:
 *
 *	?echo		the body comes back, part by part
 *	?status=N	answer N with no body at once, before the request's body
 *	?stream=N&of=M	N writes of M bytes, without a length
 *	?length=N	N bytes, of a length known before
 *	?pass		not mine
 *	?trace		hostd.trace/1 as well, and a line in the log
 */
#include <hostd/easy.h>
#include <hostd/trace.h>

#define BODY_MAX 4096
#define PARAMS_MAX 8

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const char *label;
	const char *params[PARAMS_MAX];
	uint32_t nparams;
};

struct shown {
	uint64_t seen;
	uint32_t kept;
	int32_t echo;
	char body[BODY_MAX];
};

struct text {
	char p[32768];
	size_t n;
};

static const struct hostd_key key_label = {sizeof(struct hostd_key),
    HOSTD_KEY_STRING, 0, "label", "show", "Which instance it is.", 0, 0, NULL};
static const struct hostd_key key_params = {sizeof(struct hostd_key),
    HOSTD_KEY_LIST, 0, "params", NULL,
    "Names of the route's parameters to show.", 0, PARAMS_MAX, NULL};
static const struct hostd_key *const keys[] = {&key_label, &key_params, NULL};

/* -- JSON -- */

static void
put(struct text *t, const char *s, size_t n)
{
	if (n > sizeof(t->p) - t->n)
		n = sizeof(t->p) - t->n;
	memcpy(t->p + t->n, s, n);
	t->n += n;
}

static void
put_name(struct text *t, const char *name)
{
	put(t, t->n == 0 ? "{\"" : ",\"", 2);
	put(t, name, strlen(name));
	put(t, "\":", 2);
}

static void
put_string(struct text *t, hostd_buf b)
{
	const unsigned char *p = b.p;
	char esc[8];
	size_t i;

	put(t, "\"", 1);
	for (i = 0; i < b.n; i++) {
		if (p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' &&
		    p[i] != '\\') {
			put(t, (const char *)p + i, 1);
			continue;
		}
		(void)snprintf(esc, sizeof(esc), "\\u%04x", p[i]);
		put(t, esc, 6);
	}
	put(t, "\"", 1);
}

static void
put_text(struct text *t, const char *name, hostd_buf b)
{
	put_name(t, name);
	if (b.p == NULL)
		put(t, "null", 4);
	else
		put_string(t, b);
}

static void
put_number(struct text *t, const char *name, int64_t v)
{
	char digits[24];

	put_name(t, name);
	put(t, digits,
	    (size_t)snprintf(digits, sizeof(digits), "%lld", (long long)v));
}

static void
put_params(struct hostd_inst *in, hostd_req req, struct text *t)
{
	char name[80];
	hostd_buf v;
	uint32_t i;

	for (i = 0; i < in->nparams; i++) {
		if (in->easy.http->param(
			in->easy.host, req, in->params[i], &v) != HOSTD_OK)
			continue;
		(void)snprintf(name, sizeof(name), ":%s", in->params[i]);
		put_text(t, name, v);
	}
}

/* -- the query -- */

/* The number behind name in the query; -1: it is not there, 0: no number. */
static long
asked(const struct hostd_request *r, const char *name)
{
	const char *p = r->query.p, *end;
	size_t n = strlen(name), k;
	char digits[16];

	if (p == NULL)
		return -1;
	for (end = p + r->query.n; p < end; p++) {
		if ((size_t)(end - p) < n || memcmp(p, name, n) != 0)
			continue;
		if (p + n == end || p[n] != '=')
			return 0;
		for (p += n + 1, k = 0; p < end && k < sizeof(digits) - 1 &&
		     *p >= '0' && *p <= '9';
		     p++)
			digits[k++] = *p;
		digits[k] = '\0';
		return strtol(digits, NULL, 10);
	}
	return -1;
}

/* -- the answer -- */

static void
put_trace(struct hostd_inst *in, hostd_req req, struct text *t)
{
	const struct hostd_host *host = in->easy.host;
	const struct hostd_trace_api *api = host->get_ext(host,
	    HOSTD_EXT_TRACE);
	struct hostd_trace trace = {.struct_size = sizeof(trace)};
	int32_t rc = api->get(host, req, &trace);

	hostd_logf(host, HOSTD_LOG_INFO, "asked for the trace");
	put_number(t, "trace", rc);
	if (rc != HOSTD_OK)
		return;
	put_number(t, "flags", trace.flags);
	put_text(t, "trace_id", trace.trace_id);
	put_text(t, "span_id", trace.span_id);
	put_text(t, "parent_id", trace.parent_id);
	put_text(t, "traceparent", trace.traceparent);
	put_text(t, "tracestate", trace.tracestate);
}

static int32_t
show(struct hostd_inst *in, hostd_req req, const struct shown *sh)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	hostd_buf body = {sh->body, sh->kept};
	struct text t;

	t.n = 0;
	put_text(&t, "label", hostd_str(in->label));
	put_text(&t, "method", r->method_name);
	put_text(&t, "target", r->target);
	put_text(&t, "host", r->host);
	put_text(&t, "path", r->path);
	put_text(&t, "rest", r->rest);
	put_text(&t, "query", r->query);
	put_text(&t, "peer", r->peer);
	put_number(&t, "http10", (r->flags & HOSTD_REQ_HTTP10) != 0);
	put_number(&t, "content_length", r->content_length);
	put_number(&t, "headers", r->nheaders);
	put_number(&t, "seen", (int64_t)sh->seen);
	put_text(&t, "body", body);
	put_params(in, req, &t);
	if (asked(r, "trace") >= 0)
		put_trace(in, req, &t);
	put(&t, "}\n", 2);
	return hostd_respond_bytes(in, req, 200, "application/json", t.p, t.n);
}

static int32_t
stream(struct hostd_inst *in, hostd_req req, long writes, size_t size,
    int64_t length)
{
	const struct hostd_easy *e = &in->easy;
	hostd_buf b = {NULL, size};
	char *fill = malloc(size + 1);
	int32_t rc;

	if (fill == NULL)
		return HOSTD_E_NOMEM;
	memset(fill, 'x', size);
	b.p = fill;
	rc = e->http->begin(e->host, req, 200, NULL, 0, length);
	while (rc >= 0 && writes-- > 0)
		rc = e->http->write(e->host, req, b);
	free(fill);
	return rc < 0 ? rc : e->http->finish(e->host, req);
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	const struct hostd_easy *e = &in->easy;
	hostd_buf none = {NULL, 0};
	struct shown *sh = d;
	long n, of;

	if ((n = asked(r, "status")) > 0)
		return e->http->respond(
		    e->host, req, (int32_t)n, NULL, 0, none);
	if ((n = asked(r, "stream")) >= 0) {
		of = asked(r, "of");
		return stream(in, req, n, of > 0 ? (size_t)of : 1, -1);
	}
	if ((n = asked(r, "length")) >= 0)
		return stream(in, req, 1, (size_t)n, n);
	if (asked(r, "pass") >= 0)
		return HOSTD_PASS;
	if (asked(r, "echo") >= 0) {
		sh->echo = 1;
		return e->http->begin(
		    e->host, req, 200, NULL, 0, r->content_length);
	}
	return HOSTD_OK;
}

static int32_t
on_body(
    struct hostd_inst *in, hostd_req req, void *d, hostd_buf part, int32_t fin)
{
	const struct hostd_easy *e = &in->easy;
	struct shown *sh = d;
	size_t n = sizeof(sh->body) - sh->kept;
	int32_t rc = HOSTD_OK;

	sh->seen += part.n;
	if (sh->echo) {
		if (part.n > 0)
			rc = e->http->write(e->host, req, part);
		if (rc >= 0 && fin)
			return e->http->finish(e->host, req);
		/* No more than the client takes. */
		if (rc == HOSTD_AGAIN)
			rc = e->http->body_pause(e->host, req, 1);
		return rc;
	}
	if (n > part.n)
		n = part.n;
	if (n > 0)
		memcpy(sh->body + sh->kept, part.p, n);
	sh->kept += (uint32_t)n;
	return fin ? show(in, req, sh) : HOSTD_OK;
}

static void
on_writable(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_easy *e = &in->easy;
	const struct shown *sh = d;

	if (sh->echo)
		(void)e->http->body_pause(e->host, req, 0);
}

/* -- life -- */

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = NULL;
	hostd_buf b;
	int32_t rc;

	if ((rc = hostd_easy_create(sizeof(*in), host, &in, err)) != HOSTD_OK)
		return rc;
	(void)conf->get_str(conf, "label", &b);
	in->label = b.p;
	while (in->nparams < PARAMS_MAX &&
	    conf->get_item(conf, "params", in->nparams, &b) == HOSTD_OK)
		in->params[in->nparams++] = b.p;
	*out = in;
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_http_ops ops = {.struct_size = sizeof(ops),
    .data_size = sizeof(struct shown),
    .on_headers = on_headers,
    .on_body = on_body,
    .on_writable = on_writable};
static const struct hostd_provide provide = {.struct_size = sizeof(provide),
    .kind = HOSTD_KIND_HTTP_ROUTE,
    .ops = &ops,
    .route = "/"};
static const struct hostd_provide *const provides[] = {&provide, NULL};

HOSTD_PLUGIN_ENTRY = {HOSTD_PREFIX(0), .id = "show_route", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .keys = keys,
    .create = create, .destroy = destroy};
