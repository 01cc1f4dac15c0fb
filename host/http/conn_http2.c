/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection whose client speaks HTTP/2 goes to who understands it. */
#include <string.h>
#include "http/conn.h"
#include "http/server.h"
#include "net/tls.h"

#define HTTP2_PREFACE	24

/* Agreed on by ALPN, or begun with the preface by a client that may do so (RFC
 * 9113 section 3): 1 if all of it is there, -1: not yet, 0: neither. */
static int
conn_has_preface(const struct http_conn *c, const char *p, size_t n)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	const struct tls_info *tls = stream_tls(&c->stream);

	if (tls != NULL)
		return strcmp(tls->alpn, "h2") == 0;
	if (!c->server->limits->h2c || n < 3 || memcmp(p, preface,
	    n < HTTP2_PREFACE ? n : HTTP2_PREFACE) != 0)
		return 0;
	return n < HTTP2_PREFACE ? -1 : 1;
}

int
conn_begin_http2(struct http_conn *c, const char *p, size_t n)
{
	struct http2_hooks *http2 = c->server->http2;
	int has;

	if (c->nreqs > 0 || http2 == NULL || c->state != CONN_HEAD ||
	    (has = conn_has_preface(c, p, n)) == 0)
		return 0;
	if (has == 1) {
		c->upgrade = http2->begin(http2, c);
		c->state = CONN_UPGRADED;
	}
	return 1;
}
