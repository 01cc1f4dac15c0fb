/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logging in by a form, and out, for sessions:
 *
 *	GET /login		the form; or, who has logged in: a page that
 *				says so, and has a button to log out
 *	POST /login		user, password, remember, next, csrf: 303 to
 *				next, which is a path of this site, or to home
 *	POST /logout		csrf, next: 303 to next or to goodbye
 *	GET /whoami		{"user":"ada","csrf":"..."}, or {"user":null}
 *
 * The last part of the path says what is wanted, so the routes may be /login,
 * /logout and /whoami, or all that is below /account/; what is called neither
 * logout nor whoami is the form, if a route names it or it is called login.
 *
 * Who asks for application/json is answered in JSON: the form as
 * {"user":null,"csrf":"..."}, a login as {"user":...,"csrf":...,"next":...},
 * errors as {"error":"..."}.  The token may be sent as X-CSRF-Token, too.
 *
 *	400	a field is missing, there twice or encoded wrongly
 *	401	the user or the password is wrong
 *	403	the CSRF token is missing or another one
 *	413, 415 the body is too long, or no form
 *	429	too many logins have failed: Retry-After
 *	503	the store, or the threads that compute hashes, are busy
 */
#include <strings.h>
#include <sys/random.h>
#include "form.h"
#include "login.h"

/* -- what is asked for -- */

static int
ends_with(hostd_buf path, const char *name)
{
	size_t n = strlen(name);

	return path.n >= n && memcmp((const char *)path.p + path.n - n, name,
	    n) == 0;
}

/* -1: nothing that we have. */
static int
action_of(const struct hostd_request *r)
{
	if (ends_with(r->path, "/logout"))
		return ACTION_LOGOUT;
	if (ends_with(r->path, "/whoami"))
		return ACTION_WHOAMI;
	return r->rest.n == 0 || ends_with(r->path, "/login") ? ACTION_FORM :
	    -1;
}

/* Scripts say so; browsers that show a page want HTML above all. */
static int
wants_json(struct hostd_inst *in, hostd_req req)
{
	hostd_buf accept;

	return in->easy.http->header(in->easy.host, req, "Accept", &accept) ==
	    HOSTD_OK && memmem(accept.p, accept.n, "application/json", 16) !=
	    NULL && memmem(accept.p, accept.n, "text/html", 9) == NULL;
}

static int
is_form(struct hostd_inst *in, hostd_req req)
{
	static const char type[] = "application/x-www-form-urlencoded";
	const size_t n = sizeof(type) - 1;
	hostd_buf b;
	const char *p;

	if (in->easy.http->header(in->easy.host, req, "Content-Type", &b) !=
	    HOSTD_OK)
		return 0;
	p = b.p;
	return b.n >= n && strncasecmp(p, type, n) == 0 &&
	    (b.n == n || p[n] == ';' || p[n] == ' ' || p[n] == '\t');
}

/* -- with the session -- */

static int32_t
answer_no_session(struct hostd_inst *in, struct visit *v, int32_t status)
{
	if (status != HOSTD_E_NOTSUP)
		return answer_error(in, v, 503,
		    "Sessions can't be had just now.\n");
	hostd_logf(in->easy.host, HOSTD_LOG_ERROR, "this request has no "
	    "session: the route has session = off, there is no session block, "
	    "or its path is not that of the request");
	return answer_error(in, v, 500, "There are no sessions here.\n");
}

void
visit_settle(struct hostd_inst *in, struct visit *v, int32_t rc)
{
	if (rc < 0 && rc != HOSTD_E_GONE)
		(void)answer_error(in, v, 500, "Something has gone wrong.\n");
}

static void
is_ready(struct hostd_inst *in, void *arg, hostd_session s, int32_t status)
{
	struct visit *v = arg;

	visit_settle(in, v, status == HOSTD_OK ? v->then(in, v, s) :
	    answer_no_session(in, v, status));
}

int32_t
visit_with_session(struct hostd_inst *in, struct visit *v,
    int32_t (*then)(struct hostd_inst *, struct visit *, hostd_session))
{
	int32_t rc;

	v->then = then;
	rc = hostd_session_then(in, v->req, is_ready, v);
	return rc >= 0 || rc == HOSTD_E_GONE ? rc :
	    answer_no_session(in, v, rc);
}

/* -- a request -- */

/* The query of a page may say what comes next. */
static const char *
read_query(struct visit *v, hostd_buf query)
{
	struct form_field next = { "next", { NULL, 0 } };
	const char *why;

	if (query.n == 0)
		return NULL;
	if (query.n > FORM_MAX || (v->room = malloc(query.n)) == NULL)
		return "the query is too long";
	why = form_read(query, &next, 1, v->room);
	v->room_size = query.n;
	v->next = next.value;
	return why;
}

static int32_t
answer_bad(struct hostd_inst *in, struct visit *v, const char *why)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "This form can't be read: %s.\n",
	    why);
	return answer_error(in, v, 400, text);
}

static int32_t
get(struct hostd_inst *in, struct visit *v, const struct hostd_request *r)
{
	const char *why = read_query(v, r->query);

	if (why != NULL)
		return answer_bad(in, v, why);
	return visit_with_session(in, v, v->action == ACTION_WHOAMI ?
	    leave_whoami : enter_show);
}

/* A logout may come without a body, its token in a header. */
static int32_t
post(struct hostd_inst *in, struct visit *v, const struct hostd_request *r)
{
	if (r->content_length > FORM_MAX)
		return answer_error(in, v, 413, "This form is too long.\n");
	if (r->content_length != 0 && !is_form(in, v->req))
		return answer_error(in, v, 415, "This takes forms, of type "
		    "application/x-www-form-urlencoded.\n");
	v->sends = 1;
	return HOSTD_OK;
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	static const char *const allowed[] = {
		[ACTION_FORM] = "GET, HEAD, POST, OPTIONS",
		[ACTION_LOGOUT] = "POST, OPTIONS",
		[ACTION_WHOAMI] = "GET, HEAD, OPTIONS",
	};
	const struct hostd_request *r = hostd_request_of(in, req);
	struct visit *v = d;
	int action;

	if (r == NULL)
		return HOSTD_E_GONE;
	if ((action = action_of(r)) == -1)
		return HOSTD_PASS;
	v->req = req;
	v->action = (enum action)action;
	v->json = v->action == ACTION_WHOAMI || wants_json(in, req);
	if (v->action != ACTION_LOGOUT && (r->method == HOSTD_METHOD_GET ||
	    r->method == HOSTD_METHOD_HEAD))
		return get(in, v, r);
	if (v->action != ACTION_WHOAMI && r->method == HOSTD_METHOD_POST)
		return post(in, v, r);
	return answer_method(in, v, allowed[v->action],
	    r->method == HOSTD_METHOD_OPTIONS);
}

static int32_t
on_body(struct hostd_inst *in, hostd_req req, void *d, hostd_buf body,
    int32_t fin)
{
	struct form_field f[] = { { "user", { NULL, 0 } },
		{ "password", { NULL, 0 } }, { "remember", { NULL, 0 } },
		{ "next", { NULL, 0 } }, { "csrf", { NULL, 0 } } };
	struct visit *v = d;
	const char *why;

	(void)req;
	(void)fin;
	/* It waits for the session, whatever else it says. */
	if (!v->sends)
		return HOSTD_DEFER;
	if (body.n > FORM_MAX)
		return answer_error(in, v, 413, "This form is too long.\n");
	if ((v->room = malloc(body.n + 1)) == NULL)
		return HOSTD_E_NOMEM;
	v->room_size = body.n;
	why = form_read(body, f, sizeof(f) / sizeof(f[0]), v->room);
	if (why != NULL)
		return answer_bad(in, v, why);
	v->user = f[0].value;
	v->remember = f[2].value.n > 0 && in->remember_ms > 0;
	v->next = f[3].value;
	v->csrf = f[4].value;
	if (v->action == ACTION_LOGOUT)
		return visit_with_session(in, v, leave);
	return enter(in, v, f[1].value);
}

static void
on_end(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	struct visit *v = d;

	(void)in;
	(void)req;
	(void)why;
	if (v->room == NULL)
		return;
	/* A password may be in it. */
	explicit_bzero(v->room, v->room_size);
	free(v->room);
	v->room = NULL;
}

/* -- life -- */

static int32_t
bind_tables(struct hostd_inst *in, struct hostd_err *err)
{
	const struct hostd_host *host = in->easy.host;

	in->auth = host->get_ext(host, HOSTD_EXT_AUTH);
	if (in->auth == NULL || !HOSTD_HAS(in->auth, check_password) ||
	    in->easy.session == NULL || !HOSTD_HAS(in->easy.session, save))
		return hostd_fail(err, HOSTD_E_NOTSUP, "this host does not "
		    "serve " HOSTD_EXT_AUTH " or " HOSTD_EXT_SESSION);
	if ((in->rate = calloc(1, sizeof(*in->rate))) == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	if (rate_init(in->rate) == -1 || getrandom(&in->origin,
	    sizeof(in->origin), 0) != sizeof(in->origin))
		return hostd_fail(err, HOSTD_E_IO, "no random numbers");
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	page_free(in->form);
	page_free(in->inside);
	free(in->form_text);
	free(in->inside_text);
	free(in->rate);
	free(in);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = NULL;
	int32_t rc;

	if ((rc = hostd_easy_create(sizeof(*in), host, &in, err)) != HOSTD_OK)
		return rc;
	if ((rc = bind_tables(in, err)) != HOSTD_OK ||
	    (rc = settings_read(in, conf, err)) != HOSTD_OK) {
		destroy(in);
		return rc;
	}
	*out = in;
	return HOSTD_OK;
}

/* Without channels each worker counts for itself. */
static int32_t
start(struct hostd_inst *in)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	hostd_sub sub;

	if (e->channel != NULL)
		(void)e->channel->subscribe(e->host,
		    hostd_str(ENTER_CHANNEL), enter_failed_elsewhere, NULL,
		    &sub);
	return HOSTD_OK;
}

static const struct hostd_http_ops ops = {
	.struct_size = sizeof(ops), .flags = HOSTD_HTTP_BUFFER_BODY,
	.data_size = sizeof(struct visit), .on_headers = on_headers,
	.on_body = on_body, .on_end = on_end
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_HTTP_ROUTE,
	.ops = &ops, .route = "/login"
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(3), .id = "http_login", .version = HOSTD_SDK_VERSION,
	.built_with = HOSTD_SDK_VERSION, .provides = provides,
	.keys = settings_keys, .create = create, .start = start,
	.destroy = destroy
};
