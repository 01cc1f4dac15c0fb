/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection on which TLS is spoken: its beginning. */
#include <sys/socket.h>
#include "http/conn.h"
#include "net/tls.h"
#include "net/tls_context.h"

void
conn_expect_tls(struct http_conn *c, struct tls_context *context)
{
	c->tls = context;
	/* A proxy's header comes before, in the clear. */
	if (c->proxy_ms == 0)
		conn_secure(c, NULL, 0);
	conn_arm(c);
}

void
conn_secure(struct http_conn *c, const char *p, size_t n)
{
	struct tls_context *context = c->tls;

	c->tls = NULL;
	c->tls_ms =
	    (uint32_t)tls_context_conf(context)->handshake_timeout;
	tls_begin(&c->stream, tls_context_accept(context), p, n);
}

void
conn_tell_plain(struct http_conn *c)
{
	static const char answer[] = "HTTP/1.1 400 Bad Request\r\n"
	    "Content-Type: text/plain\r\nContent-Length: 50\r\n"
	    "Connection: close\r\n\r\n"
	    "The plain HTTP request was sent to an HTTPS port.\n";

	(void)send(c->stream.io.fd, answer, sizeof(answer) - 1,
	    MSG_DONTWAIT | MSG_NOSIGNAL);
}
