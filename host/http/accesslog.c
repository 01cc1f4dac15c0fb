/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/decimal.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/accesslog.h"
#include "http/conn.h"
#include "http/request.h"

#define LOG_BUFFER_MAX	(1u << 20)

enum log_var {
	VAR_TEXT, VAR_HEADER, VAR_SENT, VAR_REMOTE_ADDR, VAR_REMOTE_USER, VAR_TIME_LOCAL,
	VAR_TIME_ISO, VAR_MSEC, VAR_REQUEST, VAR_METHOD, VAR_REQUEST_URI,
	VAR_URI, VAR_ARGS, VAR_PROTOCOL, VAR_HOST, VAR_STATUS, VAR_BODY_BYTES,
	VAR_BYTES_SENT, VAR_REQUEST_LENGTH, VAR_REQUEST_TIME,
	VAR_CONTENT_LENGTH, VAR_PID, VAR_WORKER, VAR_CONN_REQUESTS,
	/* in the order of enum tries_what */
	VAR_UP_ADDR, VAR_UP_STATUS, VAR_UP_CONNECT_TIME, VAR_UP_HEADER_TIME,
	VAR_UP_RESPONSE_TIME
};

struct log_op {
	enum log_var var;
	char *text;		/* TEXT, or HEADER's or SENT's name */
	size_t len;
	unsigned which;		/* SENT */
};

static const struct {
	const char *name;
	enum log_var var;
} variables[] = {
	{ "remote_addr", VAR_REMOTE_ADDR }, { "remote_user", VAR_REMOTE_USER },
	{ "time_local", VAR_TIME_LOCAL }, { "time_iso8601", VAR_TIME_ISO },
	{ "msec", VAR_MSEC }, { "request", VAR_REQUEST },
	{ "request_method", VAR_METHOD }, { "request_uri", VAR_REQUEST_URI },
	{ "uri", VAR_URI }, { "args", VAR_ARGS },
	{ "server_protocol", VAR_PROTOCOL }, { "host", VAR_HOST },
	{ "status", VAR_STATUS }, { "body_bytes_sent", VAR_BODY_BYTES },
	{ "bytes_sent", VAR_BYTES_SENT },
	{ "request_length", VAR_REQUEST_LENGTH },
	{ "request_time", VAR_REQUEST_TIME },
	{ "content_length", VAR_CONTENT_LENGTH }, { "pid", VAR_PID },
	{ "worker", VAR_WORKER },
	{ "connection_requests", VAR_CONN_REQUESTS },
	{ "upstream_addr", VAR_UP_ADDR },
	{ "upstream_status", VAR_UP_STATUS },
	{ "upstream_connect_time", VAR_UP_CONNECT_TIME },
	{ "upstream_header_time", VAR_UP_HEADER_TIME },
	{ "upstream_response_time", VAR_UP_RESPONSE_TIME },
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
    "\"worker\":\"$worker\",\"pid\":$pid}";

/* -- compiling a format -- */

static size_t
name_length(const char *p)
{
	size_t n;

	for (n = 0; (p[n] >= 'a' && p[n] <= 'z') || p[n] == '_' ||
	    (p[n] >= '0' && p[n] <= '9'); n++)
		;
	return n;
}

/* A header's name as it is in a variable's. */
static int
name_header(struct log_op *op, enum log_var var, const char *name, size_t n)
{
	size_t i;

	if (n == 0)
		return -1;
	op->var = var;
	op->text = xstrndup(name, n);
	op->len = n;
	for (i = 0; i < n; i++)
		if (op->text[i] == '_')
			op->text[i] = '-';
	return 0;
}

/* 0, or -1: no such variable. */
static int
variable_find(const char *name, size_t n, struct log_op *op)
{
	size_t i;

	for (i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		if (strlen(variables[i].name) == n &&
		    memcmp(variables[i].name, name, n) == 0) {
			op->var = variables[i].var;
			return 0;
		}
	if (n == 10 && memcmp(name, "request_id", n) == 0)
		return name_header(op, VAR_SENT, "x_request_id", 12);
	if (n == 21 && memcmp(name, "upstream_cache_status", n) == 0)
		return name_header(op, VAR_SENT, "x_cache_status", 14);
	if (n > 10 && memcmp(name, "sent_http_", 10) == 0)
		return name_header(op, VAR_SENT, name + 10, n - 10);
	if (n > 5 && memcmp(name, "http_", 5) == 0)
		return name_header(op, VAR_HEADER, name + 5, n - 5);
	return -1;
}

/* One variable or run of text at p; returns how much it takes, 0 on error. */
static size_t
format_item(const char *p, struct log_op *op)
{
	int braces = p[1] == '{';
	size_t n;

	memset(op, 0, sizeof(*op));
	if (p[0] != '$') {
		n = strcspn(p, "$");
		op->text = xstrndup(p, n);
		op->len = n;
		return n;
	}
	n = name_length(p + 1 + braces);
	if (n == 0 || (braces && p[2 + n] != '}') ||
	    variable_find(p + 1 + braces, n, op) == -1)
		return 0;
	return 1 + n + 2 * (size_t)braces;
}

int
access_format_check(const char *format, char *bad, size_t size)
{
	struct log_op op;
	const char *p;
	size_t n;

	if (strcmp(format, "combined") == 0 || strcmp(format, "json") == 0)
		return 0;
	for (p = format; *p != '\0'; p += n) {
		n = format_item(p, &op);
		if (n == 0) {
			(void)snprintf(bad, size, "%.*s",
			    (int)name_length(p + 1) + 1, p);
			return -1;
		}
		free(op.text);
	}
	return 0;
}

/* Headers of answers that it tells of have to be kept for it. */
static void
log_want(struct access_logs *logs, struct log_op *op)
{
	int which;

	if (op->var != VAR_SENT)
		return;
	which = sent_want(&logs->sent, op->text, op->len);
	if (which == -1)
		log_warnx("access logs tell of %d headers of answers at most; "
		    "%.*s is always \"-\"", SENT_NAMES, (int)op->len,
		    op->text);
	op->which = which == -1 ? SENT_NAMES : (unsigned)which;
}

void
access_logs_add(struct access_logs *logs, const char *format)
{
	struct access_log *log;
	size_t n;

	logs->pid = getpid();
	logs->v = xrealloc(logs->v, (logs->n + 1) * sizeof(*logs->v));
	log = &logs->v[logs->n++];
	memset(log, 0, sizeof(*log));
	sink_set(&log->sink, -1);
	log->json = strcmp(format, "json") == 0;
	if (log->json)
		format = json;
	else if (strcmp(format, "combined") == 0)
		format = combined;
	while (*format != '\0') {
		log->ops = xrealloc(log->ops,
		    (log->nops + 1) * sizeof(*log->ops));
		n = format_item(format, &log->ops[log->nops]);
		if (n == 0)
			break;
		log_want(logs, &log->ops[log->nops]);
		log->nops++;
		format += n;
	}
}

void
access_logs_set_fd(struct access_logs *logs, size_t index, int fd)
{
	size_t i;

	if (index >= logs->n) {
		close(fd);
		return;
	}
	if (logs->v[index].sink.fd != -1)
		close(logs->v[index].sink.fd);
	sink_set(&logs->v[index].sink, fd);
	logs->active = 0;
	for (i = 0; i < logs->n; i++)
		logs->active |= logs->v[i].sink.fd != -1;
}

/* -- writing a line -- */

/*
 * Bytes from clients: quotes, backslashes, control and non-ASCII bytes become
 * \xHH (\u00HH in JSON), so that nobody can forge a line.
 */
static void
put_escaped(struct access_log *log, hostd_buf v)
{
	const unsigned char *p = v.p;
	struct buf *out = &log->out;
	size_t i, from = 0;

	for (i = 0; i < v.n; i++) {
		if (p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\')
			continue;
		buf_append(out, p + from, i - from);
		buf_printf(out, log->json ? "\\u%04x" : "\\x%02X", p[i]);
		from = i + 1;
	}
	if (v.n > from)
		buf_append(out, p + from, v.n - from);
}

static void
put_value(struct access_log *log, hostd_buf v)
{
	if (v.n == 0)
		buf_append(&log->out, "-", 1);
	else
		put_escaped(log, v);
}

static void
put_u64(struct buf *out, uint64_t v)
{
	char *p = buf_reserve(out, 20);

	out->len += (size_t)(decimal_put(p, v) - p);
}

static void
put_request(struct access_log *log, const struct http_req *r)
{
	if (r->view.method_name.n == 0) {
		put_value(log, r->view.method_name);
		return;
	}
	put_escaped(log, r->view.method_name);
	buf_append(&log->out, " ", 1);
	put_escaped(log, r->view.target);
	buf_puts(&log->out, r->minor == 0 ? " HTTP/1.0" : " HTTP/1.1");
}

/* Seconds with three decimals. */
static void
put_seconds(struct buf *out, uint64_t ms)
{
	char frac[4] = { '.', (char)('0' + ms / 100 % 10),
	    (char)('0' + ms / 10 % 10), (char)('0' + ms % 10) };

	put_u64(out, ms / 1000);
	buf_append(out, frac, sizeof(frac));
}

static void
put_header(struct access_log *log, const struct log_op *op,
    const struct http_req *r)
{
	const hostd_hdr *h;

	if (op->len == 10 && memcmp(op->text, "user-agent", 10) == 0)
		put_value(log, request_known(r, KNOWN_USER_AGENT));
	else if (op->len == 7 && memcmp(op->text, "referer", 7) == 0)
		put_value(log, request_known(r, KNOWN_REFERER));
	else {
		h = request_header(r, op->text, op->len);
		put_value(log, h != NULL ? h->value : (hostd_buf){ NULL, 0 });
	}
}

static uint64_t
wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
stamp_update(struct access_logs *logs)
{
	time_t now = (time_t)(wall_ms() / 1000);
	struct tm tm;
	size_t n;

	if (now == logs->stamp_s)
		return;
	logs->stamp_s = now;
	localtime_r(&now, &tm);
	(void)strftime(logs->time_local, sizeof(logs->time_local),
	    "%d/%b/%Y:%H:%M:%S %z", &tm);
	n = strftime(logs->time_iso, sizeof(logs->time_iso),
	    "%Y-%m-%dT%H:%M:%S%z", &tm);
	/* +0100 -> +01:00 */
	memmove(logs->time_iso + n - 1, logs->time_iso + n - 2, 3);
	logs->time_iso[n - 2] = ':';
}

struct log_facts {
	uint64_t sent, ms, body_sent;
};

/* Variables that are a piece of the request.  1, or 0: it is none of them. */
static int
value_of(const struct access_logs *logs, const struct http_req *r,
    enum log_var var, hostd_buf *v)
{
	switch (var) {
	case VAR_REMOTE_ADDR:
		*v = r->view.peer;
		return 1;
	case VAR_METHOD:
		*v = r->view.method_name;
		return 1;
	case VAR_REQUEST_URI:
		*v = r->view.target;
		return 1;
	case VAR_URI:
		*v = r->view.path;
		return 1;
	case VAR_ARGS:
		*v = r->view.query;
		return 1;
	case VAR_HOST:
		*v = r->view.host;
		return 1;
	case VAR_CONTENT_LENGTH:
		*v = request_known(r, KNOWN_CONTENT_LENGTH);
		return 1;
	case VAR_WORKER:
		*v = (hostd_buf){ logs->worker, strlen(logs->worker) };
		return 1;
	default:
		return 0;
	}
}

/* The same of numbers. */
static int
number_of(const struct access_logs *logs, const struct http_req *r,
    const struct log_facts *f, enum log_var var, uint64_t *n)
{
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
	case VAR_PID:
		*n = (uint64_t)logs->pid;
		return 1;
	case VAR_CONN_REQUESTS:
		*n = r->conn->nreqs;
		return 1;
	default:
		return 0;
	}
}

static void
put_variable(struct access_logs *logs, struct access_log *log,
    const struct log_op *op, const struct http_req *r,
    const struct log_facts *f)
{
	struct buf *out = &log->out;
	hostd_buf v;
	uint64_t n;

	if (value_of(logs, r, op->var, &v)) {
		put_value(log, v);
		return;
	}
	if (number_of(logs, r, f, op->var, &n)) {
		put_u64(out, n);
		return;
	}
	switch (op->var) {
	case VAR_TEXT:
		buf_append(out, op->text, op->len);
		break;
	case VAR_HEADER:
		put_header(log, op, r);
		break;
	case VAR_SENT:
		put_value(log, sent_value(&r->sent, op->which));
		break;
	case VAR_REMOTE_USER:
		buf_append(out, "-", 1);
		break;
	case VAR_TIME_LOCAL:
		buf_puts(out, logs->time_local);
		break;
	case VAR_TIME_ISO:
		buf_puts(out, logs->time_iso);
		break;
	case VAR_MSEC:
		put_seconds(out, wall_ms());
		break;
	case VAR_REQUEST:
		put_request(log, r);
		break;
	case VAR_PROTOCOL:
		buf_puts(out, r->minor == 0 ? "HTTP/1.0" : "HTTP/1.1");
		break;
	case VAR_REQUEST_TIME:
		put_seconds(out, f->ms);
		break;
	default:
		tries_put(&r->tries, (enum tries_what)(op->var - VAR_UP_ADDR),
		    out);
	}
}

void
access_logs_note(struct access_logs *logs, const struct http_req *r,
    uint64_t bytes_sent, uint64_t now_ms)
{
	struct log_facts f = { .sent = bytes_sent, .ms = now_ms - r->start_ms };
	uint64_t head = r->head_out;
	struct access_log *log;
	size_t i, k;

	f.body_sent = bytes_sent > head ? bytes_sent - head : 0;
	stamp_update(logs);
	for (i = 0; i < logs->n; i++) {
		log = &logs->v[i];
		if (log->sink.fd == -1)
			continue;
		if (log->out.len > LOG_BUFFER_MAX) {
			logs->dropped++;
			continue;
		}
		for (k = 0; k < log->nops; k++)
			put_variable(logs, log, &log->ops[k], r, &f);
		buf_append(&log->out, "\n", 1);
	}
}

static void
log_drop(struct access_logs *logs, struct access_log *log)
{
	const char *p = log->out.p, *end = p + log->out.len;

	for (; p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
		logs->dropped++;
	log->out.len = 0;
}

void
access_logs_flush(struct access_logs *logs)
{
	struct access_log *log;
	size_t i;
	ssize_t w;

	for (i = 0; i < logs->n; i++) {
		log = &logs->v[i];
		while (log->out.len > 0) {
			w = sink_write(&log->sink, log->out.p, log->out.len);
			if (w < 0)
				log_drop(logs, log);
			if (w <= 0)
				break;
			buf_consume(&log->out, (size_t)w);
		}
	}
}

void
access_logs_free(struct access_logs *logs)
{
	struct access_log *log;
	size_t i, k;

	access_logs_flush(logs);
	for (i = 0; i < logs->n; i++) {
		log = &logs->v[i];
		for (k = 0; k < log->nops; k++)
			free(log->ops[k].text);
		free(log->ops);
		buf_free(&log->out);
		if (log->sink.fd != -1)
			close(log->sink.fd);
	}
	free(logs->v);
	sent_names_free(&logs->sent);
}
