/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells who asks, as hostd.auth/1 has it: of requests, where the query is the
 * name of a claim, and of WebSockets, where a message is.  Four lines: user,
 * claims, the claim as JSON, the claim as text; a fifth is the process.  What
 * could not be told is its code in parentheses.  The claim "misuse" has the
 * table called in ways that it must refuse.  The subprotocol "chat" is agreed
 * to.
 */
#include <hostd/auth.h>
#include <hostd/easy.h>
#include <unistd.h>

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_auth_api *auth;
	char text[16384];
	size_t n;
};

static void
put(struct hostd_inst *in, int32_t rc, hostd_buf b)
{
	size_t room = sizeof(in->text) - in->n - 1;
	char code[24];

	if (rc != HOSTD_OK) {
		(void)snprintf(code, sizeof(code), "(%d)", (int)rc);
		b = hostd_str(code);
	} else if (b.p == NULL)
		b = hostd_str("(none)");
	if (b.n > room)
		b.n = room;
	memcpy(in->text + in->n, b.p, b.n);
	in->n += b.n;
	in->text[in->n++] = '\n';
}

static void
put_process(struct hostd_inst *in)
{
	char pid[16];

	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	put(in, HOSTD_OK, hostd_str(pid));
}

static void
name_of(hostd_buf b, char *name, size_t size)
{
	size_t n = b.n < size ? b.n : size - 1;

	if (n > 0)
		memcpy(name, b.p, n);
	name[n] = '\0';
}

static void
never(struct hostd_inst *in, void *arg, int32_t status)
{
	(void)in;
	(void)arg;
	(void)status;
	abort();
}

/* Called in ways that it must refuse, does it? */
static int
is_refused(struct hostd_inst *in, hostd_req req, const char *name)
{
	const struct hostd_auth_api *api = in->auth;
	const struct hostd_host *host = in->easy.host;
	hostd_buf b, who = hostd_str("ada"), what = hostd_str("secret");
	hostd_req stale = {0};

	return api->claim(host, req, name, 2, &b) == HOSTD_E_INVAL &&
	    api->claim(host, req, NULL, 0, &b) == HOSTD_E_INVAL &&
	    api->user(host, req, NULL) == HOSTD_E_INVAL &&
	    api->has_users(host, NULL) == HOSTD_E_INVAL &&
	    api->has_users(host, "nobody") == HOSTD_E_NOTSUP &&
	    api->check_password(host, req, NULL, who, what, never, NULL) ==
	    HOSTD_E_INVAL &&
	    api->check_password(host, req, "nobody", who, what, NULL, NULL) ==
	    HOSTD_E_INVAL &&
	    api->check_password(host, req, "nobody", who, what, never, NULL) ==
	    HOSTD_E_NOTSUP &&
	    api->check_password(host, stale, "nobody", who, what, never,
	    NULL) == HOSTD_E_GONE;
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_host *host = in->easy.host;
	hostd_buf b = {NULL, 0};
	char name[64];
	int32_t rc;

	(void)d;
	in->n = 0;
	name_of(hostd_request_of(in, req)->query, name, sizeof(name));
	rc = in->auth->user(host, req, &b);
	put(in, rc, b);
	rc = in->auth->claims(host, req, &b);
	put(in, rc, b);
	rc = in->auth->claim(host, req, name, 0, &b);
	put(in, rc, b);
	rc = in->auth->claim(host, req, name, HOSTD_CLAIM_TEXT, &b);
	put(in, rc, b);
	put_process(in);
	in->text[in->n] = '\0';
	if (strcmp(name, "misuse") == 0 && !is_refused(in, req, name))
		return HOSTD_E_INVAL;
	return hostd_respond(in, req, 200, "text/plain", in->text);
}

static int32_t
on_upgrade(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_host *host = in->easy.host;
	hostd_buf none = {NULL, 0};

	(void)d;
	if (in->easy.ws->accept(host, req, hostd_str("chat"), NULL, 0) ==
	    HOSTD_OK)
		return HOSTD_OK;
	return in->easy.ws->accept(host, req, none, NULL, 0);
}

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	const struct hostd_host *host = in->easy.host;
	hostd_buf b = {NULL, 0};
	char name[64];
	int32_t rc;

	(void)d;
	(void)flags;
	in->n = 0;
	name_of(msg, name, sizeof(name));
	rc = in->auth->ws_user(host, ws, &b);
	put(in, rc, b);
	rc = in->auth->ws_claims(host, ws, &b);
	put(in, rc, b);
	rc = in->auth->ws_claim(host, ws, name, 0, &b);
	put(in, rc, b);
	rc = in->auth->ws_claim(host, ws, name, HOSTD_CLAIM_TEXT, &b);
	put(in, rc, b);
	put_process(in);
	/* A name may be anything but UTF-8. */
	return in->easy.ws->send(host, ws, (hostd_buf){in->text, in->n},
	    HOSTD_WS_BINARY);
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = NULL;
	int32_t rc = hostd_easy_create(sizeof(*in), host, &in, err);

	(void)conf;
	if (rc != HOSTD_OK)
		return rc;
	in->auth = host->get_ext(host, HOSTD_EXT_AUTH);
	if (in->auth == NULL || !HOSTD_HAS(in->auth, check_password) ||
	    in->easy.ws == NULL) {
		destroy(in);
		return hostd_fail(err, HOSTD_E_NOTSUP,
		    "this host has no " HOSTD_EXT_AUTH);
	}
	*out = in;
	return HOSTD_OK;
}

static const struct hostd_http_ops http_ops = {
	.struct_size = sizeof(http_ops),
	.on_headers = on_headers,
};
static const struct hostd_ws_ops ws_ops = {
	.struct_size = sizeof(ws_ops),
	.on_upgrade = on_upgrade,
	.on_message = on_message,
};
HOSTD_WS_STATE_PLAIN(1, ws_ops)
static const struct hostd_provide http = {
	.struct_size = sizeof(http),
	.kind = HOSTD_KIND_HTTP_ROUTE,
	.ops = &http_ops,
	.route = "/who",
};
static const struct hostd_provide ws = {
	.struct_size = sizeof(ws),
	.kind = HOSTD_KIND_WS_HANDLER,
	.ops = &ws_ops,
};
static const struct hostd_provide *const provides[] = {&http, &ws, NULL};

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(3),
	.id = "who_both",
	.version = "1.0",
	.built_with = HOSTD_SDK_VERSION,
	.provides = provides,
	.create = create,
	.destroy = destroy,
	.get_ext = hostd_ws_plain_get_ext,
};
