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

/* What is known when it is over. */
struct facts {
	const struct http_req *r;
	uint64_t sent, ms, body_sent;
};

static const struct http_req *
request_of(const void *what)
{
	const struct facts *f = what;

	return f->r;
}

/* -- pieces of the request -- */

enum text {
	TEXT_REMOTE_ADDR, TEXT_REMOTE_USER, TEXT_METHOD, TEXT_URI, TEXT_HOST,
	TEXT_USER_AGENT, TEXT_CONTENT_LENGTH, TEXT_LIMIT_REQ, TEXT_LIMIT_CONN
};

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

static hostd_buf
text_of(const struct http_req *r, int var)
{
	switch ((enum text)var) {
	case TEXT_REMOTE_ADDR:
		return r->view.peer;
	case TEXT_REMOTE_USER:
		return r->who == NULL ? (hostd_buf){ NULL, 0 } : r->who->user;
	case TEXT_METHOD:
		return r->view.method_name;
	case TEXT_URI:
		return r->view.path;
	case TEXT_HOST:
		return r->view.host;
	case TEXT_USER_AGENT:
		return request_known(r, KNOWN_USER_AGENT);
	case TEXT_LIMIT_REQ:
		return limited_text(r->limited_rate);
	case TEXT_LIMIT_CONN:
		return limited_text(r->limited_places);
	case TEXT_CONTENT_LENGTH:
		break;
	}
	return request_known(r, KNOWN_CONTENT_LENGTH);
}

static void
put_text(struct access_log *log, const struct access_op *op, const void *what)
{
	access_put_text(log, text_of(request_of(what), op->var));
}

static void
put_header(struct access_log *log, const struct access_op *op,
    const void *what)
{
	const hostd_hdr *h = request_header(request_of(what), op->name,
	    op->name_len);

	access_put_text(log, h != NULL ? h->value : (hostd_buf){ NULL, 0 });
}

/* -- URLs -- */

enum url { URL_TARGET, URL_QUERY, URL_REFERER };

static void
put_veiled(struct access_log *log, const struct veil *veil, hostd_buf url)
{
	const char *p = url.p;
	size_t at = 0, value, end;

	while ((value = veil_next(veil, url, at, &end)) < url.n) {
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
	const struct veil *veil = &r->server->veil;

	if (veil->n > 0 && url.n > 0)
		put_veiled(log, veil, url);
	else
		access_put_text(log, url);
}

static void
put_url(struct access_log *log, const struct access_op *op, const void *what)
{
	const struct http_req *r = request_of(what);
	hostd_buf url = r->view.target;

	if (op->var == URL_QUERY)
		url = r->view.query;
	else if (op->var == URL_REFERER)
		url = request_known(r, KNOWN_REFERER);
	put_url_text(log, r, url);
}

/* -- the line that a request begins with -- */

static void
put_version(struct access_log *log, const struct http_req *r)
{
	const char *text = r->minor == 0 ? "HTTP/1.0" : "HTTP/1.1";

	if (r->view.flags & HOSTD_REQ_HTTP2)
		text = "HTTP/2.0";
	buf_append(&log->out, text, 8);
}

static void
put_protocol(struct access_log *log, const struct access_op *op,
    const void *what)
{
	(void)op;
	put_version(log, request_of(what));
}

static void
put_request(struct access_log *log, const struct access_op *op,
    const void *what)
{
	const struct http_req *r = request_of(what);

	(void)op;
	access_put_text(log, r->view.method_name);
	if (r->view.method_name.n == 0)
		return;
	buf_append(&log->out, " ", 1);
	if (r->view.target.n > 0)
		put_url_text(log, r, r->view.target);
	buf_append(&log->out, " ", 1);
	put_version(log, r);
}

/* -- numbers -- */

enum number {
	NUMBER_STATUS, NUMBER_BODY_BYTES, NUMBER_BYTES_SENT,
	NUMBER_REQUEST_LENGTH, NUMBER_CONN_REQUESTS
};

static uint64_t
number_of(const struct facts *f, int var)
{
	const struct http_req *r = f->r;

	switch ((enum number)var) {
	case NUMBER_STATUS:
		return (uint64_t)r->status;
	case NUMBER_BODY_BYTES:
		return f->body_sent;
	case NUMBER_BYTES_SENT:
		return f->sent;
	case NUMBER_REQUEST_LENGTH:
		return r->head_len + r->body_seen;
	case NUMBER_CONN_REQUESTS:
		break;
	}
	return r->conn->nreqs;
}

static void
put_number(struct access_log *log, const struct access_op *op,
    const void *what)
{
	access_put_number(log, number_of(what, op->var));
}

static void
put_time(struct access_log *log, const struct access_op *op, const void *what)
{
	const struct facts *f = what;

	(void)op;
	access_put_seconds(log, f->ms);
}

/* -- traces -- */

enum traced { TRACED_ID, TRACED_SPAN, TRACED_CALLER, TRACED_PARENT };

static hostd_buf
traced_text(const struct http_trace *t, int var)
{
	switch ((enum traced)var) {
	case TRACED_ID:
		return trace_id(t);
	case TRACED_SPAN:
		return trace_span(t);
	case TRACED_CALLER:
		return trace_caller(t);
	case TRACED_PARENT:
		break;
	}
	return trace_parent(t);
}

static void
put_traced(struct access_log *log, const struct access_op *op,
    const void *what)
{
	const struct http_req *r = request_of(what);

	access_put_text(log, r->traced ? traced_text(&r->trace, op->var) :
	    (hostd_buf){ NULL, 0 });
}

static void
put_trace_json(struct access_log *log, const struct access_op *op,
    const void *what)
{
	const struct http_req *r = request_of(what);

	(void)op;
	if (!r->traced)
		return;
	buf_puts(&log->out, ",\"trace_id\":\"");
	access_put_escaped(log, trace_id(&r->trace));
	buf_puts(&log->out, "\",\"span_id\":\"");
	access_put_escaped(log, trace_span(&r->trace));
	buf_puts(&log->out, "\"");
}

/* -- what others know of it -- */

static void
put_sent(struct access_log *log, const struct access_op *op, const void *what)
{
	access_put_text(log, sent_value(&request_of(what)->sent, op->which));
}

static void
put_claim(struct access_log *log, const struct access_op *op,
    const void *what)
{
	const struct http_req *r = request_of(what);
	struct buf value = { NULL, 0, 0 };
	hostd_buf claim;

	if (r->who != NULL && claim_find(r->who->claims,
	    (hostd_buf){ op->name, op->name_len }, &claim))
		claim_put_text(claim, &value);
	access_put_text(log, (hostd_buf){ value.p, value.len });
	buf_free(&value);
}

static void
put_tls(struct access_log *log, const struct access_op *op, const void *what)
{
	access_put_text(log, request_tls_value(request_of(what),
	    (enum tls_variable)op->var));
}

static void
put_tries(struct access_log *log, const struct access_op *op,
    const void *what)
{
	tries_put(&request_of(what)->tries, (enum tries_what)op->var,
	    &log->out);
}

/* -- their names -- */

static const struct access_var variables[] = {
	{ "remote_addr", put_text, TEXT_REMOTE_ADDR },
	{ "remote_user", put_text, TEXT_REMOTE_USER },
	{ "request", put_request, 0 },
	{ "request_method", put_text, TEXT_METHOD },
	{ "request_uri", put_url, URL_TARGET },
	{ "uri", put_text, TEXT_URI },
	{ "args", put_url, URL_QUERY },
	{ "server_protocol", put_protocol, 0 },
	{ "host", put_text, TEXT_HOST },
	{ "status", put_number, NUMBER_STATUS },
	{ "body_bytes_sent", put_number, NUMBER_BODY_BYTES },
	{ "bytes_sent", put_number, NUMBER_BYTES_SENT },
	{ "request_length", put_number, NUMBER_REQUEST_LENGTH },
	{ "request_time", put_time, 0 },
	{ "content_length", put_text, TEXT_CONTENT_LENGTH },
	{ "connection_requests", put_number, NUMBER_CONN_REQUESTS },
	{ "http_user_agent", put_text, TEXT_USER_AGENT },
	{ "http_referer", put_url, URL_REFERER },
	{ "trace_id", put_traced, TRACED_ID },
	{ "span_id", put_traced, TRACED_SPAN },
	{ "parent_id", put_traced, TRACED_CALLER },
	{ "traceparent", put_traced, TRACED_PARENT },
	{ "trace_json", put_trace_json, 0 },
	{ "limit_req_status", put_text, TEXT_LIMIT_REQ },
	{ "limit_conn_status", put_text, TEXT_LIMIT_CONN },
	{ "ssl_protocol", put_tls, TLS_VAR_PROTOCOL },
	{ "ssl_cipher", put_tls, TLS_VAR_CIPHER },
	{ "ssl_server_name", put_tls, TLS_VAR_SERVER_NAME },
	{ "ssl_alpn_protocol", put_tls, TLS_VAR_ALPN },
	{ "ssl_session_reused", put_tls, TLS_VAR_REUSED },
	{ "ssl_client_verify", put_tls, TLS_VAR_CLIENT_VERIFY },
	{ "ssl_client_s_dn", put_tls, TLS_VAR_CLIENT_S_DN },
	{ "ssl_client_i_dn", put_tls, TLS_VAR_CLIENT_I_DN },
	{ "ssl_client_serial", put_tls, TLS_VAR_CLIENT_SERIAL },
	{ "ssl_client_fingerprint", put_tls, TLS_VAR_CLIENT_FINGERPRINT },
	{ "scheme", put_tls, TLS_VAR_SCHEME },
	{ "https", put_tls, TLS_VAR_HTTPS },
	{ "upstream_addr", put_tries, TRIES_ADDRS },
	{ "upstream_status", put_tries, TRIES_STATUSES },
	{ "upstream_connect_time", put_tries, TRIES_CONNECT },
	{ "upstream_header_time", put_tries, TRIES_HEADER },
	{ "upstream_response_time", put_tries, TRIES_RESPONSE },
	{ NULL, NULL, 0 },
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
		return access_op_header(op, put_sent, "x_request_id", 12);
	if (n == 21 && memcmp(name, "upstream_cache_status", n) == 0)
		return access_op_header(op, put_sent, "x_cache_status", 14);
	if (n > 10 && memcmp(name, "sent_http_", 10) == 0)
		return access_op_header(op, put_sent, name + 10, n - 10);
	if (n > 5 && memcmp(name, "http_", 5) == 0)
		return access_op_header(op, put_header, name + 5, n - 5);
	if (n > 10 && memcmp(name, "jwt_claim_", 10) == 0) {
		op->put = put_claim;
		op->name = xstrndup(name + 10, n - 10);
		op->name_len = n - 10;
		return 0;
	}
	return -1;
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
	.find = find_named, .status = status_of, .ms = ms_of,
};

static void
want_sent(struct access_op *ops, size_t n, struct sent_names *names)
{
	struct access_op *op;
	size_t i;
	int which;

	for (i = 0; i < n; i++) {
		op = &ops[i];
		if (op->put != put_sent)
			continue;
		which = sent_want(names, op->name, op->name_len);
		if (which != -1)
			op->which = (unsigned)which;
		else
			log_warnx("access logs tell of %d headers of answers "
			    "at most; %.*s is always \"-\"", SENT_NAMES,
			    (int)op->name_len, op->name);
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
