/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "http/conn.h"
#include "http/request_tls.h"
#include "net/tls.h"

static hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, s == NULL ? 0 : strlen(s) };
}

static const char *
peer_text(const struct tls_info *t, enum tls_variable v)
{
	if (!t->has_peer)
		return v == TLS_VAR_CLIENT_VERIFY ? "NONE" : NULL;
	switch (v) {
	case TLS_VAR_CLIENT_VERIFY:
		return t->peer.verify;
	case TLS_VAR_CLIENT_S_DN:
		return t->peer.subject;
	case TLS_VAR_CLIENT_I_DN:
		return t->peer.issuer;
	case TLS_VAR_CLIENT_SERIAL:
		return t->peer.serial;
	default:
		return t->peer.fingerprint;
	}
}

static const char *
tls_text(const struct tls_info *t, enum tls_variable v)
{
	switch (v) {
	case TLS_VAR_PROTOCOL:
		return t->protocol;
	case TLS_VAR_CIPHER:
		return t->cipher;
	case TLS_VAR_SERVER_NAME:
		return t->server_name;
	case TLS_VAR_ALPN:
		return t->alpn;
	case TLS_VAR_REUSED:
		return t->resumed ? "r" : ".";
	default:
		return peer_text(t, v);
	}
}

hostd_buf
request_tls_value(const struct http_req *r, enum tls_variable v)
{
	const struct tls_info *t = stream_tls(&r->conn->stream);

	if (v == TLS_VAR_SCHEME)
		return text(t != NULL ? "https" : "http");
	if (v == TLS_VAR_HTTPS)
		return text(t != NULL ? "on" : NULL);
	return text(t != NULL ? tls_text(t, v) : NULL);
}
