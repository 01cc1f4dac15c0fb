/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does what the SDK forbids, and what it hardly allows.  By path (behind the
 * route's prefix); what the host returned is logged as "PATH: CODE CODE ...".
 *
 *	none		no answer at all
 *	invalid, full, timeout	that code instead of an answer
 *	twice		respond, respond, begin, write, finish
 *	owned		headers that only the host sets
 *	bytes		headers with bytes that no header may have
 *	status		statuses that are none
 *	short		fewer bytes than promised, then finish
 *	long		more bytes than promised
 *	early		write and finish before begin
 *	broken		an answer begun, then a failure
 *	ref		borrowed bytes; their releases are logged
 *	refin, rewrite, reabort	borrowed bytes; their release finishes, writes
 *			and finishes, aborts
 *	rechunk		as refin, without a length
 *	reset, restream	205 with a body
 *	stuck		deferred for ever
 *	code?N		the code N
 */
#include <hostd/easy.h>

#define REF_SIZE 100000
#define CODES_MAX 8

struct hostd_inst {
	HOSTD_EASY_HEAD;
	char ref[REF_SIZE];
};

struct codes {
	int32_t v[CODES_MAX];
	int n;
};

static const hostd_buf none;

static void
note(struct codes *c, int32_t code)
{
	if (c->n < CODES_MAX)
		c->v[c->n++] = code;
}

static void
log_codes(struct hostd_inst *in, const char *path, const struct codes *c)
{
	char line[128];
	int i, len;

	len = snprintf(line, sizeof(line), "%s:", path);
	for (i = 0; i < c->n; i++)
		len += snprintf(line + len, sizeof(line) - (size_t)len, " %d",
		    (int)c->v[i]);
	in->easy.host->log(in->easy.host, HOSTD_LOG_INFO, line, (size_t)len);
}

/* -- what it does -- */

static int32_t
twice(struct hostd_inst *in, hostd_req req, struct codes *c)
{
	const struct hostd_http_api *a = in->easy.http;

	note(c, hostd_respond(in, req, 200, "text/plain", "once"));
	note(c, hostd_respond(in, req, 500, "text/plain", "again"));
	note(c, a->begin(in->easy.host, req, 200, NULL, 0, -1));
	note(c, a->write(in->easy.host, req, hostd_str("x")));
	note(c, a->finish(in->easy.host, req));
	return HOSTD_OK;
}

static int32_t
owned(struct hostd_inst *in, hostd_req req, struct codes *c)
{
	static const char *const names[] = {"Connection", "CONTENT-LENGTH",
	    "Date", "Keep-Alive", "Server", "Transfer-encoding", "upgrade"};
	hostd_hdr h;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		h = hostd_header(names[i], "5");
		note(c,
		    in->easy.http->respond(
			in->easy.host, req, 200, &h, 1, none));
	}
	return hostd_respond(in, req, 200, "text/plain", "fine");
}

static int32_t
bytes(struct hostd_inst *in, hostd_req req, struct codes *c)
{
	static const char *const pairs[][2] = {{"", "x"}, {"a b", "x"},
	    {"a:", "x"}, {"a\r\nb", "x"}, {"a", "x\r\nb: c"}, {"a", "x\ny"},
	    {"a", "x\x7f"}};
	hostd_hdr h;
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		h = hostd_header(pairs[i][0], pairs[i][1]);
		note(c,
		    in->easy.http->respond(
			in->easy.host, req, 200, &h, 1, none));
	}
	return hostd_respond(in, req, 200, "text/plain", "fine");
}

static int32_t
statuses(struct hostd_inst *in, hostd_req req, struct codes *c)
{
	static const int32_t wrong[] = {0, -1, 99, 100, 199, 600, 1000};
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		note(c,
		    in->easy.http->respond(
			in->easy.host, req, wrong[i], NULL, 0, none));
	return hostd_respond(in, req, 299, "text/plain", "fine");
}

static int32_t
lengths(struct hostd_inst *in, hostd_req req, struct codes *c, int32_t more)
{
	const struct hostd_http_api *a = in->easy.http;
	const struct hostd_host *host = in->easy.host;

	note(c, a->begin(host, req, 200, NULL, 0, 10));
	note(c, a->write(host, req, hostd_str("12345")));
	if (more)
		note(c, a->write(host, req, hostd_str("123456")));
	else
		note(c, a->finish(host, req));
	return HOSTD_DEFER;
}

static int32_t
early(struct hostd_inst *in, hostd_req req, struct codes *c)
{
	const struct hostd_http_api *a = in->easy.http;

	note(c, a->write(in->easy.host, req, hostd_str("x")));
	note(c, a->finish(in->easy.host, req));
	note(c, a->begin(in->easy.host, req, 200, NULL, 0, -2));
	return hostd_respond(in, req, 200, "text/plain", "fine");
}

static int32_t
broken(struct hostd_inst *in, hostd_req req, struct codes *c)
{
	const struct hostd_http_api *a = in->easy.http;

	note(c, a->begin(in->easy.host, req, 200, NULL, 0, -1));
	note(c, a->write(in->easy.host, req, hostd_str("part")));
	return HOSTD_E_IO;
}

static void
released(struct hostd_inst *in, void *arg)
{
	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "released %d", *(int *)arg);
	free(arg);
}

static int32_t
borrow(struct hostd_inst *in, hostd_req req, size_t n, int which)
{
	hostd_buf b = {in->ref, n};
	int *arg = malloc(sizeof(*arg));
	int32_t rc;

	if (arg == NULL)
		return HOSTD_E_NOMEM;
	*arg = which;
	rc = in->easy.http->write_ref(in->easy.host, req, b, released, arg);
	if (rc < 0)
		free(arg);
	return rc;
}

static int32_t
ref(struct hostd_inst *in, hostd_req req, struct codes *c)
{
	const struct hostd_http_api *a = in->easy.http;

	note(c, borrow(in, req, 1, 0)); /* before begin */
	note(c, a->begin(in->easy.host, req, 200, NULL, 0, REF_SIZE + 15));
	note(c, borrow(in, req, 10, 1));
	note(c, a->write(in->easy.host, req, hostd_str("12345")));
	note(c, borrow(in, req, 0, 2));
	note(c, borrow(in, req, REF_SIZE, 3));
	return a->finish(in->easy.host, req);
}

/* -- releases that go on with the answer -- */

struct later {
	hostd_req req;
	int32_t writes;
	int32_t aborts;
};

static void
go_on(struct hostd_inst *in, void *arg)
{
	const struct hostd_http_api *a = in->easy.http;
	const struct hostd_host *host = in->easy.host;
	struct later *l = arg;
	struct codes c = {.n = 0};

	if (l->aborts)
		note(&c, a->abort(host, l->req));
	if (l->writes)
		note(&c, a->write(host, l->req, hostd_str("second")));
	if (!l->aborts)
		note(&c, a->finish(host, l->req));
	log_codes(in, "in release", &c);
	free(l);
}

static int32_t
lend(struct hostd_inst *in, hostd_req req, int64_t length, struct later how)
{
	const struct hostd_http_api *a = in->easy.http;
	struct later *l = malloc(sizeof(*l));
	hostd_buf b = {in->ref, 10};
	int32_t rc;

	if (l == NULL)
		return HOSTD_E_NOMEM;
	*l = how;
	l->req = req;
	rc = a->begin(in->easy.host, req, 200, NULL, 0, length);
	if (rc == HOSTD_OK)
		rc = a->write_ref(in->easy.host, req, b, go_on, l);
	if (rc >= 0)
		return HOSTD_DEFER;
	free(l);
	return rc;
}

static int32_t
lend_as(struct hostd_inst *in, hostd_req req, const char *path)
{
	struct later finishes = {.writes = 0}, writes = {.writes = 1},
		     aborts = {.aborts = 1};

	if (strcmp(path, "refin") == 0)
		return lend(in, req, 10, finishes);
	if (strcmp(path, "rechunk") == 0)
		return lend(in, req, -1, finishes);
	if (strcmp(path, "rewrite") == 0)
		return lend(in, req, 16, writes);
	if (strcmp(path, "reabort") == 0)
		return lend(in, req, 20, aborts);
	return HOSTD_PASS;
}

/* -- 205 -- */

static int32_t
restream(struct hostd_inst *in, hostd_req req, struct codes *c)
{
	const struct hostd_http_api *a = in->easy.http;
	const struct hostd_host *host = in->easy.host;

	note(c, a->begin(host, req, 205, NULL, 0, -1));
	note(c, a->write(host, req, hostd_str("body")));
	note(c, a->finish(host, req));
	return HOSTD_OK;
}

/* -- requests -- */

static int32_t
number(hostd_buf b)
{
	char digits[16];

	(void)snprintf(
	    digits, sizeof(digits), "%.*s", (int)b.n, (const char *)b.p);
	return (int32_t)strtol(digits, NULL, 10);
}

static int32_t
act(struct hostd_inst *in, hostd_req req, const char *path, struct codes *c)
{
	int32_t rc;

	if (strcmp(path, "invalid") == 0)
		return HOSTD_E_INVAL;
	if (strcmp(path, "full") == 0)
		return HOSTD_E_FULL;
	if (strcmp(path, "timeout") == 0)
		return HOSTD_E_TIMEOUT;
	if (strcmp(path, "twice") == 0)
		return twice(in, req, c);
	if (strcmp(path, "owned") == 0)
		return owned(in, req, c);
	if (strcmp(path, "bytes") == 0)
		return bytes(in, req, c);
	if (strcmp(path, "status") == 0)
		return statuses(in, req, c);
	if (strcmp(path, "short") == 0)
		return lengths(in, req, c, 0);
	if (strcmp(path, "long") == 0)
		return lengths(in, req, c, 1);
	if (strcmp(path, "early") == 0)
		return early(in, req, c);
	if (strcmp(path, "broken") == 0)
		return broken(in, req, c);
	if (strcmp(path, "ref") == 0)
		return ref(in, req, c);
	if (strcmp(path, "reset") == 0)
		return hostd_respond(in, req, 205, "text/plain", "body");
	if (strcmp(path, "restream") == 0)
		return restream(in, req, c);
	if (strcmp(path, "stuck") == 0)
		return HOSTD_DEFER;
	rc = lend_as(in, req, path);
	return rc == HOSTD_PASS ? HOSTD_OK : rc;
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	struct codes c = {.n = 0};
	int32_t rc;
	char path[32];

	(void)d;
	(void)snprintf(path, sizeof(path), "%.*s", (int)r->rest.n,
	    (const char *)r->rest.p);
	if (strcmp(path, "code") == 0)
		return number(r->query);
	rc = act(in, req, path, &c);
	log_codes(in, path, &c);
	return rc;
}

static void
on_end(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	(void)req;
	(void)d;
	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "ended why %d", (int)why);
}

/* -- life -- */

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = NULL;
	int32_t rc;

	(void)conf;
	if ((rc = hostd_easy_create(sizeof(*in), host, &in, err)) != HOSTD_OK)
		return rc;
	memset(in->ref, 'r', sizeof(in->ref));
	*out = in;
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_http_ops ops = {
    .struct_size = sizeof(ops), .on_headers = on_headers, .on_end = on_end};
static const struct hostd_provide provide = {.struct_size = sizeof(provide),
    .kind = HOSTD_KIND_HTTP_ROUTE,
    .ops = &ops,
    .route = "/"};
static const struct hostd_provide *const provides[] = {&provide, NULL};

HOSTD_PLUGIN_ENTRY = {HOSTD_PREFIX(0), .id = "promise_route", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .create = create,
    .destroy = destroy};
