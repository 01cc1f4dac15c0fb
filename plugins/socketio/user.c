/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <hostd/auth.h>
#include <hostd/json.h>
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

static const struct hostd_auth_api *
auth_api(const struct hostd_inst *in)
{
	return in->easy.host->get_ext(in->easy.host, HOSTD_EXT_AUTH);
}

int32_t
user_create(struct hostd_inst *in, struct hostd_err *err)
{
	const struct hostd_auth_api *auth = auth_api(in);
	const char *name = in->opt.token_auth.p;

	if (in->opt.token_auth.n == 0)
		return HOSTD_OK;
	if (auth == NULL || !HOSTD_HAS(auth, check_token))
		return hostd_fail(err, HOSTD_E_NOTSUP, "token_auth: this host "
		    "does not check tokens");
	if (auth->has_tokens(in->easy.host, name) == HOSTD_OK)
		return HOSTD_OK;
	return hostd_fail(err, HOSTD_E_INVAL, "token_auth: there is no auth "
	    "block \"%.100s\" with type = jwt", name);
}

/* Was it somebody else's until now? */
static int
is_anothers(const struct eio *eio, hostd_buf user)
{
	hostd_buf was = eio_handshake(eio)->user;

	return was.p != NULL && (was.n != user.n ||
	    memcmp(was.p, user.p, was.n) != 0);
}

int
user_by_token(struct hostd_inst *in, struct eio *eio, hostd_buf said)
{
	hostd_buf token, user, json;
	int64_t n;
	char *room;
	int32_t rc;

	if (in->opt.token_auth.n == 0)
		return 0;
	json = hostd_json_get(said, "token");
	if (json.p == NULL || hostd_json_is(json, "null"))
		return 0;
	if ((room = malloc(json.n + 1)) == NULL)
		return -1;
	n = hostd_json_text(json, room, json.n + 1);
	token.p = room;
	token.n = n < 0 ? 0 : (size_t)n;
	rc = auth_api(in)->check_token(in->easy.host,
	    (const char *)in->opt.token_auth.p, token, &user, NULL);
	free(room);
	if (rc != HOSTD_OK || is_anothers(eio, user))
		return -1;
	return user.n == 0 || eio_handshake(eio)->user.p != NULL ? 0 :
	    eio_set_user(eio, user);
}
