/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers in their own time.  By path (behind the route's prefix):
 *
 *	defer		held until "release"
 *	begin		its head and a part are sent, then held
 *	release		all that is held is answered
 *	fail		deferred, then aborted
 *	source?N	N bytes, as the client takes them
 *	flood?N		the same, writing until nothing more is taken
 *	sink		the body is read: one part, then nothing until "resume"
 *	gate		the body is not read before "resume"
 *	count		the body is read
 *	echo		the body comes back, read as the client takes it
 *	stats		counters
 *
 * Every end of a request is logged: "ended PATH why N seen N".
 */
#include <hostd/easy.h>

#define HELD_MAX 64
#define BLOCK 16384

struct hostd_inst {
	HOSTD_EASY_HEAD;
	hostd_req held[HELD_MAX];
	unsigned nheld;
	hostd_req paused[HELD_MAX];
	unsigned npaused;
	uint64_t writable, again, full;
	char block[BLOCK];
};

enum what { OTHER, DEFER, BEGIN, SOURCE, SINK, ECHO };

struct flow {
	enum what what;
	int32_t flood;
	int32_t stopped; /* waiting for on_writable */
	int32_t last;	 /* the body is complete */
	int32_t waited;	 /* was paused once */
	uint64_t left;	 /* to be sent */
	uint64_t seen;	 /* of the body */
	char path[32];
};

static int
is(const struct hostd_request *r, const char *name)
{
	return r->rest.n == strlen(name) &&
	    memcmp(r->rest.p, name, r->rest.n) == 0;
}

static uint64_t
number(hostd_buf b)
{
	const char *p = b.p;
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < b.n && p[i] >= '0' && p[i] <= '9'; i++)
		v = v * 10 + (uint64_t)(p[i] - '0');
	return v;
}

/* -- sending -- */

static int32_t
pump(struct hostd_inst *in, hostd_req req, struct flow *f)
{
	const struct hostd_easy *e = &in->easy;
	hostd_buf b = {in->block, BLOCK};
	int32_t rc;

	while (f->left > 0) {
		if (b.n > f->left)
			b.n = (size_t)f->left;
		rc = e->http->write(e->host, req, b);
		if (rc == HOSTD_E_FULL) {
			in->full++;
			return HOSTD_OK;
		}
		if (rc < 0)
			return rc;
		f->left -= b.n;
		in->again += rc == HOSTD_AGAIN;
		if (rc == HOSTD_AGAIN && !f->flood && f->left > 0)
			return HOSTD_OK;
	}
	return e->http->finish(e->host, req);
}

static int32_t
source(struct hostd_inst *in, hostd_req req, struct flow *f, hostd_buf n)
{
	const struct hostd_easy *e = &in->easy;
	int32_t rc;

	f->what = SOURCE;
	f->left = number(n);
	rc = e->http->begin(e->host, req, 200, NULL, 0, (int64_t)f->left);
	if (rc >= 0)
		rc = pump(in, req, f);
	return rc < 0 ? rc : HOSTD_DEFER;
}

static void
on_writable(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_easy *e = &in->easy;
	struct flow *f = d;

	in->writable++;
	if (f->what == SOURCE)
		(void)pump(in, req, f);
	if (f->what != ECHO || !f->stopped)
		return;
	f->stopped = 0;
	if (f->last)
		(void)e->http->finish(e->host, req);
	else
		(void)e->http->body_pause(e->host, req, 0);
}

/* -- held requests -- */

static int32_t
hold(struct hostd_inst *in, hostd_req req, struct flow *f, enum what what)
{
	const struct hostd_easy *e = &in->easy;

	f->what = what;
	if (in->nheld == HELD_MAX)
		return HOSTD_E_FULL;
	in->held[in->nheld++] = req;
	hostd_logf(e->host, HOSTD_LOG_INFO, "holding %s", f->path);
	if (what != BEGIN)
		return HOSTD_DEFER;
	if (e->http->begin(e->host, req, 200, NULL, 0, -1) != HOSTD_OK ||
	    e->http->write(e->host, req, hostd_str("first,")) < 0)
		return HOSTD_E_IO;
	return HOSTD_DEFER;
}

static int32_t
release(struct hostd_inst *in, hostd_req req)
{
	const struct hostd_easy *e = &in->easy;
	unsigned i, gone = 0, n = in->nheld;
	int32_t rc;

	for (i = 0; i < n; i++) {
		rc = hostd_respond(
		    in, in->held[i], 200, "text/plain", "released\n");
		if (rc == HOSTD_E_STATE &&
		    e->http->write(e->host, in->held[i], hostd_str("last")) >=
			0)
			(void)e->http->finish(e->host, in->held[i]);
		gone += rc == HOSTD_E_GONE;
	}
	in->nheld = 0;
	return hostd_json(in, req, 200, "{\"held\":%u,\"gone\":%u}", n, gone);
}

static int32_t
resume(struct hostd_inst *in, hostd_req req)
{
	const struct hostd_easy *e = &in->easy;
	unsigned i, n = in->npaused, gone = 0;

	for (i = 0; i < n; i++)
		gone += e->http->body_pause(e->host, in->paused[i], 0) ==
		    HOSTD_E_GONE;
	in->npaused = 0;
	return hostd_json(in, req, 200, "{\"paused\":%u,\"gone\":%u}", n, gone);
}

static void
give_up(struct hostd_inst *in, void *arg)
{
	hostd_req *req = arg;

	(void)in->easy.http->abort(in->easy.host, *req);
	free(req);
}

static int32_t
fail_later(struct hostd_inst *in, hostd_req req)
{
	hostd_req *copy = malloc(sizeof(*copy));
	int32_t rc;

	if (copy == NULL)
		return HOSTD_E_NOMEM;
	*copy = req;
	rc = in->easy.host->post(in->easy.host, give_up, copy);
	if (rc == HOSTD_OK)
		return HOSTD_DEFER;
	free(copy);
	return rc;
}

/* -- reading -- */

static int32_t
stop_body(struct hostd_inst *in, hostd_req req, struct flow *f)
{
	const struct hostd_easy *e = &in->easy;

	f->what = SINK;
	f->waited = 1;
	if (in->npaused == HELD_MAX)
		return HOSTD_E_FULL;
	in->paused[in->npaused++] = req;
	hostd_logf(e->host, HOSTD_LOG_INFO, "pausing %s", f->path);
	return e->http->body_pause(e->host, req, 1);
}

static int32_t
sink(struct hostd_inst *in, hostd_req req, struct flow *f, int32_t fin)
{
	if (fin)
		return hostd_json(in, req, 200, "{\"seen\":%llu}",
		    (unsigned long long)f->seen);
	return f->waited ? HOSTD_OK : stop_body(in, req, f);
}

/* -- requests -- */

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_easy *e = &in->easy;
	const struct hostd_request *r = hostd_request_of(in, req);
	struct flow *f = d;

	(void)snprintf(f->path, sizeof(f->path), "%.*s", (int)r->rest.n,
	    (const char *)r->rest.p);
	if (is(r, "defer"))
		return hold(in, req, f, DEFER);
	if (is(r, "begin"))
		return hold(in, req, f, BEGIN);
	if (is(r, "release"))
		return release(in, req);
	if (is(r, "resume"))
		return resume(in, req);
	if (is(r, "fail"))
		return fail_later(in, req);
	if (is(r, "gate"))
		return stop_body(in, req, f);
	if (is(r, "sink") || is(r, "count")) {
		f->what = SINK;
		f->waited = is(r, "count");
		return HOSTD_OK;
	}
	if (is(r, "echo")) {
		f->what = ECHO;
		return e->http->begin(
		    e->host, req, 200, NULL, 0, r->content_length);
	}
	f->flood = is(r, "flood");
	if (f->flood || is(r, "source"))
		return source(in, req, f, r->query);
	return hostd_json(in, req, 200,
	    "{\"writable\":%llu,\"again\":%llu,"
	    "\"full\":%llu,\"held\":%u,\"paused\":%u}",
	    (unsigned long long)in->writable, (unsigned long long)in->again,
	    (unsigned long long)in->full, in->nheld, in->npaused);
}

static int32_t
echo(struct hostd_inst *in, hostd_req req, struct flow *f, hostd_buf part)
{
	const struct hostd_easy *e = &in->easy;
	int32_t rc = HOSTD_OK;

	if (part.n > 0)
		rc = e->http->write(e->host, req, part);
	if (rc < 0)
		return rc;
	if (rc != HOSTD_AGAIN)
		return f->last ? e->http->finish(e->host, req) : HOSTD_OK;
	in->again++;
	f->stopped = 1;
	if (!f->last)
		(void)e->http->body_pause(e->host, req, 1);
	return f->last ? HOSTD_DEFER : HOSTD_OK;
}

static int32_t
on_body(
    struct hostd_inst *in, hostd_req req, void *d, hostd_buf part, int32_t fin)
{
	struct flow *f = d;

	f->seen += part.n;
	f->last = fin;
	if (f->what == SINK)
		return sink(in, req, f, fin);
	return f->what == ECHO ? echo(in, req, f, part) : HOSTD_OK;
}

static void
on_end(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	struct flow *f = d;

	(void)req;
	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "ended %s why %d seen %llu",
	    f->path, why, (unsigned long long)f->seen);
}

/* -- life -- */

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = NULL;
	int32_t rc;
	size_t i;

	(void)conf;
	if ((rc = hostd_easy_create(sizeof(*in), host, &in, err)) != HOSTD_OK)
		return rc;
	for (i = 0; i < BLOCK; i++)
		in->block[i] = (char)('a' + i % 26);
	*out = in;
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_http_ops ops = {.struct_size = sizeof(ops),
    .data_size = sizeof(struct flow),
    .on_headers = on_headers,
    .on_body = on_body,
    .on_writable = on_writable,
    .on_end = on_end};
static const struct hostd_provide provide = {.struct_size = sizeof(provide),
    .kind = HOSTD_KIND_HTTP_ROUTE,
    .ops = &ops,
    .route = "/flow/"};
static const struct hostd_provide *const provides[] = {&provide, NULL};

HOSTD_PLUGIN_ENTRY = {HOSTD_PREFIX(0), .id = "flow_route", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .create = create,
    .destroy = destroy};
