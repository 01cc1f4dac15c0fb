/* SPDX-License-Identifier: BSD-2-Clause */
/* The answer's head as the client gets it. */
#include <stdio.h>
#include "exchange.h"
#include "hop.h"
#include "redirect.h"
#include "text.h"

#define DRAINED	65536	/* bytes of an unwanted body that are read: it costs
			   less than a new connection */

/* -- headers -- */

struct making {
	const struct exchange *x;
	struct facts f;
	struct hop hop;
	hostd_buf host;		/* that the server was asked for */
	int gzip;		/* as gzip_wanted */
};

static int
is_hidden(const struct making *m, hostd_buf name)
{
	const struct settings *s = &m->x->in->settings;

	return hop_has(&m->hop, name) || rules_is_owned(name) ||
	    rules_have(&s->hide, name) ||
	    (s->cache_status && m->x->cache.status != CACHE_NONE &&
	    text_is(name, "x-cache-status")) ||
	    (text_is(name, "x-request-id") && m->x->nid > 0) ||
	    (m->gzip > 0 && (text_is(name, "accept-ranges") ||
	    text_is(name, "content-md5") ||
	    text_is(name, "content-digest")));
}

/* What is compressed is the same only as it is understood. */
static hostd_buf
weaken(hostd_buf etag, struct head *out)
{
	if (etag.n == 0 || *(const char *)etag.p != '"')
		return etag;
	head_open(out);
	head_puts(out, "W/");
	head_put(out, etag);
	return head_take(out);
}

static void
add_received(struct making *m, const hostd_hdr *h, struct head *out)
{
	const struct settings *s = &m->x->in->settings;
	hostd_buf v = h->value;

	if (is_hidden(m, h->name))
		return;
	if (text_is(h->name, "location") ||
	    text_is(h->name, "content-location"))
		v = redirect_location(s, v, &m->f, m->host, out);
	else if (text_is(h->name, "refresh"))
		v = redirect_refresh(s, v, &m->f, m->host, out);
	else if (text_is(h->name, "set-cookie"))
		v = cookie_rewrite(v, &s->cookie_paths, &s->cookie_domains,
		    out);
	else if (m->gzip > 0 && text_is(h->name, "etag"))
		v = weaken(v, out);
	head_add(out, h->name, v);
}

static int
varies(const struct hostd_fetch_response *a)
{
	hostd_buf rest, token;
	uint32_t i;

	for (i = 0; i < a->nheaders; i++) {
		if (!text_is(a->headers[i].name, "vary"))
			continue;
		rest = a->headers[i].value;
		while (text_next(&rest, ',', &token))
			if (text_is(token, "*") ||
			    text_is(token, "accept-encoding"))
				return 1;
	}
	return 0;
}

static void
add_ours(struct making *m, const struct hostd_fetch_response *a,
    struct head *out)
{
	const struct exchange *x = m->x;
	uint32_t i;

	for (i = 0; i < x->cache.nadd; i++)
		head_add(out, x->cache.add[i].name, x->cache.add[i].value);
	if (x->in->settings.cache_status && x->cache.status != CACHE_NONE)
		head_add(out, text_of("X-Cache-Status", 14),
		    m->f.cache_status);
	if (a->set_cookie.p != NULL)
		head_add(out, text_of("Set-Cookie", 10), a->set_cookie);
	if (x->nid > 0)
		head_add(out, text_of("X-Request-ID", 12),
		    text_of(x->id, x->nid));
	if (m->gzip > 0)
		head_add(out, text_of("Content-Encoding", 16),
		    text_of("gzip", 4));
	if (m->gzip != 0 && !varies(a))
		head_add(out, text_of("Vary", 4),
		    text_of("Accept-Encoding", 15));
	rules_add(&x->in->settings.add, &m->f, out);
}

/* In the instance's head; -1: it is too large, or there is no request. */
static int
make_head(struct exchange *x, const struct hostd_fetch_response *a, int *gzip)
{
	struct head *out = &x->in->head;
	struct making m;
	uint32_t i;

	memset(&m, 0, sizeof(m));
	m.x = x;
	exchange_facts(x, a, &m.f);
	if (m.f.request == NULL)
		return -1;
	head_clear(out);
	m.host = forward_host(x->in, &m.f, out);
	m.gzip = *gzip = gzip_wanted(&x->in->settings, m.f.request, a);
	hop_read(&m.hop, a->headers, a->nheaders);
	for (i = 0; i < a->nheaders; i++)
		add_received(&m, &a->headers[i], out);
	add_ours(&m, a, out);
	return out->full ? -1 : 0;
}

/* -- what happens -- */

void
answer_info(struct exchange *x, const struct hostd_fetch_response *a)
{
	const struct hostd_http_api *http = x->in->easy.http;
	struct head *out = &x->in->head;
	struct hop hop;
	uint32_t i;

	if (a->status == 101)
		return;
	head_clear(out);
	hop_read(&hop, a->headers, a->nheaders);
	for (i = 0; i < a->nheaders; i++)
		if (!hop_has(&hop, a->headers[i].name) &&
		    !rules_is_owned(a->headers[i].name) &&
		    !rules_have(&x->in->settings.hide, a->headers[i].name))
			head_add(out, a->headers[i].name,
			    a->headers[i].value);
	(void)http->inform(x->in->easy.host, x->req, a->status, out->v,
	    out->n);
}

/* Is it one of those that the client has named? */
static int
was_asked_for(const struct exchange *x, hostd_buf protocol)
{
	const struct hostd_request *q = hostd_request_of(x->in, x->req);
	hostd_buf rest, token;
	uint32_t i;

	for (i = 0; i < q->nheaders; i++) {
		if (!text_is(q->headers[i].name, "upgrade"))
			continue;
		rest = q->headers[i].value;
		while (text_next(&rest, ',', &token))
			if (token.n > 0 && text_same(token, protocol))
				return 1;
	}
	return 0;
}

static void
answer_tunnel(struct exchange *x, const struct hostd_fetch_response *a)
{
	struct hostd_inst *in = x->in;

	if (!was_asked_for(x, a->protocol)) {
		(void)exchange_fail(x, 502, hostd_str(
		    "the server has changed to another protocol"));
		return;
	}
	if (in->fetch->tunnel(in->easy.host, x->fetch, in->head.v, in->head.n,
	    in->settings.tunnel_timeout) != HOSTD_OK) {
		(void)exchange_fail(x, 502,
		    hostd_str("the upgrade could not be passed on"));
		return;
	}
	x->tunnel = x->begun = x->complete = x->finished = 1;
}

/* The operator's page instead, with what tells the client how to go on. */
static void
answer_intercept(struct exchange *x, const struct hostd_fetch_response *a)
{
	static const char *const kept[] = { "WWW-Authenticate", "Retry-After",
		"Allow", "Location" };
	struct hostd_inst *in = x->in;
	hostd_buf none = { NULL, 0 }, v;
	hostd_hdr h[8];
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		v = text_header(a->headers, a->nheaders, kept[i]);
		if (v.n > 0) {
			h[n].name = hostd_str(kept[i]);
			h[n++].value = v;
		}
	}
	if (a->set_cookie.p != NULL) {
		h[n].name = hostd_str("Set-Cookie");
		h[n++].value = a->set_cookie;
	}
	if (x->nid > 0) {
		h[n].name = hostd_str("X-Request-ID");
		h[n++].value = text_of(x->id, x->nid);
	}
	x->begun = x->unwanted = x->finished = 1;
	if (a->content_length < 0 || a->content_length > DRAINED ||
	    (x->has_body && !x->body_sent))
		exchange_drop(x);
	(void)in->easy.http->respond(in->easy.host, x->req, a->status, h, n,
	    none);
}

/* The body's size for the client; -1: not known. */
static int64_t
length_of(const struct exchange *x, const struct hostd_fetch_response *a)
{
	const struct hostd_request *q = hostd_request_of(x->in, x->req);
	hostd_buf v;
	int64_t n = 0;
	size_t i;

	if (q->method != HOSTD_METHOD_HEAD || x->whole ||
	    a == &x->cache.answer)
		return a->content_length;
	v = text_header(a->headers, a->nheaders, "content-length");
	if (v.n == 0 || v.n > 18)
		return -1;
	for (i = 0; i < v.n; i++) {
		if (((const char *)v.p)[i] < '0' ||
		    ((const char *)v.p)[i] > '9')
			return -1;
		n = n * 10 + ((const char *)v.p)[i] - '0';
	}
	return n;
}

/* As nginx: the application knows best whether it streams. */
static int
is_buffered(const struct exchange *x, const struct hostd_fetch_response *a)
{
	hostd_buf v = text_header(a->headers, a->nheaders,
	    "x-accel-buffering");

	if (text_is(v, "no") || text_is(v, "yes"))
		return text_is(v, "yes");
	return x->in->settings.buffering;
}

static void
begin(struct exchange *x, const struct hostd_fetch_response *a, int gzip)
{
	struct hostd_inst *in = x->in;
	int64_t length = length_of(x, a);
	int32_t rc;

	x->buffering = (uint8_t)is_buffered(x, a);
	if (gzip > 0) {
		x->gzip = gzip_new(&in->gzips, in->settings.gzip_level,
		    length < 0);
		if (x->gzip == NULL) {
			(void)exchange_fail(x, 503,
			    hostd_str("out of memory for compression"));
			return;
		}
		length = -1;
	}
	rc = in->easy.http->begin(in->easy.host, x->req, a->status,
	    in->head.v, in->head.n, length);
	if (rc == HOSTD_OK)
		x->begun = 1;
	else
		(void)exchange_fail(x, 502,
		    hostd_str("the answer's head could not be passed on"));
}

void
answer_begin(struct exchange *x, const struct hostd_fetch_response *a)
{
	uint64_t most = x->in->settings.max_response;
	int gzip;

	if (most > 0 && a->content_length > 0 &&
	    (uint64_t)a->content_length > most) {
		(void)exchange_fail(x, 502,
		    hostd_str("the answer is larger than max_response"));
		return;
	}
	if (make_head(x, a, &gzip) == -1) {
		(void)exchange_fail(x, 502,
		    hostd_str("the answer's head is too large"));
		return;
	}
	if (a->status == 101)
		answer_tunnel(x, a);
	else if (a->status >= 400 && x->in->settings.intercept_errors)
		answer_intercept(x, a);
	else
		begin(x, a, gzip);
}

static void
send_cached(struct exchange *x)
{
	if (x->gzip != NULL) {
		download_cached(x);
		return;
	}
	x->finished = 1;
	if (cache_send(&x->cache) < 0)
		exchange_cut(x);
}

int32_t
answer_cached(struct exchange *x)
{
	const struct hostd_fetch_response *a = &x->cache.answer;
	int gzip;

	x->unwanted = 1;
	if (make_head(x, a, &gzip) == -1)
		return exchange_fail(x, 502,
		    hostd_str("the kept answer's head is too large"));
	if (a->status >= 400 && x->in->settings.intercept_errors) {
		answer_intercept(x, a);
		return HOSTD_OK;
	}
	begin(x, a, gzip);
	if (x->begun && !x->finished)
		send_cached(x);
	return HOSTD_OK;
}
