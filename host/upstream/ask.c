/* SPDX-License-Identifier: BSD-2-Clause */
/* The head of a request to a server. */
#include <string.h>
#include <strings.h>
#include "base/decimal.h"
#include "base/put.h"
#include "http/guard.h"
#include "http/trace.h"
#include "upstream/exchange.h"

#define HEAD_FIXED	192	/* request line's rest, framing, Connection */

/* What the headers that the owner has set mean for those that we set. */
struct ask {
	hostd_buf method;
	size_t size;			/* of all headers */
	int has_host, has_upgrade, has_te, has_trace;
};

static int
is_word(hostd_buf b, const char *word)
{
	return strlen(word) == b.n && strncasecmp(b.p, word, b.n) == 0;
}

/* Those that frame a message, or are between us and the server. */
static const char *
check_name(const struct up_exchange *x, struct ask *a, const hostd_hdr *h)
{
	static const char owned[] = "Connection, Content-Length, Keep-Alive, "
	    "Proxy-Connection, Transfer-Encoding and Upgrade are the host's "
	    "to set";

	switch (h->name.n) {
	case 2:
		if (!is_word(h->name, "te"))
			break;
		a->has_te = 1;
		return is_word(h->value, "trailers") ? NULL :
		    "TE may only be \"trailers\"";
	case 4:
		if (!is_word(h->name, "host"))
			break;
		return a->has_host++ == 0 ? NULL : "there are two Hosts";
	case 7:
		if (!is_word(h->name, "upgrade"))
			break;
		a->has_upgrade = 1;
		return x->rules.upgrade ? NULL : owned;
	case 10:
		if (is_word(h->name, "connection") ||
		    is_word(h->name, "keep-alive"))
			return owned;
		break;
	case 11:
		a->has_trace |= is_word(h->name, "traceparent");
		break;
	case 14:
		return is_word(h->name, "content-length") ? owned : NULL;
	case 16:
		return is_word(h->name, "proxy-connection") ? owned : NULL;
	case 17:
		return is_word(h->name, "transfer-encoding") ? owned : NULL;
	}
	return NULL;
}

static const char *
check_headers(const struct up_exchange *x, struct ask *a,
    const struct hostd_fetch_request *r)
{
	const char *why;
	uint32_t i;

	if (r->nheaders > 0 && r->headers == NULL)
		return "headers is NULL";
	for (i = 0; i < r->nheaders; i++) {
		const hostd_hdr *h = &r->headers[i];

		if (h->name.p == NULL || !is_token(h->name.p, h->name.n))
			return "a header has no proper name (RFC 9110 section "
			    "5.1)";
		if (h->value.n > 0 && (h->value.p == NULL ||
		    !is_field_value(h->value.p, h->value.n)))
			return "a header's value has bytes that no header may "
			    "have (RFC 9110 section 5.5)";
		if ((why = check_name(x, a, h)) != NULL)
			return why;
		a->size += h->name.n + h->value.n + 4;
	}
	return x->rules.upgrade && !a->has_upgrade ?
	    "an upgrade has no Upgrade header" : NULL;
}

static const char *
check_target(hostd_buf method, hostd_buf target)
{
	const unsigned char *p = target.p;
	size_t i;

	if (!is_token(method.p, method.n))
		return "its method is no token";
	if (is_word(method, "CONNECT"))
		return "CONNECT is for proxies of clients";
	if (target.n == 0 || p == NULL || (p[0] != '/' &&
	    !(target.n == 1 && p[0] == '*' && is_word(method, "OPTIONS"))))
		return "its target does not begin with \"/\"";
	for (i = 0; i < target.n; i++)
		if (p[i] < 0x21 || p[i] > 0x7e || p[i] == '#')
			return "its target has bytes that none may have";
	return NULL;
}

static const char *
check_body(const struct hostd_fetch_request *r)
{
	if (r->length < -1 || (r->body.n > 0 && r->body.p == NULL))
		return "its body makes no sense";
	if (r->length >= 0 && r->body.n > (uint64_t)r->length)
		return "its body is longer than its length";
	if ((r->flags & HOSTD_FETCH_UPGRADE) && r->length != 0)
		return "an upgrade has no body";
	return NULL;
}

static char *
put_field(char *p, hostd_buf name, hostd_buf value)
{
	p = bytes_put(p, name.p, name.n);
	p = TEXT_PUT(p, ": ");
	if (value.n > 0)
		p = bytes_put(p, value.p, value.n);
	return TEXT_PUT(p, "\r\n");
}

static int
is_with_body(hostd_buf method)
{
	return is_word(method, "POST") || is_word(method, "PUT") ||
	    is_word(method, "PATCH");
}

/* A server that is not to keep the connection need not wait for more. */
static int
is_kept(const struct up_exchange *x)
{
	const struct conf_upstream *conf = x->group->conf;

	return conf->keepalive > 0 && conf->keepalive_requests > 1 &&
	    conf->proxy_protocol == 0;
}

static char *
put_framing(char *p, const struct up_exchange *x, const struct ask *a)
{
	if (x->length < 0) {
		p = TEXT_PUT(p, "Transfer-Encoding: chunked\r\n");
	} else if (x->length > 0 || is_with_body(a->method)) {
		p = TEXT_PUT(p, "Content-Length: ");
		p = decimal_put(p, (uint64_t)x->length);
		p = TEXT_PUT(p, "\r\n");
	}
	if (x->rules.upgrade)
		p = TEXT_PUT(p, "Connection: Upgrade\r\n");
	else if (!is_kept(x))
		p = a->has_te ? TEXT_PUT(p, "Connection: TE, close\r\n") :
		    TEXT_PUT(p, "Connection: close\r\n");
	else if (a->has_te)
		p = TEXT_PUT(p, "Connection: TE\r\n");
	return TEXT_PUT(p, "\r\n");
}

/* A group may be called anything. */
static const char *
host_of(const char *group)
{
	return is_token(group, strlen(group)) ? group : "upstream";
}

/* -- the trace of the request that it is for -- */

static const hostd_buf traceparent = { "traceparent", 11 };

/* Lines of the tracestate go on as they came, as many as they were. */
static int
is_state_handed_on(const struct up_exchange *x, uint32_t i)
{
	return x->trace->has_state &&
	    trace_is_state(x->view->headers[i].name);
}

static size_t
trace_size(const struct up_exchange *x)
{
	size_t size = traceparent.n + TRACE_PARENT + 4;
	uint32_t i;

	for (i = 0; i < x->view->nheaders; i++)
		if (is_state_handed_on(x, i))
			size += x->view->headers[i].name.n +
			    x->view->headers[i].value.n + 4;
	return size;
}

static char *
put_trace(char *p, const struct up_exchange *x)
{
	uint32_t i;

	p = put_field(p, traceparent, trace_parent(x->trace));
	for (i = 0; i < x->view->nheaders; i++)
		if (is_state_handed_on(x, i))
			p = put_field(p, x->view->headers[i].name,
			    x->view->headers[i].value);
	return p;
}

/* -- the whole -- */

static void
put_head(struct up_exchange *x, const struct ask *a,
    const struct hostd_fetch_request *r)
{
	static const hostd_buf host = { "Host", 4 };
	const char *name = host_of(x->group->conf->name);
	hostd_buf group = { name, strlen(name) };
	int traced = x->trace != NULL && !a->has_trace;
	char *start, *p;
	uint32_t i;

	x->out.len = 0;
	p = start = buf_reserve(&x->out, HEAD_FIXED + a->method.n +
	    r->target.n + group.n + a->size + (traced ? trace_size(x) : 0));
	p = bytes_put(p, a->method.p, a->method.n);
	*p++ = ' ';
	p = bytes_put(p, r->target.p, r->target.n);
	p = TEXT_PUT(p, " HTTP/1.1\r\n");
	if (!a->has_host)
		p = put_field(p, host, group);
	for (i = 0; i < r->nheaders; i++)
		p = put_field(p, r->headers[i].name, r->headers[i].value);
	if (traced)
		p = put_trace(p, x);
	p = put_framing(p, x, a);
	x->out.len = x->head_len = (size_t)(p - start);
}

/* RFC 9110 section 9.2.2. */
static int
is_idempotent(hostd_buf method)
{
	static const char *const all[] = {
		"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strlen(all[i]) == method.n &&
		    memcmp(all[i], method.p, method.n) == 0)
			return 1;
	return 0;
}

int32_t
ask_make(struct up_exchange *x, const struct hostd_fetch_request *r,
    const char **why)
{
	static const hostd_buf get = { "GET", 3 };
	struct ask a;

	memset(&a, 0, sizeof(a));
	a.method = r->method.n > 0 ? r->method : get;
	x->rules.upgrade = (r->flags & HOSTD_FETCH_UPGRADE) != 0;
	if ((*why = check_target(a.method, r->target)) != NULL ||
	    (*why = check_body(r)) != NULL ||
	    (*why = check_headers(x, &a, r)) != NULL)
		return HOSTD_E_INVAL;
	x->rules.is_head = a.method.n == 4 &&
	    memcmp(a.method.p, "HEAD", 4) == 0;
	x->rules.is_idempotent = (uint8_t)is_idempotent(a.method);
	x->length = r->length;
	put_head(x, &a, r);
	if (r->body.n > 0)
		buf_append(&x->out, r->body.p, r->body.n);
	x->given = r->body.n;
	x->complete = r->length >= 0 && x->given == (uint64_t)r->length;
	return HOSTD_OK;
}
