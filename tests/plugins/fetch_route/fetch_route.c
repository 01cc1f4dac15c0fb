/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least that passes requests on to the upstream of its route: hostd.fetch/1
 * without a proxy's rules around it.  Its keys are those of a request.
 *
 * Every end of an exchange is logged: "exchange ended STATUS TEXT"; why a
 * request has failed its client is told, too.
 */
#include <hostd/easy.h>
#include <hostd/fetch.h>
#include <strings.h>

#define HEADERS_MAX 100

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_fetch_api *fetch;
	int64_t next, tries, max_body;
	int64_t server;
	int64_t next_timeout, connect, send, read, all, buffer, forget;
};

struct pass {
	struct hostd_inst *in;
	hostd_req req;
	hostd_fetch fetch;
	int32_t asked, answered, dead;
};

static int
is(hostd_buf name, const char *word)
{
	return strlen(word) == name.n &&
	    strncasecmp(name.p, word, name.n) == 0;
}

/* Without those that are for this connection only. */
static uint32_t
copy_headers(hostd_hdr *to, const hostd_hdr *from, uint32_t n, int upgrade)
{
	static const char *const hop[] = {"connection", "content-length",
	    "keep-alive", "transfer-encoding", "date", "server", "te"};
	uint32_t i, k = 0;
	size_t j;

	for (i = 0; i < n && k < HEADERS_MAX; i++) {
		for (j = 0; j < sizeof(hop) / sizeof(hop[0]) &&
		    !is(from[i].name, hop[j]); j++)
			;
		if (j == sizeof(hop) / sizeof(hop[0]) &&
		    (upgrade || !is(from[i].name, "upgrade")))
			to[k++] = from[i];
	}
	return k;
}

/* -- the exchange -- */

static void
fetch_info(struct hostd_inst *in, hostd_fetch f, void *arg,
    const struct hostd_fetch_response *r)
{
	struct pass *p = arg;

	(void)f;
	(void)in->easy.http->inform(in->easy.host, p->req, r->status,
	    r->headers, r->nheaders);
}

static void
fetch_response(struct hostd_inst *in, hostd_fetch f, void *arg,
    const struct hostd_fetch_response *r)
{
	hostd_hdr h[HEADERS_MAX];
	uint32_t n = copy_headers(h, r->headers, r->nheaders, 0);
	struct pass *p = arg;
	int32_t rc;

	if (in->forget)
		return;
	p->answered = 1;
	if (r->status == 101)
		rc = in->fetch->tunnel(in->easy.host, f, h, n, 0);
	else
		rc = in->easy.http->begin(in->easy.host, p->req, r->status, h,
		    n, r->content_length);
	if (rc < 0)
		hostd_logf(in->easy.host, HOSTD_LOG_WARN,
		    "the answer is not taken: %d", rc);
}

static void
fetch_body(struct hostd_inst *in, hostd_fetch f, void *arg, hostd_buf part,
    int32_t fin)
{
	const hostd_hdr *trailers = NULL;
	struct pass *p = arg;
	uint32_t n = 0;
	int32_t rc;

	if (in->forget)
		return;
	rc = in->easy.http->write(in->easy.host, p->req, part);
	if (fin) {
		(void)in->fetch->trailers(in->easy.host, f, &trailers, &n);
		(void)in->easy.http->finish_trailers(in->easy.host, p->req,
		    trailers, n);
	} else if (rc == HOSTD_AGAIN)
		(void)in->fetch->body_pause(in->easy.host, f, 1);
}

static void
fetch_writable(struct hostd_inst *in, hostd_fetch f, void *arg)
{
	struct pass *p = arg;

	(void)f;
	(void)in->easy.http->body_pause(in->easy.host, p->req, 0);
}

static void
fail(struct hostd_inst *in, hostd_req req, int32_t code, hostd_buf text)
{
	hostd_hdr type = {{"Content-Type", 12}, {"text/plain", 10}};

	(void)in->easy.http->respond(in->easy.host, req, code, &type, 1, text);
}

static void
fetch_end(struct hostd_inst *in, hostd_fetch f, void *arg, int32_t status,
    hostd_buf text)
{
	struct pass *p = arg;
	int32_t code = 502;

	(void)f;
	p->asked = 0;
	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "exchange ended %d %.*s",
	    status, (int)text.n, (const char *)text.p);
	if (status == HOSTD_OK)
		return;
	if (status == HOSTD_E_TIMEOUT)
		code = 504;
	else if (status == HOSTD_E_FULL)
		code = 503;
	if (p->answered)
		(void)in->easy.http->abort(in->easy.host, p->req);
	else
		fail(in, p->req, code, text);
}

static const struct hostd_fetch_ops fetch_ops = {
    .struct_size = sizeof(struct hostd_fetch_ops),
    .on_info = fetch_info,
    .on_response = fetch_response,
    .on_body = fetch_body,
    .on_writable = fetch_writable,
    .on_end = fetch_end,
};

/* -- the request -- */

static int32_t
refused(struct hostd_inst *in, hostd_req req, int32_t rc)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "refused %d", (int)rc);
	fail(in, req, 400, hostd_str(text));
	return HOSTD_OK;
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r =
	    in->easy.http->request(in->easy.host, req);
	int upgrade = (r->flags & HOSTD_REQ_UPGRADE) != 0;
	hostd_hdr h[HEADERS_MAX];
	struct hostd_fetch_request ask = {.struct_size = sizeof(ask)};
	struct pass *p = d;
	int32_t rc;

	p->in = in;
	p->req = req;
	ask.flags = (upgrade ? HOSTD_FETCH_UPGRADE : 0) |
	    (in->buffer ? HOSTD_FETCH_BUFFER : 0);
	ask.method = r->method_name;
	ask.target = r->target;
	ask.nheaders = copy_headers(h, r->headers, r->nheaders, upgrade);
	ask.headers = h;
	ask.next = (uint32_t)in->next;
	ask.tries = (uint32_t)in->tries;
	ask.next_timeout_ms = (uint32_t)in->next_timeout;
	ask.connect_timeout_ms = (uint32_t)in->connect;
	ask.send_timeout_ms = (uint32_t)in->send;
	ask.read_timeout_ms = (uint32_t)in->read;
	ask.timeout_ms = (uint32_t)in->all;
	ask.max_body = (uint64_t)in->max_body;
	if (in->server)
		(void)in->easy.http->header(in->easy.host, req, "X-Server",
		    &ask.server);
	ask.length = upgrade ? 0 : r->content_length;
	ask.on_behalf = req;
	rc = in->fetch->start(in->easy.host, &ask, &fetch_ops, p, &p->fetch);
	p->asked = rc == HOSTD_OK;
	if (rc < 0 && in->server)
		return refused(in, req, rc);
	return rc < 0 ? rc : HOSTD_DEFER;
}

static int32_t
on_body(struct hostd_inst *in, hostd_req req, void *d, hostd_buf part,
    int32_t fin)
{
	const hostd_hdr *trailers = NULL;
	struct pass *p = d;
	uint32_t n = 0;
	int32_t rc;

	if (!p->asked)
		return HOSTD_DEFER;
	if (part.n > 0) {
		rc = in->fetch->write(in->easy.host, p->fetch, part);
		if (rc == HOSTD_AGAIN)
			(void)in->easy.http->body_pause(in->easy.host, req, 1);
		else if (rc == HOSTD_E_FULL)
			return rc;
	}
	if (fin) {
		(void)in->easy.http->trailers(in->easy.host, req, &trailers,
		    &n);
		(void)in->fetch->finish(in->easy.host, p->fetch, trailers, n);
	}
	return HOSTD_DEFER;
}

static void
on_writable(struct hostd_inst *in, hostd_req req, void *d)
{
	struct pass *p = d;

	(void)req;
	(void)in->fetch->body_pause(in->easy.host, p->fetch, 0);
}

static const struct hostd_http_ops http_ops = {
    .struct_size = sizeof(struct hostd_http_ops),
    .data_size = sizeof(struct pass),
    .on_headers = on_headers,
    .on_body = on_body,
    .on_writable = on_writable,
};

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in;
	int32_t rc = hostd_easy_create(sizeof(*in), host, out, err);

	if (rc != HOSTD_OK)
		return rc;
	in = *out;
	in->fetch = host->get_ext(host, HOSTD_EXT_FETCH);
	if (in->fetch == NULL) {
		free(in);
		return hostd_fail(err, HOSTD_E_NOTSUP, "no " HOSTD_EXT_FETCH);
	}
	(void)conf->get_int(conf, "next", &in->next);
	(void)conf->get_int(conf, "tries", &in->tries);
	(void)conf->get_int(conf, "max_body", &in->max_body);
	(void)conf->get_int(conf, "next_timeout", &in->next_timeout);
	(void)conf->get_int(conf, "connect", &in->connect);
	(void)conf->get_int(conf, "send", &in->send);
	(void)conf->get_int(conf, "read", &in->read);
	(void)conf->get_int(conf, "all", &in->all);
	(void)conf->get_int(conf, "buffer", &in->buffer);
	(void)conf->get_int(conf, "forget", &in->forget);
	(void)conf->get_int(conf, "server", &in->server);
	rc = in->fetch->check(host, NULL, err);
	if (rc != HOSTD_OK)
		free(in);
	return rc;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

#define KEY(key, text)							\
	static const struct hostd_key key_##key = {			\
	    .struct_size = sizeof(key_##key), .type = HOSTD_KEY_INT,	\
	    .name = #key, .dflt = "0", .help = text, .max = INT32_MAX}

KEY(next, "HOSTD_NEXT_*.");
KEY(tries, "Servers at most.");
KEY(max_body, "Bytes of an answer.");
KEY(next_timeout, "ms.");
KEY(connect, "ms.");
KEY(send, "ms.");
KEY(read, "ms.");
KEY(all, "ms.");
KEY(buffer, "1: HOSTD_FETCH_BUFFER.");
KEY(forget, "1: answers are not passed on.");
KEY(server, "1: the server is that of the header X-Server.");

static const struct hostd_key *const keys[] = {&key_next, &key_tries,
    &key_max_body, &key_next_timeout, &key_connect, &key_send, &key_read,
    &key_all, &key_buffer, &key_forget, &key_server, NULL};
static const struct hostd_provide provide = {.struct_size = sizeof(provide),
    .kind = HOSTD_KIND_HTTP_ROUTE,
    .ops = &http_ops};
static const struct hostd_provide *const provides[] = {&provide, NULL};

HOSTD_PLUGIN_ENTRY = {HOSTD_PREFIX(0), .id = "fetch_route", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .keys = keys,
    .create = create, .destroy = destroy};
