/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.auth/1: who the client of a request, or of a WebSocket, is. */
#include <string.h>
#include <hostd/auth.h>
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
	};

	return &api;
}
