/* SPDX-License-Identifier: BSD-2-Clause */
/* The request as a server gets it. */
#include "exchange.h"
#include "hop.h"
#include "target.h"
#include "text.h"
#include "via.h"

/* -- upgrades -- */

static int
is_allowed(const struct settings *s, hostd_buf protocol)
{
	uint32_t i;

	for (i = 0; i < s->nupgrades; i++)
		if (text_same(s->upgrades[i], protocol) ||
		    (text_is(s->upgrades[i], "*") &&
		    !text_is(protocol, "h2c")))
			return 1;
	return 0;
}

int
forward_may_upgrade(const struct hostd_inst *in, const struct hostd_request *q)
{
	hostd_buf rest, protocol;
	int any = 0;
	uint32_t i;

	if ((q->flags & HOSTD_REQ_UPGRADE) == 0 || q->content_length != 0)
		return 0;
	for (i = 0; i < q->nheaders; i++) {
		if (!text_is(q->headers[i].name, "upgrade"))
			continue;
		rest = q->headers[i].value;
		while (text_next(&rest, ',', &protocol)) {
			if (protocol.n == 0)
				continue;
			if (!is_allowed(&in->settings, protocol))
				return 0;
			any = 1;
		}
	}
	return any;
}

/* -- what came -- */

/* Headers that this plugin tells itself, by how it tells them. */
static int
is_told(const struct settings *s, hostd_buf name)
{
	if (text_is(name, "x-forwarded-for"))
		return s->forwarded_for != TOLD_PASS;
	if (text_is(name, "x-forwarded-proto"))
		return s->forwarded_proto != TOLD_KEEP;
	if (text_is(name, "x-forwarded-host"))
		return s->forwarded_host != TOLD_KEEP;
	if (text_is(name, "x-real-ip"))
		return s->real_ip != TOLD_KEEP;
	if (text_is(name, "forwarded"))
		return s->forwarded != TOLD_PASS;
	if (text_is(name, "via"))
		return s->via.n > 0;
	return text_is(name, "x-request-id") && s->request_id != IDS_OFF;
}

/* What belongs to a trace, which the host hands on when it has one. */
static int
is_of_trace(hostd_buf name)
{
	return text_is(name, "traceparent") || text_is(name, "tracestate");
}

static int
is_traced(const struct exchange *x)
{
	const struct hostd_inst *in = x->in;
	struct hostd_trace trace = { .struct_size = sizeof(trace) };

	return in->trace != NULL &&
	    in->trace->get(in->easy.host, x->req, &trace) == HOSTD_OK;
}

/* Scheme and host are what the cache's key says of them. */
int
forward_is_ours(const struct hostd_inst *in, hostd_buf name)
{
	const struct settings *s = &in->settings;

	if (text_is(name, "x-forwarded-proto") ||
	    text_is(name, "x-forwarded-host"))
		return 0;
	return is_told(s, name) || rules_vary(&s->set, name) ||
	    (in->trace != NULL && is_of_trace(name));
}

/* A server may take trailers for headers: what the operator has said of those
 * is to be true all the same. */
int
forward_may_trail(const struct hostd_inst *in, hostd_buf name)
{
	const struct settings *s = &in->settings;

	return (s->underscores || memchr(name.p, '_', name.n) == NULL) &&
	    !rules_have(&s->set, name) && !rules_have(&s->remove, name) &&
	    !is_told(s, name) && !(in->trace != NULL && is_of_trace(name));
}

static int
is_dropped(const struct exchange *x, const struct hop *hop, hostd_buf name)
{
	const struct settings *s = &x->in->settings;

	if (text_is(name, "upgrade") && x->upgrade)
		return 0;
	if ((x->whole && cache_drops(name)) ||
	    (x->traced && is_of_trace(name)))
		return 1;
	return text_is(name, "host") || text_is(name, "content-length") ||
	    text_is(name, "expect") || hop_has(hop, name) ||
	    rules_is_owned(name) || is_told(s, name) ||
	    (!s->underscores && memchr(name.p, '_', name.n) != NULL) ||
	    rules_have(&s->set, name) || rules_have(&s->remove, name);
}

static void
add_received(const struct exchange *x, const struct hostd_request *q,
    struct head *out)
{
	struct hop hop;
	uint32_t i;

	hop_read(&hop, q->headers, q->nheaders);
	for (i = 0; i < q->nheaders; i++)
		if (!is_dropped(x, &hop, q->headers[i].name))
			head_add(out, q->headers[i].name, q->headers[i].value);
}

/* -- what we tell -- */

static void
add_named(struct head *out, const char *name, hostd_buf value)
{
	if (value.n > 0)
		head_add(out, text_of(name, strlen(name)), value);
}

static void
add_one(const struct hostd_request *q, enum told how, const char *name,
    hostd_buf value, struct head *out)
{
	if (how == TOLD_SET || (how == TOLD_KEEP &&
	    text_header(q->headers, q->nheaders, name).p == NULL))
		add_named(out, name, value);
}

static void
add_forwarded_for(const struct settings *s, const struct hostd_request *q,
    struct head *out)
{
	if (s->forwarded_for == TOLD_SET)
		add_named(out, "X-Forwarded-For", q->peer);
	if (s->forwarded_for != TOLD_APPEND)
		return;
	head_open(out);
	template_put_forwarded_for(q, out);
	add_named(out, "X-Forwarded-For", head_take(out));
}

/* An address or a host, quoted unless it is a token (RFC 7239 section 4). */
static void
put_node(hostd_buf node, struct head *out)
{
	int is_v6 = memchr(node.p, ':', node.n) != NULL;
	int plain = text_has_only(node, "-._");

	if (!plain)
		head_puts(out, "\"");
	if (is_v6)
		head_puts(out, "[");
	head_put(out, node);
	if (is_v6)
		head_puts(out, "]");
	if (!plain)
		head_puts(out, "\"");
}

static void
add_forwarded(const struct settings *s, const struct hostd_request *q,
    struct head *out)
{
	hostd_buf host = template_http_host(q);
	uint32_t i;

	if (s->forwarded != TOLD_SET && s->forwarded != TOLD_APPEND)
		return;
	head_open(out);
	for (i = 0; i < q->nheaders && s->forwarded == TOLD_APPEND; i++)
		if (text_is(q->headers[i].name, "forwarded") &&
		    q->headers[i].value.n > 0) {
			head_put(out, q->headers[i].value);
			head_puts(out, ", ");
		}
	head_puts(out, "for=");
	if (text_is(q->peer, "unix"))
		head_puts(out, "_unix");
	else
		put_node(q->peer, out);
	if (host.n > 0) {
		head_puts(out, ";host=\"");
		head_put(out, host);
		head_puts(out, "\"");
	}
	head_puts(out, (q->flags & HOSTD_REQ_TLS) != 0 ? ";proto=https" :
	    ";proto=http");
	add_named(out, "Forwarded", head_take(out));
}

static void
add_told(const struct exchange *x, const struct hostd_request *q,
    struct head *out)
{
	const struct settings *s = &x->in->settings;
	const char *scheme = (q->flags & HOSTD_REQ_TLS) != 0 ? "https" :
	    "http";

	add_forwarded_for(s, q, out);
	add_one(q, s->forwarded_proto, "X-Forwarded-Proto",
	    text_of(scheme, strlen(scheme)), out);
	add_one(q, s->forwarded_host, "X-Forwarded-Host",
	    template_http_host(q), out);
	add_one(q, s->real_ip, "X-Real-IP", q->peer, out);
	add_forwarded(s, q, out);
	if (s->via.n > 0 && !rules_have(&s->set, text_of("Via", 3)))
		add_named(out, "Via", via_value(q, s->via, out));
	if (!rules_have(&s->set, text_of("X-Request-ID", 12)))
		add_named(out, "X-Request-ID", text_of(x->id, x->nid));
}

/* -- the whole -- */

hostd_buf
forward_host(const struct hostd_inst *in, const struct facts *f,
    struct head *out)
{
	return template_expand(&in->settings.host, f, out);
}

int32_t
forward_head(struct exchange *x, hostd_buf *target)
{
	struct hostd_inst *in = x->in;
	const struct settings *s = &in->settings;
	struct head *out = &in->head;
	struct facts f;
	uint32_t i;

	exchange_facts(x, NULL, &f);
	if (f.request == NULL)
		return HOSTD_E_GONE;
	x->traced = is_traced(x) != 0;
	head_clear(out);
	*target = target_make(f.request, s->rewrite, out);
	if (!rules_have(&s->set, text_of("Host", 4)))
		add_named(out, "Host", forward_host(in, &f, out));
	add_received(x, f.request, out);
	add_told(x, f.request, out);
	rules_add(&s->set, &f, out);
	for (i = 0; i < x->cache.nask && x->whole; i++)
		head_add(out, x->cache.ask[i].name, x->cache.ask[i].value);
	return out->full ? HOSTD_E_FULL : HOSTD_OK;
}
