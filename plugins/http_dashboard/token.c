/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Against requests that other sites' pages make: the page's cookie has random
 * bytes, which the page is told over its WebSocket and sends back in a header.
 * Another site can neither read them, nor send that header.  Nothing is kept
 * here, so it does not matter which worker has which request.
 */
#include <sys/random.h>
#include <balance/request.h>
#include <base64/base64.h>
#include "dashboard.h"

#define TOKEN_BYTES	24
#define COOKIE		"hostd_dashboard"

int
token_make(char token[TOKEN_SIZE])
{
	unsigned char bytes[TOKEN_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -1;
	token[base64url_encode(bytes, sizeof(bytes), token)] = '\0';
	return 0;
}

int
token_of_cookie(struct hostd_inst *in, hostd_req req, char token[TOKEN_SIZE])
{
	const struct hostd_request *r = hostd_request_of(in, req);
	unsigned char bytes[TOKEN_BYTES];
	hostd_buf b;

	token[0] = '\0';
	if (r == NULL || !cookie_find(r, hostd_str(COOKIE), &b) ||
	    b.n != TOKEN_SIZE - 1 ||
	    base64url_decode(b.p, b.n, bytes) != TOKEN_BYTES)
		return 0;
	memcpy(token, b.p, b.n);
	token[b.n] = '\0';
	return 1;
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
	unsigned char differ = 0;
	hostd_buf sent;
	size_t i;

	if (!token_of_cookie(in, req, token) ||
	    in->easy.http->header(in->easy.host, req, "X-CSRF-Token", &sent) !=
	    HOSTD_OK || sent.n != TOKEN_SIZE - 1)
		return 0;
	for (i = 0; i < sent.n; i++)
		differ |= (unsigned char)token[i] ^
		    ((const unsigned char *)sent.p)[i];
	return differ == 0;
}
