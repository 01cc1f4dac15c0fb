/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.auth/1: who the client of a request, or of a WebSocket, is, and whether
 * a password is somebody's. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/auth.h>
#include "auth/bearer.h"
#include "auth/password.h"
#include "base/mem.h"
#include "http/identity.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"

/* Whose request it is.  0, or a code of hostd.auth/1. */
static int32_t
who_asks(const struct hostd_host *host, hostd_req id, const char *function,
    const struct identity **out)
{
	struct http_req *r;
	int32_t rc = http_look(host, id, function, &r);

	if (rc != HOSTD_OK)
		return rc;
	*out = r->who;
	return r->who == NULL ? HOSTD_E_NOTSUP : HOSTD_OK;
}

static int32_t
whose_socket(const struct hostd_host *host, hostd_ws id, const char *function,
    const struct identity **out)
{
	struct ws_conn *c;
	int32_t rc = ws_find(host, id, function, &c);

	if (rc != HOSTD_OK)
		return rc;
	*out = c->who;
	return c->who == NULL ? HOSTD_E_NOTSUP : HOSTD_OK;
}

static int32_t
tell_claim(const struct hostd_host *host, const struct identity *who,
    const char *name, uint32_t flags, hostd_buf *out)
{
	struct instance *in = host->ctx;
	struct buf *text = &in->all->claim;

	*out = (hostd_buf){ NULL, 0 };
	if (!claim_find(who->claims, (hostd_buf){ name, strlen(name) }, out) ||
	    !(flags & HOSTD_CLAIM_TEXT))
		return HOSTD_OK;
	text->len = 0;
	/* Empty, it is there all the same. */
	(void)buf_reserve(text, 1);
	claim_put_text(*out, text);
	*out = (hostd_buf){ text->p, text->len };
	return HOSTD_OK;
}

/* -- requests -- */

static int32_t
api_user(const struct hostd_host *host, hostd_req id, hostd_buf *out)
{
	const struct identity *who;
	int32_t rc = out == NULL ? HOSTD_E_INVAL :
	    who_asks(host, id, "user", &who);

	if (rc == HOSTD_OK)
		*out = who->user;
	return rc;
}

static int32_t
api_claims(const struct hostd_host *host, hostd_req id, hostd_buf *out)
{
	const struct identity *who;
	int32_t rc = out == NULL ? HOSTD_E_INVAL :
	    who_asks(host, id, "claims", &who);

	if (rc == HOSTD_OK)
		*out = who->claims;
	return rc;
}

static int32_t
api_claim(const struct hostd_host *host, hostd_req id, const char *name,
    uint32_t flags, hostd_buf *out)
{
	const struct identity *who;
	int32_t rc;

	if (out == NULL || name == NULL || (flags & ~HOSTD_CLAIM_TEXT) != 0)
		return HOSTD_E_INVAL;
	rc = who_asks(host, id, "claim", &who);
	return rc == HOSTD_OK ? tell_claim(host, who, name, flags, out) : rc;
}

/* -- WebSockets -- */

static int32_t
api_ws_user(const struct hostd_host *host, hostd_ws id, hostd_buf *out)
{
	const struct identity *who;
	int32_t rc = out == NULL ? HOSTD_E_INVAL :
	    whose_socket(host, id, "ws_user", &who);

	if (rc == HOSTD_OK)
		*out = who->user;
	return rc;
}

static int32_t
api_ws_claims(const struct hostd_host *host, hostd_ws id, hostd_buf *out)
{
	const struct identity *who;
	int32_t rc = out == NULL ? HOSTD_E_INVAL :
	    whose_socket(host, id, "ws_claims", &who);

	if (rc == HOSTD_OK)
		*out = who->claims;
	return rc;
}

static int32_t
api_ws_claim(const struct hostd_host *host, hostd_ws id, const char *name,
    uint32_t flags, hostd_buf *out)
{
	const struct identity *who;
	int32_t rc;

	if (out == NULL || name == NULL || (flags & ~HOSTD_CLAIM_TEXT) != 0)
		return HOSTD_E_INVAL;
	rc = whose_socket(host, id, "ws_claim", &who);
	return rc == HOSTD_OK ? tell_claim(host, who, name, flags, out) : rc;
}

/* -- passwords -- */

/* A plugin that waits for a password to be checked, for a request. */
struct question {
	struct http_errand errand;	/* first */
	struct password_ask ask;
	struct instance *in;
	void (*done)(struct hostd_inst *, void *, int32_t);
	void *arg;
};

static void
question_told(struct password_ask *ask, struct identity *who)
{
	struct question *q = (struct question *)(void *)((char *)ask -
	    offsetof(struct question, ask));
	struct question was = *q;
	uint64_t entered;

	LIST_REMOVE(&q->errand, link);
	free(q);
	entered = instance_enter(was.in, BOARD_CB_WORK_DONE);
	was.done(was.in->inst, was.arg, who != NULL ? HOSTD_OK :
	    HOSTD_E_INVAL);
	instance_leave(was.in, entered);
}

static void
question_gone(struct http_errand *e)
{
	struct question *q = (struct question *)(void *)e;

	password_forget(&q->ask);
	free(q);
}

static int32_t
api_has_users(const struct hostd_host *host, const char *auth)
{
	struct instance *in = host->ctx;
	int32_t rc = instance_check_thread(in, "has_users");

	if (rc != HOSTD_OK)
		return rc;
	if (auth == NULL)
		return HOSTD_E_INVAL;
	return auths_users(&in->all->auths, auth) == NULL ? HOSTD_E_NOTSUP :
	    HOSTD_OK;
}

static int32_t
ask_for(struct http_req *r, struct auth *users, hostd_buf user,
    hostd_buf password, const struct question *what)
{
	struct question *q = xmalloc(sizeof(*q));
	int32_t rc;

	*q = *what;
	q->errand.ended = question_gone;
	q->ask.told = question_told;
	rc = password_ask(users, user, password, &q->ask);
	if (rc == HOSTD_DEFER)
		LIST_INSERT_HEAD(&r->errands, &q->errand, link);
	else
		free(q);
	return rc;
}

static int32_t
api_check_password(const struct hostd_host *host, hostd_req id,
    const char *auth, hostd_buf user, hostd_buf password,
    void (*done)(struct hostd_inst *, void *, int32_t), void *arg)
{
	const struct question q = { .in = host->ctx, .done = done, .arg = arg };
	struct auth *users;
	struct http_req *r;
	int32_t rc = http_find(host, id, "check_password", &r);

	if (rc != HOSTD_OK)
		return rc;
	if (auth == NULL || done == NULL)
		return HOSTD_E_INVAL;
	if ((users = auths_users(&q.in->all->auths, auth)) == NULL)
		return HOSTD_E_NOTSUP;
	if (password_known(users, user, password) != NULL)
		return HOSTD_OK;
	return ask_for(r, users, user, password, &q);
}

static int32_t
api_has_tokens(const struct hostd_host *host, const char *auth)
{
	struct instance *in = host->ctx;
	int32_t rc = instance_check_thread(in, "has_tokens");

	if (rc != HOSTD_OK)
		return rc;
	if (auth == NULL)
		return HOSTD_E_INVAL;
	return auths_tokens(&in->all->auths, auth) == NULL ? HOSTD_E_NOTSUP :
	    HOSTD_OK;
}

static int32_t
api_check_token(const struct hostd_host *host, const char *auth,
    hostd_buf token, hostd_buf *user, hostd_buf *claims)
{
	struct instance *in = host->ctx;
	struct identity **who = &in->all->token_of;
	struct auth *a;
	int32_t rc = instance_check_thread(in, "check_token");

	if (rc != HOSTD_OK)
		return rc;
	if (auth == NULL || user == NULL)
		return HOSTD_E_INVAL;
	if ((a = auths_tokens(&in->all->auths, auth)) == NULL)
		return HOSTD_E_NOTSUP;
	identity_unref(*who);
	if ((*who = bearer_check(a, token)) == NULL)
		return HOSTD_E_INVAL;
	*user = (*who)->user;
	if (claims != NULL)
		*claims = (*who)->claims;
	return HOSTD_OK;
}

const struct hostd_auth_api *
auth_service(void)
{
	static const struct hostd_auth_api api = {
		.struct_size = sizeof(struct hostd_auth_api),
		.user = api_user,
		.claims = api_claims,
		.claim = api_claim,
		.ws_user = api_ws_user,
		.ws_claims = api_ws_claims,
		.ws_claim = api_ws_claim,
		.has_users = api_has_users,
		.check_password = api_check_password,
		.has_tokens = api_has_tokens,
		.check_token = api_check_token,
	};

	return &api;
}
