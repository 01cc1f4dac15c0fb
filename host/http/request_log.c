/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "base/log.h"
#include "base/mem.h"
#include "http/conn.h"
#include "http/identity.h"
#include "http/request.h"
#include "http/request_log.h"
#include "http/request_tls.h"
#include "http/sent.h"
#include "http/server.h"

enum {
	VAR_HEADER, VAR_SENT, VAR_CLAIM, VAR_REMOTE_ADDR, VAR_REMOTE_USER, VAR_REQUEST,
	VAR_METHOD, VAR_REQUEST_URI, VAR_URI, VAR_ARGS, VAR_PROTOCOL, VAR_HOST,
	VAR_STATUS, VAR_BODY_BYTES, VAR_BYTES_SENT, VAR_REQUEST_LENGTH,
	VAR_REQUEST_TIME, VAR_CONTENT_LENGTH, VAR_CONN_REQUESTS,
	VAR_TRACE_ID, VAR_SPAN_ID, VAR_PARENT_ID, VAR_TRACEPARENT,
	VAR_TRACE_JSON,
	VAR_LIMIT_REQ, VAR_LIMIT_CONN,
	VAR_TLS,	/* and those of enum tls_variable behind it */
	VAR_TLS_END = VAR_TLS + TLS_VAR_HTTPS,
	/* in the order of enum tries_what */
	VAR_UP_ADDR, VAR_UP_STATUS, VAR_UP_CONNECT_TIME, VAR_UP_HEADER_TIME,
	VAR_UP_RESPONSE_TIME
};

static const struct access_var variables[] = {
	{ "remote_addr", VAR_REMOTE_ADDR }, { "remote_user", VAR_REMOTE_USER },
	{ "request", VAR_REQUEST }, { "request_method", VAR_METHOD },
	{ "request_uri", VAR_REQUEST_URI }, { "uri", VAR_URI },
	{ "args", VAR_ARGS }, { "server_protocol", VAR_PROTOCOL },
	{ "host", VAR_HOST }, { "status", VAR_STATUS },
	{ "body_bytes_sent", VAR_BODY_BYTES },
	{ "bytes_sent", VAR_BYTES_SENT },
	{ "request_length", VAR_REQUEST_LENGTH },
	{ "request_time", VAR_REQUEST_TIME },
	{ "content_length", VAR_CONTENT_LENGTH },
	{ "connection_requests", VAR_CONN_REQUESTS },
	{ "trace_id", VAR_TRACE_ID }, { "span_id", VAR_SPAN_ID },
	{ "parent_id", VAR_PARENT_ID }, { "traceparent", VAR_TRACEPARENT },
	{ "trace_json", VAR_TRACE_JSON },
	{ "limit_req_status", VAR_LIMIT_REQ },
	{ "limit_conn_status", VAR_LIMIT_CONN },
	{ "ssl_protocol", VAR_TLS + TLS_VAR_PROTOCOL },
	{ "ssl_cipher", VAR_TLS + TLS_VAR_CIPHER },
	{ "ssl_server_name", VAR_TLS + TLS_VAR_SERVER_NAME },
	{ "ssl_alpn_protocol", VAR_TLS + TLS_VAR_ALPN },
	{ "ssl_session_reused", VAR_TLS + TLS_VAR_REUSED },
	{ "ssl_client_verify", VAR_TLS + TLS_VAR_CLIENT_VERIFY },
	{ "ssl_client_s_dn", VAR_TLS + TLS_VAR_CLIENT_S_DN },
	{ "ssl_client_i_dn", VAR_TLS + TLS_VAR_CLIENT_I_DN },
	{ "ssl_client_serial", VAR_TLS + TLS_VAR_CLIENT_SERIAL },
	{ "ssl_client_fingerprint", VAR_TLS + TLS_VAR_CLIENT_FINGERPRINT },
	{ "scheme", VAR_TLS + TLS_VAR_SCHEME },
	{ "https", VAR_TLS + TLS_VAR_HTTPS },
	{ "upstream_addr", VAR_UP_ADDR },
	{ "upstream_status", VAR_UP_STATUS },
	{ "upstream_connect_time", VAR_UP_CONNECT_TIME },
	{ "upstream_header_time", VAR_UP_HEADER_TIME },
	{ "upstream_response_time", VAR_UP_RESPONSE_TIME },
	{ NULL, 0 },
};

static const char combined[] = "$remote_addr - $remote_user [$time_local] "
    "\"$request\" $status $body_bytes_sent \"$http_referer\" "
    "\"$http_user_agent\"";
static const char json[] = "{\"time\":\"$time_iso8601\","
    "\"remote_addr\":\"$remote_addr\",\"method\":\"$request_method\","
    "\"host\":\"$host\",\"uri\":\"$request_uri\","
    "\"protocol\":\"$server_protocol\",\"status\":$status,"
    "\"body_bytes_sent\":$body_bytes_sent,\"request_time\":$request_time,"
    "\"referer\":\"$http_referer\",\"user_agent\":\"$http_user_agent\","
    "\"worker\":\"$worker\",\"pid\":$pid$trace_json}";

/* One of the request, or of its answer, or of the client's token. */
static int
find_named(struct access_op *op, const char *name, size_t n)
{
	op->which = SENT_NAMES;
	if (n == 10 && memcmp(name, "request_id", n) == 0)
		return access_op_header(op, VAR_SENT, "x_request_id", 12);
	if (n == 21 && memcmp(name, "upstream_cache_status", n) == 0)
		return access_op_header(op, VAR_SENT, "x_cache_status", 14);
	if (n > 10 && memcmp(name, "sent_http_", 10) == 0)
		return access_op_header(op, VAR_SENT, name + 10, n - 10);
	if (n > 5 && memcmp(name, "http_", 5) == 0)
		return access_op_header(op, VAR_HEADER, name + 5, n - 5);
	if (n > 10 && memcmp(name, "jwt_claim_", 10) == 0) {
		op->var = VAR_CLAIM;
		op->text = xstrndup(name + 10, n - 10);
		op->len = n - 10;
		return 0;
	}
	return -1;
}

/* What is known when it is over. */
struct facts {
	const struct http_req *r;
	uint64_t sent, ms, body_sent;
};

static void
put_url(struct access_log *log, const struct http_req *r, hostd_buf url)
{
	const char *p = url.p;
	size_t at = 0, value, end;

	while ((value = veil_next(&r->server->veil, url, at, &end)) <
	    url.n) {
		access_put_escaped(log, (hostd_buf){ p + at, value - at });
		buf_puts(&log->out, "***");
		at = end;
	}
	if (at < url.n)
		access_put_escaped(log, (hostd_buf){ p + at, url.n - at });
}

static void
put_url_text(struct access_log *log, const struct http_req *r, hostd_buf url)
{
	if (url.n == 0)
		access_put_text(log, url);
	else
		put_url(log, r, url);
}

static void
put_protocol(struct access_log *log, const struct http_req *r)
{
	if (r->view.flags & HOSTD_REQ_HTTP2)
		buf_puts(&log->out, "HTTP/2.0");
	else
		buf_puts(&log->out, r->minor == 0 ? "HTTP/1.0" : "HTTP/1.1");
}

static void
put_request(struct access_log *log, const struct http_req *r)
{
	if (r->view.method_name.n == 0) {
		access_put_text(log, r->view.method_name);
		return;
	}
	access_put_escaped(log, r->view.method_name);
	buf_append(&log->out, " ", 1);
	put_url(log, r, r->view.target);
	buf_append(&log->out, " ", 1);
	put_protocol(log, r);
}

static void
put_header(struct access_log *log, const struct access_op *op,
    const struct http_req *r)
{
	const hostd_hdr *h;

	if (op->len == 10 && memcmp(op->text, "user-agent", 10) == 0)
		access_put_text(log, request_known(r, KNOWN_USER_AGENT));
	else if (op->len == 7 && memcmp(op->text, "referer", 7) == 0)
		put_url_text(log, r, request_known(r, KNOWN_REFERER));
	else {
		h = request_header(r, op->text, op->len);
		access_put_text(log, h != NULL ? h->value :
		    (hostd_buf){ NULL, 0 });
	}
}

static void
put_claim(struct access_log *log, const struct access_op *op,
    const struct http_req *r)
{
	struct buf value = { NULL, 0, 0 };
	hostd_buf claim;

	if (r->who != NULL && claim_find(r->who->claims,
	    (hostd_buf){ op->text, op->len }, &claim))
		claim_put_text(claim, &value);
	access_put_text(log, (hostd_buf){ value.p, value.len });
	buf_free(&value);
}

/* 1, or 0: it is none of these. */
static int
trace_value_of(const struct http_req *r, int var, hostd_buf *v)
{
	*v = (hostd_buf){ NULL, 0 };
	switch (var) {
	case VAR_TRACE_ID:
		if (r->traced)
			*v = trace_id(&r->trace);
		return 1;
	case VAR_SPAN_ID:
		if (r->traced)
			*v = trace_span(&r->trace);
		return 1;
	case VAR_PARENT_ID:
		if (r->traced)
			*v = trace_caller(&r->trace);
		return 1;
	case VAR_TRACEPARENT:
		if (r->traced)
			*v = trace_parent(&r->trace);
		return 1;
	default:
		return 0;
	}
}

static void
put_trace_json(struct access_log *log, const struct http_trace *t)
{
	buf_puts(&log->out, ",\"trace_id\":\"");
	access_put_escaped(log, trace_id(t));
	buf_puts(&log->out, "\",\"span_id\":\"");
	access_put_escaped(log, trace_span(t));
	buf_puts(&log->out, "\"");
}

/* As nginx writes them. */
static hostd_buf
limited_text(uint8_t limited)
{
	static const char *const texts[] = {
		[LIMITED_PASSED] = "PASSED",
		[LIMITED_DELAYED] = "DELAYED",
		[LIMITED_REJECTED] = "REJECTED",
		[LIMITED_DELAYED_DRY] = "DELAYED_DRY_RUN",
		[LIMITED_REJECTED_DRY] = "REJECTED_DRY_RUN",
	};

	if (limited == LIMITED_NONE)
		return (hostd_buf){ NULL, 0 };
	return (hostd_buf){ texts[limited], strlen(texts[limited]) };
}

/* Variables that are a piece of the request.  1, or 0: it is none of them. */
static int
value_of(const struct http_req *r, int var, hostd_buf *v)
{
	switch (var) {
	case VAR_REMOTE_ADDR:
		*v = r->view.peer;
		return 1;
	case VAR_REMOTE_USER:
		*v = r->who == NULL ? (hostd_buf){ NULL, 0 } : r->who->user;
		return 1;
	case VAR_METHOD:
		*v = r->view.method_name;
		return 1;
	case VAR_URI:
		*v = r->view.path;
		return 1;
	case VAR_HOST:
		*v = r->view.host;
		return 1;
	case VAR_LIMIT_REQ:
		*v = limited_text(r->limited_rate);
		return 1;
	case VAR_LIMIT_CONN:
		*v = limited_text(r->limited_places);
		return 1;
	case VAR_CONTENT_LENGTH:
		*v = request_known(r, KNOWN_CONTENT_LENGTH);
		return 1;
	default:
		return 0;
	}
}

/* The same of numbers. */
static int
number_of(const struct facts *f, int var, uint64_t *n)
{
	const struct http_req *r = f->r;

	switch (var) {
	case VAR_STATUS:
		*n = (uint64_t)r->status;
		return 1;
	case VAR_BODY_BYTES:
		*n = f->body_sent;
		return 1;
	case VAR_BYTES_SENT:
		*n = f->sent;
		return 1;
	case VAR_REQUEST_LENGTH:
		*n = r->head_len + r->body_seen;
		return 1;
	case VAR_CONN_REQUESTS:
		*n = r->conn->nreqs;
		return 1;
	default:
		return 0;
	}
}

static void
put_variable(struct access_log *log, const struct access_op *op,
    const void *what)
{
	const struct facts *f = what;
	const struct http_req *r = f->r;
	hostd_buf v;
	uint64_t n;

	if (op->var >= VAR_TLS && op->var <= VAR_TLS_END) {
		access_put_text(log, request_tls_value(r,
		    (enum tls_variable)(op->var - VAR_TLS)));
		return;
	}
	if (value_of(r, op->var, &v) || trace_value_of(r, op->var, &v)) {
		access_put_text(log, v);
		return;
	}
	if (number_of(f, op->var, &n)) {
		access_put_number(log, n);
		return;
	}
	switch (op->var) {
	case VAR_HEADER:
		put_header(log, op, r);
		break;
	case VAR_SENT:
		access_put_text(log, sent_value(&r->sent, op->which));
		break;
	case VAR_CLAIM:
		put_claim(log, op, r);
		break;
	case VAR_REQUEST:
		put_request(log, r);
		break;
	case VAR_REQUEST_URI:
		put_url_text(log, r, r->view.target);
		break;
	case VAR_ARGS:
		put_url_text(log, r, r->view.query);
		break;
	case VAR_PROTOCOL:
		put_protocol(log, r);
		break;
	case VAR_TRACE_JSON:
		if (r->traced)
			put_trace_json(log, &r->trace);
		break;
	case VAR_REQUEST_TIME:
		access_put_seconds(log, f->ms);
		break;
	default:
		tries_put(&r->tries, (enum tries_what)(op->var - VAR_UP_ADDR),
		    &log->out);
	}
}

static int
status_of(const void *what)
{
	const struct facts *f = what;

	return f->r->status;
}

static uint64_t
ms_of(const void *what)
{
	const struct facts *f = what;

	return f->ms;
}

const struct access_kind request_log_kind = {
	.combined = combined, .json = json, .vars = variables,
	.find = find_named, .put = put_variable, .status = status_of,
	.ms = ms_of,
};

static void
want_sent(struct access_op *ops, size_t n, struct sent_names *names)
{
	struct access_op *op;
	size_t i;
	int which;

	for (i = 0; i < n; i++) {
		op = &ops[i];
		if (op->var != VAR_SENT)
			continue;
		which = sent_want(names, op->text, op->len);
		if (which != -1)
			op->which = (unsigned)which;
		else
			log_warnx("access logs tell of %d headers of answers "
			    "at most; %.*s is always \"-\"", SENT_NAMES,
			    (int)op->len, op->text);
	}
}

void
request_log_want(struct access_logs *logs, struct sent_names *names)
{
	struct access_log *log;

	for (log = logs->v; log < logs->v + logs->n; log++)
		if (log->kind == &request_log_kind) {
			want_sent(log->ops, log->nops, names);
			want_sent(log->if_ops, log->nif, names);
		}
}

void
request_log_note(struct access_logs *logs, const struct http_req *r,
    uint64_t bytes_sent, uint64_t now_ms)
{
	struct facts f = { .r = r, .sent = bytes_sent,
		.ms = now_ms - r->start_ms };

	f.body_sent = bytes_sent > r->head_out ? bytes_sent - r->head_out : 0;
	access_logs_note(logs, &request_log_kind, &f);
}
