/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Against requests that other sites' pages make: the page's cookie has random
 * bytes, which the page is told over its WebSocket and sends back in a header.
 * Another site can neither read them, nor send that header.  Nothing is kept
 * here, so it does not matter which worker has which request.
 */
#include <balance/request.h>
#include "dashboard.h"

#define COOKIE		"hostd_dashboard"

int
token_of_cookie(struct hostd_inst *in, hostd_req req, char token[TOKEN_SIZE])
{
	const struct hostd_request *r = hostd_request_of(in, req);
	hostd_buf value;

	token[0] = '\0';
	return r != NULL && cookie_find(r, hostd_str(COOKIE), &value) &&
	    token_copy(value, token);
}

/* Where the page is, the rest is below; a path that no cookie may have is that
 * of all. */
void
token_cookie(struct hostd_inst *in, hostd_req req, const char *token,
    char *out, size_t size)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	hostd_buf path = r != NULL ? r->path : hostd_str("/");
	const unsigned char *p = path.p;
	size_t i;

	for (i = 0; i < path.n; i++)
		if (p[i] <= ' ' || p[i] >= 127 || p[i] == ';' || p[i] == ',')
			break;
	if (i < path.n || path.n > 200)
		path = hostd_str("/");
	(void)snprintf(out, size, "%s=%s; Path=%.*s; HttpOnly; %s"
	    "SameSite=Strict", COOKIE, token, (int)path.n,
	    (const char *)path.p, r != NULL && (r->flags & HOSTD_REQ_TLS) ?
	    "Secure; " : "");
}

int
token_is_sent(struct hostd_inst *in, hostd_req req)
{
	char token[TOKEN_SIZE];
	hostd_buf sent;

	return token_of_cookie(in, req, token) &&
	    in->easy.http->header(in->easy.host, req, "X-CSRF-Token", &sent) ==
	    HOSTD_OK && token_same(sent, hostd_str(token));
}
