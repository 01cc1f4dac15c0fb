/* SPDX-License-Identifier: BSD-2-Clause */
/* The gate of auth blocks of the type certificate. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "auth/dn.h"
#include "auth/gate.h"
#include "base/log.h"
#include "http/conn.h"
#include "net/tls.h"

/* 0, or -1: its certificate has no such thing. */
static int
put_user(const struct conf_auth *c, const struct tls_peer *p, struct buf *out)
{
	switch (c->user_from) {
	case CONF_USER_CN:
		return dn_find(p->subject, "CN", out);
	case CONF_USER_DN:
		buf_puts(out, p->subject);
		break;
	case CONF_USER_SERIAL:
		buf_puts(out, p->serial);
		break;
	case CONF_USER_FINGERPRINT:
		buf_puts(out, p->fingerprint);
		break;
	}
	return out->len > 0 ? 0 : -1;
}

static int
is_listed(const struct conf_auth *c, const struct buf *user)
{
	int is_hex = c->user_from == CONF_USER_SERIAL ||
	    c->user_from == CONF_USER_FINGERPRINT;
	size_t i;

	for (i = 0; i < c->nusers; i++)
		if (strlen(c->users[i]) == user->len && (is_hex ?
		    strncasecmp(c->users[i], user->p, user->len) :
		    memcmp(c->users[i], user->p, user->len)) == 0)
			return 1;
	return c->nusers == 0;
}

/* There is no challenge for that: a browser asks when it connects. */
static int32_t
refuse(const struct auth *a, struct http_req *r, const char *why)
{
	log_debug("auth %s: %.*s is refused: %s", a->conf->name,
	    (int)r->view.peer.n, (const char *)r->view.peer.p, why);
	return auth_answer(r, 403, "Cache-Control", "no-store");
}

int32_t
certificate_enter(struct http_gate *g, struct http_req *r)
{
	const struct tls_info *t = stream_tls(&r->conn->stream);
	const struct auth *a = auth_of(g);
	struct buf user = { NULL, 0, 0 };
	struct identity *who;

	if (t == NULL || !t->has_peer)
		return refuse(a, r, "there is no certificate");
	if (strcmp(t->peer.verify, "SUCCESS") != 0)
		return refuse(a, r, t->peer.verify);
	if (put_user(a->conf, &t->peer, &user) == -1 ||
	    !is_listed(a->conf, &user)) {
		buf_free(&user);
		return refuse(a, r, t->peer.subject);
	}
	who = identity_new((hostd_buf){ user.p, user.len },
	    (hostd_buf){ NULL, 0 });
	buf_free(&user);
	request_set_identity(r, who);
	identity_unref(who);
	return HOSTD_OK;
}
