/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens against forged requests.
 *
 * Who has logged in has one in the session.  The form for logging in is for who
 * has none, and nothing is kept of who only looks at it, nor does he come to
 * have a session, which might be all that some route asks for: its token is in
 * a cookie of its own, and in the form.  Another site can neither read nor
 * send it.
 */
#include <balance/request.h>
#include "login.h"

#define COOKIE		"hostd_login"
/* Browsers take one of that name from this host alone, by TLS. */
#define COOKIE_SECURE	"__Host-" COOKIE

hostd_buf
token_of_session(struct hostd_inst *in, hostd_session s)
{
	const struct hostd_session_api *api = in->easy.session;
	const struct hostd_host *host = in->easy.host;
	hostd_buf token = { NULL, 0 };
	char fresh[TOKEN_SIZE];

	if (api->get(host, s, KEY_CSRF, HOSTD_SESSION_TEXT, &token) ==
	    HOSTD_OK && token.n > 0)
		return token;
	if (token_make(fresh) == -1 || api->set(host, s, KEY_CSRF,
	    HOSTD_SESSION_TEXT, hostd_str(fresh)) != HOSTD_OK ||
	    api->get(host, s, KEY_CSRF, HOSTD_SESSION_TEXT, &token) !=
	    HOSTD_OK)
		return (hostd_buf){ NULL, 0 };
	return token;
}

/* -- of the cookie -- */

static int
is_secure(const struct hostd_inst *in, const struct hostd_request *r)
{
	return in->secure || (r->flags & HOSTD_REQ_TLS) != 0;
}

int
token_of_cookie(struct hostd_inst *in, hostd_req req, char token[TOKEN_SIZE])
{
	const struct hostd_request *r = hostd_request_of(in, req);
	hostd_buf value;

	token[0] = '\0';
	return r != NULL && cookie_find(r, hostd_str(is_secure(in, r) ?
	    COOKIE_SECURE : COOKIE), &value) && token_copy(value, token);
}

void
token_cookie(const struct hostd_inst *in, hostd_req req, const char *token,
    char out[COOKIE_MAX])
{
	const struct hostd_request *r = in->easy.http->request(in->easy.host,
	    req);
	int secure = r != NULL && is_secure(in, r);

	(void)snprintf(out, COOKIE_MAX, "%s=%s; Path=/; HttpOnly; %sSameSite="
	    "Lax%s", secure ? COOKIE_SECURE : COOKIE, token,
	    secure ? "Secure; " : "", *token == '\0' ? "; Max-Age=0" : "");
}

hostd_buf
token_sent(struct hostd_inst *in, const struct visit *v)
{
	hostd_buf token = { NULL, 0 };

	if (v->csrf.p != NULL)
		return v->csrf;
	if (in->easy.http->header(in->easy.host, v->req, "X-CSRF-Token",
	    &token) != HOSTD_OK)
		token.n = 0;
	return token;
}
