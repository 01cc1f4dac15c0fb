/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Says which worker has answered, and gives requests to others by their query:
 *
 *	slot=N		the worker of that slot is to answer
 *	bounce=1	each worker gives it to the next, until that fails
 *	late=1		it is tried when the body is there
 *	fail=1		given, and then the callback fails
 *	answer=1	given, and then answered
 *	hold=1		whoever is to answer says so in the log, and does not
 *
 * The answer is JSON, with "rc", the code of the last try to give it, and how
 * many bytes of a body came.  A WebSocket is told the same when it has opened.
 * What becomes of requests that were given is logged.
 */
#include <hostd/easy.h>
#include <hostd/worker.h>
#include <unistd.h>

#define NOT_TRIED 99

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_worker_api *worker;
};

struct request {
	uint64_t body;
	int32_t rc;
};

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	int32_t rc = hostd_easy_create(sizeof(struct hostd_inst), host, out,
	    err);

	(void)conf;
	if (rc < 0)
		return rc;
	(*out)->worker = host->get_ext(host, HOSTD_EXT_WORKER);
	if ((*out)->worker != NULL && (*out)->easy.ws != NULL &&
	    (*out)->worker->self(host) != NULL)
		return HOSTD_OK;
	free(*out);
	return hostd_fail(err, HOSTD_E_NOTSUP, "no worker, or no WebSockets");
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static void
describe(struct hostd_inst *in, const struct request *q, char text[512])
{
	const struct hostd_worker_info *w = in->worker->self(in->easy.host);

	(void)snprintf(text, 512, "{\"slot\":%u,\"workers\":%u,\"pool\":\"%s\","
	    "\"node\":\"%016llx\",\"process\":%llu,\"pid\":%d,\"body\":%llu,"
	    "\"rc\":%d}", w->slot, w->workers, w->pool,
	    (unsigned long long)w->node, (unsigned long long)w->process,
	    (int)getpid(), (unsigned long long)q->body, q->rc);
}

/* The number behind a word of the query; -1: it is not there. */
static long
asked(struct hostd_inst *in, hostd_req req, const char *word)
{
	const struct hostd_request *r = in->easy.http->request(in->easy.host,
	    req);
	const char *at;
	char query[128] = "";

	if (r->query.p != NULL && r->query.n < sizeof(query))
		memcpy(query, r->query.p, r->query.n);
	at = strstr(query, word);
	return at == NULL ? -1 : atol(at + strlen(word));
}

static int32_t
try_to_give(struct hostd_inst *in, hostd_req req)
{
	const struct hostd_worker_info *w = in->worker->self(in->easy.host);
	long slot = asked(in, req, "slot=");

	if (asked(in, req, "bounce=") == 1)
		slot = (w->slot + 1) % w->workers;
	if (slot < 0 || asked(in, req, "late=") == 1)
		return NOT_TRIED;
	return in->worker->give(in->easy.host, req, (uint32_t)slot);
}

/* What may be done with one that was given: nothing. */
static int32_t
misuse(struct hostd_inst *in, hostd_req req)
{
	if (asked(in, req, "answer=") == 1)
		hostd_logf(in->easy.host, HOSTD_LOG_WARN,
		    "again %d, answered %d",
		    (int)in->worker->give(in->easy.host, req, 0),
		    (int)hostd_respond(in, req, 200, "text/plain", "mine"));
	return asked(in, req, "fail=") == 1 ? HOSTD_E_IO : HOSTD_DEFER;
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	struct request *q = d;

	q->rc = try_to_give(in, req);
	return q->rc == HOSTD_OK ? misuse(in, req) : HOSTD_OK;
}

static int32_t
on_body(struct hostd_inst *in, hostd_req req, void *d, hostd_buf part,
    int32_t fin)
{
	struct request *q = d;
	char text[512];

	q->body += part.n;
	if (!fin)
		return HOSTD_OK;
	if (asked(in, req, "hold=") == 1) {
		hostd_logf(in->easy.host, HOSTD_LOG_WARN, "held");
		return HOSTD_DEFER;
	}
	if (asked(in, req, "late=") == 1)
		q->rc = in->worker->give(in->easy.host, req,
		    (uint32_t)asked(in, req, "slot="));
	describe(in, q, text);
	return hostd_respond(in, req, 200, "application/json", text);
}

static void
on_end(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	const struct request *q = d;

	(void)req;
	if (q->rc == HOSTD_OK)
		hostd_logf(in->easy.host, HOSTD_LOG_WARN,
		    "given, ended %d", (int)why);
}

/* -- WebSockets -- */

static int32_t
on_upgrade(struct hostd_inst *in, hostd_req req, void *d)
{
	struct request *q = d;

	q->rc = try_to_give(in, req);
	return HOSTD_OK;
}

static void
on_refused(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	on_end(in, req, d, why);
}

static void
on_open(struct hostd_inst *in, hostd_ws ws, void *d)
{
	char text[512];

	describe(in, d, text);
	(void)in->easy.ws->send(in->easy.host, ws, hostd_str(text),
	    HOSTD_WS_TEXT);
}

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	(void)d, (void)flags;
	return in->easy.ws->send(in->easy.host, ws, msg, HOSTD_WS_TEXT);
}

static const struct hostd_http_ops http_ops = {.struct_size = sizeof(http_ops),
    .data_size = sizeof(struct request), .on_headers = on_headers,
    .on_body = on_body, .on_end = on_end};
static const struct hostd_ws_ops ws_ops = {.struct_size = sizeof(ws_ops),
    .data_size = sizeof(struct request), .on_upgrade = on_upgrade,
    .on_refused = on_refused, .on_open = on_open, .on_message = on_message};
static const struct hostd_provide http = {.struct_size = sizeof(http),
    .kind = HOSTD_KIND_HTTP_ROUTE, .ops = &http_ops};
static const struct hostd_provide ws = {.struct_size = sizeof(ws),
    .kind = HOSTD_KIND_WS_HANDLER, .ops = &ws_ops};
static const struct hostd_provide *const provides[] = {&http, &ws, NULL};

HOSTD_PLUGIN_ENTRY = {HOSTD_PREFIX(5), .id = "give_both", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .create = create,
    .destroy = destroy};
