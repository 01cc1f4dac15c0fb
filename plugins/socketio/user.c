/* SPDX-License-Identifier: BSD-2-Clause */
#include <hostd/auth.h>
#include "user.h"

static void
is_loaded(struct hostd_inst *in, void *arg, hostd_session s, int32_t status)
{
	const struct hostd_easy *e = &in->easy;
	const struct user_ask *ask = arg;
	hostd_buf name = { NULL, 0 };

	if (status == HOSTD_OK && e->session->get(e->host, s,
	    (const char *)in->opt.user_key.p, HOSTD_SESSION_TEXT, &name) !=
	    HOSTD_OK)
		name.p = NULL;
	ask->then(in, ask->arg, status, name);
}

int32_t
user_find(struct hostd_inst *in, hostd_req req, struct user_ask *ask,
    void (*then)(struct hostd_inst *, void *arg, int32_t status,
    hostd_buf user), void *arg)
{
	const struct hostd_host *host = in->easy.host;
	const struct hostd_auth_api *auth = host->get_ext(host,
	    HOSTD_EXT_AUTH);
	hostd_buf name = { NULL, 0 };
	int32_t rc = HOSTD_E_NOTSUP;

	ask->then = then;
	ask->arg = arg;
	if (auth != NULL && auth->user(host, req, &name) == HOSTD_OK &&
	    name.n > 0) {
		then(in, arg, HOSTD_OK, name);
		return HOSTD_OK;
	}
	if (in->opt.user_key.n > 0)
		rc = hostd_session_then(in, req, is_loaded, ask);
	if (rc < 0) {
		name.p = NULL;
		name.n = 0;
		then(in, arg, rc == HOSTD_E_NOTSUP ? HOSTD_OK : rc, name);
		return HOSTD_OK;
	}
	return rc;
}
