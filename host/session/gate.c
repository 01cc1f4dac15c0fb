/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <string.h>
#include <hostd/json.h>
#include "http/response.h"
#include "session/cookie.h"
#include "session/gate.h"
#include "session/visit.h"

static struct session_gate *
gate_of(struct http_gate *g)
{
	return (struct session_gate *)(void *)((char *)g -
	    offsetof(struct session_gate, gate));
}

/* Somebody who is looking at a page. */
static int
is_browser(const struct http_req *r)
{
	const hostd_hdr *accept = request_header(r, "Accept", 6);

	return (r->view.method == HOSTD_METHOD_GET ||
	    r->view.method == HOSTD_METHOD_HEAD) && accept != NULL &&
	    memmem(accept->value.p, accept->value.n, "text/html", 9) != NULL;
}

static int
is_login(const struct conf_session *c, const struct http_req *r)
{
	hostd_buf path = r->view.path;

	return c->login != NULL && path.n == strcspn(c->login, "?#") &&
	    memcmp(path.p, c->login, path.n) == 0;
}

static int
lets_pass(const struct conf_session *c, struct session *s)
{
	hostd_buf key, value;

	if (session_is_new(s))
		return 0;
	if (c->required_key == NULL)
		return 1;
	key = (hostd_buf){ c->required_key, strlen(c->required_key) };
	return session_get(s, key, &value) == HOSTD_OK &&
	    !hostd_json_is(value, "null") && !hostd_json_is(value, "false");
}

/* The login, and with "=" at its end where to come back to. */
static void
send_to_login(const struct conf_session *c, struct http_req *r)
{
	hostd_hdr to = { { "Location", 8 }, { NULL, 0 } };
	hostd_buf target = r->view.target;
	size_t n = strlen(c->login);
	struct buf b = { NULL, 0, 0 };

	buf_append(&b, c->login, n);
	if (n > 0 && c->login[n - 1] == '=' && target.n > 0 &&
	    *(const char *)target.p == '/')
		cookie_encode(&b, target.p, target.n);
	to.value = (hostd_buf){ b.p, b.len };
	(void)response_whole(r, 303, &to, 1, (hostd_buf){ NULL, 0 });
	buf_free(&b);
}

static void
refuse(const struct conf_session *c, struct http_req *r)
{
	request_drop_body(r);
	if (c->login != NULL && is_browser(r))
		send_to_login(c, r);
	else
		response_error(r, 401, NULL);
}

/* s: of an OK.  HOSTD_OK, or it has been answered. */
static int32_t
judge(const struct conf_session *c, struct http_req *r, struct session *s,
    int32_t status)
{
	if (status == HOSTD_OK && lets_pass(c, s))
		return HOSTD_OK;
	if (status == HOSTD_OK || status == HOSTD_E_NOTSUP)
		refuse(c, r);
	else {
		request_drop_body(r);
		response_error(r, 503, NULL);
	}
	return HOSTD_E_GONE;
}

static void
is_ready(struct session_wait *w, struct session *s, int32_t status)
{
	struct http_req *r = s != NULL ? session_request(s) : NULL;
	struct http_gate *g = r != NULL ? r->gated : NULL;

	(void)w;
	if (g != NULL &&
	    judge(gate_of(g)->kind->conf, r, s, status) == HOSTD_OK)
		gate_open(r);
}

static int32_t
enter(struct http_gate *g, struct http_req *r)
{
	struct session_kind *k = gate_of(g)->kind;
	struct session *s;
	int32_t rc;

	if (is_login(k->conf, r))
		return HOSTD_OK;
	rc = session_guard(k, r, is_ready, &s);
	return rc == HOSTD_DEFER ? rc : judge(k->conf, r, s, rc);
}

void
session_gate_init(struct session_gate *g, struct session_kind *k)
{
	g->gate.name = "session";
	g->gate.enter = enter;
	g->kind = k;
}
