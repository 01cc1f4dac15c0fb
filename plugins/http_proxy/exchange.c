/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdio.h>
#include "exchange.h"
#include "text.h"

#define TOLD_A_SECOND	10	/* lines about failures */
#define TARGET_TOLD	200	/* bytes of one in such a line */

/* -- memory -- */

static const struct hostd_fetch_ops exchange_ops, again_ops;

struct exchange *
exchange_new(struct hostd_inst *in, hostd_req req)
{
	struct exchange *x = in->unused;

	if (x != NULL)
		in->unused = x->next;
	else if ((x = malloc(sizeof(*x))) == NULL)
		return NULL;
	memset(x, 0, offsetof(struct exchange, id));
	x->in = in;
	x->req = req;
	x->cache.cache = NULL;
	x->cache.status = CACHE_NONE;
	x->cache.nadd = x->cache.nask = 0;
	return x;
}

void
exchange_release(struct exchange *x)
{
	struct hostd_inst *in = x->in;

	if (x->req.id != 0 || x->fetch.id != 0)
		return;
	spool_free(&x->up);
	spool_free(&x->down);
	gzip_free(&in->gzips, x->gzip);
	free(x->trailers);
	x->next = in->unused;
	in->unused = x;
}

void
exchanges_free(struct hostd_inst *in)
{
	struct exchange *x;

	while ((x = in->unused) != NULL) {
		in->unused = x->next;
		free(x);
	}
}

/* -- asking -- */

void
exchange_facts(const struct exchange *x, const struct hostd_fetch_response *a,
    struct facts *f)
{
	const char *status;

	memset(f, 0, sizeof(*f));
	f->request = hostd_request_of(x->in, x->req);
	f->answer = a;
	f->request_id = text_of(x->id, x->nid);
	status = cache_status_text(x->cache.status);
	f->cache_status = text_of(status, strlen(status));
	f->auth = x->in->auth;
	f->tls = x->in->tls;
	f->host = x->in->easy.host;
	f->id = x->req;
}

/* The body, if all of it is here in one piece. */
static void
give_body(struct exchange *x, struct hostd_fetch_request *fr)
{
	if (!x->body_done || !x->has_body ||
	    !spool_is_memory(&x->up, &fr->body))
		return;
	fr->length = (int64_t)fr->body.n;
	x->body_sent = 1;
}

int32_t
exchange_request(struct exchange *x, int64_t length,
    struct hostd_fetch_request *fr)
{
	struct hostd_inst *in = x->in;
	const struct settings *s = &in->settings;
	int32_t rc;

	memset(fr, 0, sizeof(*fr));
	fr->struct_size = sizeof(*fr);
	if ((rc = forward_head(x, &fr->target)) != HOSTD_OK)
		return rc;
	fr->flags = HOSTD_FETCH_ROUTE |
	    (x->upgrade ? HOSTD_FETCH_UPGRADE : 0) |
	    (s->ignore_abort ? HOSTD_FETCH_OUTLIVES : 0) |
	    (x->traced && rules_have(&s->remove, text_of("traceparent", 11)) ?
	    HOSTD_FETCH_UNTRACED : 0);
	fr->upstream = s->upstream;
	if (!x->whole)
		fr->method = hostd_request_of(in, x->req)->method_name;
	fr->headers = in->head.v;
	fr->nheaders = in->head.n;
	fr->next = s->next;
	fr->tries = s->tries;
	fr->next_timeout_ms = s->next_timeout;
	fr->connect_timeout_ms = s->connect_timeout;
	fr->send_timeout_ms = s->send_timeout;
	fr->read_timeout_ms = s->read_timeout;
	fr->timeout_ms = s->timeout;
	fr->length = length;
	fr->on_behalf = x->req;
	return HOSTD_OK;
}

int32_t
exchange_ask(struct exchange *x, int64_t length)
{
	struct hostd_inst *in = x->in;
	struct hostd_fetch_request fr;
	int32_t rc;

	if ((rc = exchange_request(x, length, &fr)) != HOSTD_OK)
		return rc == HOSTD_E_GONE ? rc : exchange_fail(x, 431,
		    hostd_str("the request's head is too large"));
	give_body(x, &fr);
	rc = in->fetch->start(in->easy.host, &fr, x->up.kept > 0 ?
	    &again_ops : &exchange_ops, x, &x->fetch);
	if (rc == HOSTD_OK)
		return HOSTD_DEFER;
	x->fetch.id = 0;
	if (cached_failed(x, rc))
		return HOSTD_OK;
	return exchange_fail(x, rc == HOSTD_E_FULL || rc == HOSTD_E_STATE ?
	    503 : 502, hostd_str("no server could be asked"));
}

/* -- failing -- */

/* At most some lines a second: all servers may be down under load. */
static int
may_tell(struct hostd_inst *in)
{
	uint64_t now = in->easy.host->now_ms(in->easy.host);

	if (now - in->told_ms >= 1000) {
		if (in->untold > 0)
			hostd_logf(in->easy.host, HOSTD_LOG_WARN,
			    "and %u more requests failed", in->untold);
		in->told_ms = now;
		in->told = in->untold = 0;
	}
	if (in->told++ < TOLD_A_SECOND)
		return 1;
	in->untold++;
	return 0;
}

/* What is in a query may be a secret. */
static size_t
length_to_tell(hostd_buf target)
{
	size_t n = target.n < TARGET_TOLD ? target.n : TARGET_TOLD;
	const char *query = n > 0 ? memchr(target.p, '?', n) : NULL;

	return query != NULL ? (size_t)(query - (const char *)target.p) : n;
}

static void
tell(struct exchange *x, const char *what, hostd_buf why)
{
	const struct hostd_request *q = hostd_request_of(x->in, x->req);

	if (q == NULL || !may_tell(x->in))
		return;
	hostd_logf(x->in->easy.host, HOSTD_LOG_WARN,
	    "%s: %.*s (%.*s %.*s, request %.*s)", what,
	    (int)(why.n < 300 ? why.n : 300), (const char *)why.p,
	    (int)q->method_name.n, (const char *)q->method_name.p,
	    (int)length_to_tell(q->target),
	    (const char *)q->target.p, (int)x->nid, x->id);
}

int32_t
exchange_fail(struct exchange *x, int32_t status, hostd_buf why)
{
	struct hostd_inst *in = x->in;
	hostd_buf none = { NULL, 0 };
	char seconds[16], what[32];
	hostd_hdr h[2];
	uint32_t n = 0;

	if (x->begun) {
		tell(x, "cut short", why);
		exchange_cut(x);
		return HOSTD_OK;
	}
	(void)snprintf(what, sizeof(what), "answered %d", (int)status);
	tell(x, what, why);
	x->begun = x->unwanted = x->finished = 1;
	exchange_drop(x);
	upload_forget(x);
	if (x->nid > 0) {
		h[n].name = hostd_str("X-Request-ID");
		h[n++].value = text_of(x->id, x->nid);
	}
	if (status == 503 && in->settings.retry_after > 0) {
		(void)snprintf(seconds, sizeof(seconds), "%u",
		    in->settings.retry_after);
		h[n++] = hostd_header("Retry-After", seconds);
	}
	return in->easy.http->respond(in->easy.host, x->req, status, h, n,
	    none);
}

void
exchange_cut(struct exchange *x)
{
	const struct hostd_request *q = hostd_request_of(x->in, x->req);
	const struct hostd_http_api *http = x->in->easy.http;

	x->unwanted = x->finished = 1;
	exchange_drop(x);
	/* Who has asked for a head has all of it, though the cache wanted
	 * more. */
	if (x->begun && q != NULL && q->method == HOSTD_METHOD_HEAD)
		(void)http->finish(x->in->easy.host, x->req);
	else
		(void)http->abort(x->in->easy.host, x->req);
}

void
exchange_drop(struct exchange *x)
{
	if (x->fetch.id != 0)
		(void)x->in->fetch->cancel(x->in->easy.host, x->fetch);
}

int
exchange_outlives(const struct exchange *x)
{
	return x->in->settings.ignore_abort && (!x->has_body || x->body_sent);
}

/* -- what the server's side tells -- */

static void
on_info(struct hostd_inst *in, hostd_fetch fetch, void *arg,
    const struct hostd_fetch_response *a)
{
	struct exchange *x = arg;

	(void)in;
	(void)fetch;
	if (x->req.id != 0 && !x->begun)
		answer_info(x, a);
}

static void
on_response(struct hostd_inst *in, hostd_fetch fetch, void *arg,
    const struct hostd_fetch_response *a)
{
	struct exchange *x = arg;

	(void)in;
	(void)fetch;
	if (x->req.id != 0 && !x->begun && !cached_instead(x, a))
		answer_begin(x, a);
}

static void
on_body(struct hostd_inst *in, hostd_fetch fetch, void *arg, hostd_buf part,
    int32_t fin)
{
	struct exchange *x = arg;

	(void)in;
	(void)fetch;
	if (x->req.id == 0 || x->unwanted)
		return;
	cached_part(x, part, fin);
	download_part(x, part, fin);
}

static void
on_writable(struct hostd_inst *in, hostd_fetch fetch, void *arg)
{
	(void)in;
	(void)fetch;
	upload_more(arg);
}

static int
status_of(int32_t code)
{
	if (code == HOSTD_E_TIMEOUT)
		return 504;
	return code == HOSTD_E_FULL ? 503 : 502;
}

static void
on_end(struct hostd_inst *in, hostd_fetch fetch, void *arg, int32_t status,
    hostd_buf text)
{
	struct exchange *x = arg;

	(void)in;
	(void)fetch;
	x->fetch.id = 0;
	/* Nobody asks for an exchange to end and wants its answer. */
	if (x->req.id != 0 && !x->complete && !x->unwanted &&
	    status != HOSTD_E_GONE && !cached_failed(x, status))
		(void)exchange_fail(x, status_of(status), text);
	if (x->req.id != 0)
		upload_forget(x);
	exchange_release(x);
}

static void
on_rewind(struct hostd_inst *in, hostd_fetch fetch, void *arg)
{
	(void)in;
	(void)fetch;
	upload_again(arg);
}

static const struct hostd_fetch_ops exchange_ops = {
	.struct_size = sizeof(exchange_ops),
	.on_info = on_info,
	.on_response = on_response,
	.on_body = on_body,
	.on_writable = on_writable,
	.on_end = on_end,
};

/* The same for a request whose body is all here. */
static const struct hostd_fetch_ops again_ops = {
	.struct_size = sizeof(again_ops),
	.on_info = on_info,
	.on_response = on_response,
	.on_body = on_body,
	.on_writable = on_writable,
	.on_end = on_end,
	.on_rewind = on_rewind,
};
