/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever clients may be in the middle of when a worker is replaced.  Every
 * answer begins with the worker's pid and VERSION, with which it was built.
 * By path (behind the route's prefix):
 *
 *	now?X		answered at once; X comes back
 *	sum?X		the same when the body is read, with its size and sum
 *	late?MS		answered after MS
 *	source?N	N bytes as the client takes them; pid and version are
 *			in a header
 *	crash		the worker ends
 *
 * And to a WebSocket, in text:
 *
 *	join C		it hears C
 *	pub C WORDS	C hears "~ C WORDS"
 *	say X		"= PID VERSION N X", the Nth that was said here
 *
 * Built with -DBROKEN=1 its create fails, with 2 it crashes.
 */
#include <hostd/easy.h>
#include <hostd/timer.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION 1
#endif
#ifndef BROKEN
#define BROKEN 0
#endif

#define BLOCK (26 * 512)

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_timer_api *timers;
	char block[BLOCK];
};

struct busy {
	hostd_timer timer;
	int waits;
	uint64_t left; /* of a source */
	uint64_t seen;	     /* of a body */
	uint32_t sum;
};

static int
is(const struct hostd_request *r, const char *name)
{
	return r->rest.n == strlen(name) &&
	    memcmp(r->rest.p, name, r->rest.n) == 0;
}

static unsigned long
number(hostd_buf b)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%.*s", (int)b.n,
	    (const char *)b.p);
	return strtoul(text, NULL, 10);
}

static int32_t
answer(struct hostd_inst *in, hostd_req req, const struct busy *b)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	char text[256];

	(void)snprintf(text, sizeof(text), "%d %d %.*s %llu %u\n",
	    (int)getpid(), VERSION, (int)r->query.n, (const char *)r->query.p,
	    (unsigned long long)b->seen, b->sum);
	return hostd_respond(in, req, 200, "text/plain", text);
}

/* -- later -- */

static void
late(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	hostd_req req = { (uint64_t)(uintptr_t)arg };
	struct busy none = { .waits = 0 };

	(void)timer;
	(void)answer(in, req, &none);
}

static int32_t
defer(struct hostd_inst *in, hostd_req req, struct busy *b, unsigned long ms)
{
	int32_t rc;

	rc = in->timers->start(in->easy.host, ms, 0, late,
	    (void *)(uintptr_t)req.id, &b->timer);
	b->waits = rc == HOSTD_OK;
	return b->waits ? HOSTD_DEFER : rc;
}

/* -- a long answer -- */

static int32_t
pump(struct hostd_inst *in, hostd_req req, struct busy *b)
{
	const struct hostd_easy *e = &in->easy;
	hostd_buf part = { in->block, BLOCK };
	int32_t rc = HOSTD_OK;

	while (b->left > 0 && rc == HOSTD_OK) {
		if (part.n > b->left)
			part.n = (size_t)b->left;
		rc = e->http->write(e->host, req, part);
		if (rc >= 0)
			b->left -= part.n;
	}
	return rc == HOSTD_OK ? e->http->finish(e->host, req) : rc;
}

static int32_t
source(struct hostd_inst *in, hostd_req req, struct busy *b, unsigned long n)
{
	const struct hostd_easy *e = &in->easy;
	char who[64];
	hostd_hdr h;
	int32_t rc;

	(void)snprintf(who, sizeof(who), "%d %d", (int)getpid(), VERSION);
	h = hostd_header("X-Worker", who);
	b->left = n;
	rc = e->http->begin(e->host, req, 200, &h, 1, (int64_t)n);
	if (rc == HOSTD_OK)
		rc = pump(in, req, b);
	return rc < 0 ? rc : HOSTD_DEFER;
}

static void
on_writable(struct hostd_inst *in, hostd_req req, void *d)
{
	struct busy *b = d;

	if (b->left > 0)
		(void)pump(in, req, b);
	else
		(void)in->easy.http->finish(in->easy.host, req);
}

/* -- requests -- */

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);

	if (is(r, "sum"))
		return HOSTD_OK;
	if (is(r, "late"))
		return defer(in, req, d, number(r->query));
	if (is(r, "source"))
		return source(in, req, d, number(r->query));
	if (is(r, "crash"))
		abort();
	return answer(in, req, d);
}

static int32_t
on_body(struct hostd_inst *in, hostd_req req, void *d, hostd_buf part,
    int32_t fin)
{
	const unsigned char *p = part.p;
	struct busy *b = d;
	size_t i;

	b->seen += part.n;
	for (i = 0; i < part.n; i++)
		b->sum = b->sum * 31 + p[i];
	if (!fin || !is(hostd_request_of(in, req), "sum"))
		return HOSTD_OK;
	return answer(in, req, b);
}

static void
on_end(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	struct busy *b = d;

	(void)req;
	(void)why;
	if (b->waits)
		(void)in->timers->stop(in->easy.host, b->timer);
}

static const struct hostd_http_ops http_ops = {
	.struct_size = sizeof(http_ops),
	.data_size = sizeof(struct busy),
	.on_headers = on_headers,
	.on_body = on_body,
	.on_writable = on_writable,
	.on_end = on_end,
};

/* -- sockets -- */

static int32_t
say(struct hostd_inst *in, hostd_ws ws, uint32_t *said, const char *what)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "= %d %d %u %s", (int)getpid(),
	    VERSION, ++*said, what);
	return hostd_ws_text(in, ws, text);
}

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	hostd_ws nobody = { 0 };
	char line[256], verb[8] = "", channel[64] = "", text[256];
	int at = 0;
	hostd_buf b = { text, 0 };

	(void)flags;
	(void)snprintf(line, sizeof(line), "%.*s", (int)msg.n,
	    (const char *)msg.p);
	(void)sscanf(line, "%7s %n%63s", verb, &at, channel);
	if (strcmp(verb, "say") == 0)
		return say(in, ws, d, line + at);
	if (strcmp(verb, "join") == 0)
		return hostd_room_join(in, ws, channel);
	b.n = (size_t)snprintf(text, sizeof(text), "~ %s", line + at);
	return hostd_room_send(in, channel, b, HOSTD_WS_TEXT, nobody);
}

static const struct hostd_ws_ops ws_ops = {
	.struct_size = sizeof(ws_ops),
	.data_size = sizeof(uint32_t),
	.on_message = on_message,
};
HOSTD_WS_STATE_PLAIN(1, ws_ops)

/* -- life -- */

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	int32_t rc;
	size_t i;

	(void)conf;
	if (BROKEN == 1)
		return hostd_fail(err, HOSTD_E_INVAL, "built to fail");
	if (BROKEN == 2)
		abort();
	rc = hostd_easy_create(sizeof(**out), host, out, err);
	if (rc != HOSTD_OK)
		return rc;
	(*out)->timers = host->get_ext(host, HOSTD_EXT_TIMER);
	for (i = 0; i < BLOCK; i++)
		(*out)->block[i] = (char)('a' + i % 26);
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_provide http = {
	.struct_size = sizeof(http),
	.kind = HOSTD_KIND_HTTP_ROUTE,
	.ops = &http_ops,
	.route = "/busy/",
};
static const struct hostd_provide ws = {
	.struct_size = sizeof(ws),
	.kind = HOSTD_KIND_WS_HANDLER,
	.ops = &ws_ops,
	.route = "/busy/",
};
static const struct hostd_provide *const provides[] = { &http, &ws, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0),
	.id = "busy_route",
	.version = "1.0",
	.built_with = HOSTD_SDK_VERSION,
	.provides = provides,
	.create = create,
	.destroy = destroy,
	.get_ext = hostd_ws_plain_get_ext,
};
