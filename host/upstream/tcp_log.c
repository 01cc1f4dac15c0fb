/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "upstream/tcp.h"
#include "upstream/tcp_log.h"

enum {
	VAR_ADDR, VAR_PORT, VAR_PROTOCOL, VAR_STATUS, VAR_SENT, VAR_RECEIVED,
	VAR_TIME, VAR_UP_ADDR, VAR_UP_SENT, VAR_UP_RECEIVED, VAR_UP_CONNECT,
	VAR_SNI
};

uint64_t
tcp_received(const struct tcp_conn *c)
{
	return c->dial != NULL ? c->dial->in.len :
	    c->relay.left.bytes - c->header_out;
}

/* "192.0.2.1:80", "[2001:db8::1]:80", "unix" */
static void
put_client(struct access_log *log, const char *text, int port)
{
	const char *colon = strrchr(text, ':');
	size_t n = colon == NULL ? strlen(text) : (size_t)(colon - text);

	if (port)
		access_put_text(log, (hostd_buf){ colon == NULL ? "" :
		    colon + 1, colon == NULL ? 0 : strlen(colon + 1) });
	else if (*text == '[' && n > 2)
		access_put_text(log, (hostd_buf){ text + 1, n - 2 });
	else
		access_put_text(log, (hostd_buf){ text, n });
}

/* What a server has heard and said: as many values as servers were tried. */
static void
put_bytes(struct access_log *log, const struct tcp_conn *c, uint64_t n)
{
	uint32_t i;

	if (c->tries->n == 0)
		buf_append(&log->out, "-", 1);
	for (i = 1; i < c->tries->n; i++)
		buf_puts(&log->out, "0, ");
	if (c->tries->n > 0)
		access_put_number(log, n);
}

static void
put_variable(struct access_log *log, const struct access_op *op,
    const void *what)
{
	const struct tcp_conn *c = what;
	const struct relay_side *left = &c->relay.left;
	const struct relay_side *right = &c->relay.right;

	switch (op->var) {
	case VAR_ADDR:
	case VAR_PORT:
		put_client(log, c->client, op->var == VAR_PORT);
		break;
	case VAR_PROTOCOL:
		buf_puts(&log->out, "TCP");
		break;
	case VAR_STATUS:
		access_put_number(log, (uint64_t)c->status);
		break;
	case VAR_SENT:
		access_put_number(log, left->sent);
		break;
	case VAR_RECEIVED:
		access_put_number(log, tcp_received(c));
		break;
	case VAR_TIME:
		access_put_seconds(log, loop_clock_ms() - c->began_ms);
		break;
	case VAR_UP_ADDR:
		tries_put(c->tries, TRIES_ADDRS, &log->out);
		break;
	case VAR_UP_SENT:
		put_bytes(log, c, right->sent);
		break;
	case VAR_UP_RECEIVED:
		put_bytes(log, c, right->bytes);
		break;
	case VAR_UP_CONNECT:
		tries_put(c->tries, TRIES_CONNECT, &log->out);
		break;
	case VAR_SNI:
		access_put_text(log, (hostd_buf){ c->sni,
		    c->sni != NULL ? strlen(c->sni) : 0 });
		break;
	}
}

static const struct access_var variables[] = {
	{ "remote_addr", put_variable, VAR_ADDR },
	{ "remote_port", put_variable, VAR_PORT },
	{ "protocol", put_variable, VAR_PROTOCOL },
	{ "status", put_variable, VAR_STATUS },
	{ "bytes_sent", put_variable, VAR_SENT },
	{ "bytes_received", put_variable, VAR_RECEIVED },
	{ "session_time", put_variable, VAR_TIME },
	{ "upstream_addr", put_variable, VAR_UP_ADDR },
	{ "upstream_bytes_sent", put_variable, VAR_UP_SENT },
	{ "upstream_bytes_received", put_variable, VAR_UP_RECEIVED },
	{ "upstream_connect_time", put_variable, VAR_UP_CONNECT },
	{ "ssl_preread_server_name", put_variable, VAR_SNI },
	{ NULL, NULL, 0 },
};

static const char combined[] = "$remote_addr [$time_local] $protocol $status "
    "$bytes_sent $bytes_received $session_time \"$upstream_addr\" "
    "\"$upstream_bytes_sent\" \"$upstream_bytes_received\" "
    "\"$upstream_connect_time\"";
static const char json[] = "{\"time\":\"$time_iso8601\","
    "\"remote_addr\":\"$remote_addr\",\"protocol\":\"$protocol\","
    "\"status\":$status,\"bytes_sent\":$bytes_sent,"
    "\"bytes_received\":$bytes_received,\"session_time\":$session_time,"
    "\"server_name\":\"$ssl_preread_server_name\","
    "\"upstream_addr\":\"$upstream_addr\","
    "\"upstream_connect_time\":\"$upstream_connect_time\","
    "\"worker\":\"$worker\",\"pid\":$pid}";

static int
status_of(const void *what)
{
	const struct tcp_conn *c = what;

	return c->status;
}

static uint64_t
ms_of(const void *what)
{
	const struct tcp_conn *c = what;

	return loop_clock_ms() - c->began_ms;
}

const struct access_kind tcp_log_kind = {
	.combined = combined, .json = json, .vars = variables,
	.status = status_of, .ms = ms_of,
};

void
tcp_log(const struct tcp_conn *c)
{
	access_logs_note(&c->server->http->logs, &tcp_log_kind, c);
}
