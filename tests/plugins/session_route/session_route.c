/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does with its session what the query says, in that order, and answers with a
 * JSON array of what came of each step: ["OK"], ["OK", value] or ["E_STATE"].
 * Steps are separated by "&", what is in them may be percent-encoded:
 *
 *	open		ask for the session (the first step that needs it does)
 *	opens=N		N times before it is loaded: how many were told
 *	get=K  text=K	its JSON, and as text; no value: there is none
 *	set=K:JSON  settext=K:TEXT  big=K:N (a string of N bytes)  del=K
 *	count=K		one more than it was
 *	keys  id  new	as hostd.session/1 has them
 *	age=MS  regenerate  destroy
 *	save		and wait for done
 *	savenow		and don't
 *	pid		of this process
 *	handle		its number, for use=N in another request
 *	last		that of the last session whose request has ended
 *	misuse		all that is to be refused: a list of codes
 *	thread		get on another thread
 * and, of requests:
 *	body		wait for the end of the body: until the client wants it
 *	wait=MS
 *	begin		the answer begins here
 *	status=N  cookie=TEXT (a Set-Cookie of its own)  fail  pass
 *
 * No step, no session.  A WebSocket does the same with its messages; its first
 * one is the answer to the query of its upgrade.
 */
#include <unistd.h>
#include "run.h"
#include "steps.h"

static void	go_on(struct run *);

/* -- steps that may take a while: HOSTD_DEFER, and go_on later -- */

static void
step_ended(struct run *r, int32_t rc)
{
	put_code(r, rc);
	go_on(r);
}

static void
loaded(struct hostd_inst *in, void *arg, hostd_session s, int32_t status)
{
	struct run *r = arg;

	(void)in;
	r->s = s;
	r->opened = status == HOSTD_OK;
	if (++r->readies < r->wanted)
		return;
	if (r->wanted > 0)
		put_number(r, status < 0 ? status : r->worst,
		    (unsigned)r->readies);
	else if (r->asked || status < 0)
		put_code(r, status);
	if (!r->asked && r->wanted == 0 && status < 0)
		skip(r);
	r->wanted = r->asked = 0;
	go_on(r);
}

static int32_t
open_session(struct run *r)
{
	const struct hostd_session_api *api = r->in->session;
	const struct hostd_host *h = r->in->easy.host;
	int32_t rc;

	rc = r->ws.id != 0 ? api->open_ws(h, r->ws, &r->s, loaded, r) :
	    api->open(h, r->req, &r->s, loaded, r);
	r->opened = rc == HOSTD_OK;
	return rc;
}

static int32_t
do_opens(struct run *r, const char *arg, const char *value)
{
	int32_t rc;
	int i, n = atoi(arg), waiting = 0;

	(void)value;
	r->readies = 0;
	r->worst = HOSTD_OK;
	for (i = 0; i < n; i++) {
		rc = open_session(r);
		if (rc < 0)
			r->worst = rc;
		else if (rc == HOSTD_DEFER)
			waiting++;
		else
			r->readies++;
	}
	if (waiting == 0)
		return put_number(r, r->worst, (unsigned)r->readies);
	r->wanted = r->readies + waiting;
	return HOSTD_DEFER;
}

static int32_t
do_open(struct run *r, const char *arg, const char *value)
{
	int32_t rc;

	(void)arg;
	(void)value;
	r->asked = 1;
	rc = open_session(r);
	if (rc == HOSTD_DEFER)
		return rc;
	r->asked = 0;
	return put_code(r, rc);
}

static void
saved(struct hostd_inst *in, void *arg, int32_t status)
{
	(void)in;
	step_ended(arg, status);
}

static int32_t
do_save(struct run *r, const char *arg, const char *value)
{
	int32_t rc = r->in->session->save(r->in->easy.host, r->s, saved, r);

	(void)arg;
	(void)value;
	return rc == HOSTD_DEFER ? rc : put_code(r, rc);
}

static int32_t
do_savenow(struct run *r, const char *arg, const char *value)
{
	(void)arg;
	(void)value;
	return put_code(r, r->in->session->save(r->in->easy.host, r->s, NULL,
	    NULL));
}

static void
timed(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	struct run *r = arg;

	(void)in;
	(void)timer;
	r->timer.id = 0;
	step_ended(r, HOSTD_OK);
}

static int32_t
do_wait(struct run *r, const char *arg, const char *value)
{
	int32_t rc = r->in->timers->start(r->in->easy.host,
	    strtoul(arg, NULL, 10), 0, timed, r, &r->timer);

	(void)value;
	return rc == HOSTD_OK ? HOSTD_DEFER : put_code(r, rc);
}

static void
on_thread(void *arg)
{
	struct run *r = arg;
	hostd_buf b;

	r->thread_rc = r->in->session->get(r->in->easy.host, r->s, "k", 0, &b);
}

static void
off_thread(struct hostd_inst *in, void *arg, int32_t status)
{
	struct run *r = arg;

	(void)in;
	step_ended(r, status < 0 ? status : r->thread_rc);
}

static int32_t
do_thread(struct run *r, const char *arg, const char *value)
{
	int32_t rc = r->in->work->submit(r->in->easy.host, on_thread,
	    off_thread, r);

	(void)arg;
	(void)value;
	return rc == HOSTD_OK ? HOSTD_DEFER : put_code(r, rc);
}

static int32_t
do_body(struct run *r, const char *arg, const char *value)
{
	(void)arg;
	(void)value;
	if (r->has_body)
		return put_code(r, HOSTD_OK);
	r->waits_for_body = 1;
	return HOSTD_DEFER;
}

/* -- steps on the answer -- */

static int32_t
do_begin(struct run *r, const char *arg, const char *value)
{
	const struct hostd_easy *e = &r->in->easy;
	int32_t rc = e->http->begin(e->host, r->req, r->status, NULL, 0, -1);

	(void)arg;
	(void)value;
	r->begun = rc == HOSTD_OK;
	return put_code(r, rc);
}

static int32_t
do_status(struct run *r, const char *arg, const char *value)
{
	(void)value;
	r->status = atoi(arg);
	return put_code(r, HOSTD_OK);
}

static int32_t
do_cookie(struct run *r, const char *arg, const char *value)
{
	(void)value;
	(void)snprintf(r->cookie, sizeof(r->cookie), "%s", arg);
	return put_code(r, HOSTD_OK);
}

static int32_t
do_fail(struct run *r, const char *arg, const char *value)
{
	(void)arg;
	(void)value;
	return put_code(r, r->rc = HOSTD_E_INVAL);
}

static int32_t
do_pass(struct run *r, const char *arg, const char *value)
{
	(void)arg;
	(void)value;
	return put_code(r, r->rc = HOSTD_PASS);
}

static int32_t
do_pid(struct run *r, const char *arg, const char *value)
{
	(void)arg;
	(void)value;
	return put_number(r, HOSTD_OK, (unsigned)getpid());
}

/* -- steps on another request's session -- */

static int32_t
use(struct run *r, uint64_t id)
{
	r->s.id = id;
	r->opened = 1;
	return put_code(r, HOSTD_OK);
}

static int32_t
do_use(struct run *r, const char *arg, const char *value)
{
	(void)value;
	return use(r, strtoull(arg, NULL, 10));
}

static int32_t
do_last(struct run *r, const char *arg, const char *value)
{
	(void)arg;
	(void)value;
	return use(r, r->in->last.id);
}

/* -- all steps -- */

static const struct step {
	const char *name;
	int32_t (*run)(struct run *, const char *arg, const char *value);
	int plain;	/* needs no session */
} steps[] = {
	{ "open", do_open, 1 }, { "opens", do_opens, 1 },
	{ "get", do_get, 0 }, { "text", do_text, 0 }, { "set", do_set, 0 },
	{ "settext", do_settext, 0 }, { "big", do_big, 0 },
	{ "del", do_del, 0 }, { "count", do_count, 0 },
	{ "keys", do_keys, 0 }, { "id", do_id, 0 }, { "new", do_new, 0 },
	{ "age", do_age, 0 }, { "regenerate", do_regenerate, 0 },
	{ "destroy", do_destroy, 0 }, { "save", do_save, 0 },
	{ "savenow", do_savenow, 0 }, { "handle", do_handle, 0 },
	{ "misuse", do_misuse, 0 }, { "thread", do_thread, 0 },
	{ "use", do_use, 1 }, { "last", do_last, 1 }, { "pid", do_pid, 1 },
	{ "body", do_body, 1 }, { "wait", do_wait, 1 },
	{ "begin", do_begin, 1 }, { "status", do_status, 1 },
	{ "cookie", do_cookie, 1 }, { "fail", do_fail, 1 },
	{ "pass", do_pass, 1 }, { NULL, NULL, 0 }
};

/* NULL: there is none of that name. */
static const struct step *
find_step(const char *s)
{
	const struct step *p = steps;
	size_t n = strcspn(s, "=&");

	while (p->name != NULL &&
	    (strlen(p->name) != n || memcmp(p->name, s, n) != 0))
		p++;
	return p->name != NULL ? p : NULL;
}

static void
decode(char *s)
{
	char *to = s, digits[3] = "";

	for (; *s != '\0'; s++)
		if (*s == '%' && s[1] != '\0' && s[2] != '\0') {
			memcpy(digits, s + 1, 2);
			*to++ = (char)strtol(digits, NULL, 16);
			s += 2;
		} else
			*to++ = *s;
	*to = '\0';
}

/* Takes it off the script. */
static int32_t
run_step(struct run *r, const struct step *p)
{
	char empty[1] = "", *arg = r->at, *value;

	r->at += strcspn(r->at, "&");
	if (*r->at == '&')
		*r->at++ = '\0';
	arg += strcspn(arg, "=");
	arg += *arg != '\0';
	value = arg + strcspn(arg, ":");
	if (*value != '\0')
		*value++ = '\0';
	else
		value = empty;
	decode(arg);
	decode(value);
	return p->run(r, arg, value);
}

/* HOSTD_OK: the next one; HOSTD_DEFER: later. */
static int32_t
next_step(struct run *r)
{
	const struct step *p = find_step(r->at);
	int32_t rc = p == NULL ? HOSTD_E_NOTSUP : HOSTD_OK;

	if (p != NULL && !p->plain && !r->opened)
		rc = open_session(r);
	if (rc == HOSTD_DEFER)
		return rc;
	if (rc == HOSTD_OK)
		return run_step(r, p);
	skip(r);
	return put_code(r, rc);
}

/* HOSTD_DEFER: it is not at its end. */
static int32_t
run_on(struct run *r)
{
	int32_t rc = HOSTD_OK;

	while (rc == HOSTD_OK && *r->at != '\0')
		rc = next_step(r);
	return rc;
}

static void
finish(struct run *r)
{
	struct hostd_inst *in = r->in;

	r->finished = 1;
	if (r->ws.id != 0) {
		put(r, "]", 1);
		(void)in->easy.ws->send(in->easy.host, r->ws,
		    (hostd_buf){ r->out, r->n }, HOSTD_WS_TEXT);
		run_free(r);
	} else if (r->upgrade != NULL)
		accept_upgrade(r, r->upgrade);
	else
		answer(r);
}

/* A step has ended that took a while. */
static void
go_on(struct run *r)
{
	if (run_on(r) == HOSTD_OK)
		finish(r);
}

/* -- requests -- */

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	struct run *r = run_new(in, hostd_request_of(in, req)->query);
	int32_t rc;

	(void)d;
	r->req = req;
	if (run_on(r) != HOSTD_OK)
		return HOSTD_DEFER;
	finish(r);
	rc = r->rc;
	if (rc == HOSTD_PASS)
		run_free(r);
	return rc;
}

static int32_t
on_body(struct hostd_inst *in, hostd_req req, void *d, hostd_buf part,
    int32_t fin)
{
	struct run *r = run_of(in, req);

	(void)d;
	(void)part;
	if (r == NULL)
		return HOSTD_OK;
	r->has_body = fin;
	if (fin && r->waits_for_body) {
		r->waits_for_body = 0;
		step_ended(r, HOSTD_OK);
	}
	return r->finished ? r->rc : HOSTD_DEFER;
}

static void
on_end(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	struct run *r = run_of(in, req);

	(void)d;
	(void)why;
	in->last = r->s;
	run_free(r);
}

/* -- WebSockets -- */

static int32_t
on_upgrade(struct hostd_inst *in, hostd_req req, void *d)
{
	struct run *r = run_new(in, hostd_request_of(in, req)->query);
	int32_t rc;

	r->req = req;
	r->upgrade = d;
	if (run_on(r) != HOSTD_OK)
		return HOSTD_DEFER;
	finish(r);
	rc = r->rc;
	run_free(r);
	return rc;
}

static void
on_refused(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	struct run *r = run_of(in, req);

	(void)d;
	(void)why;
	if (r != NULL)
		run_free(r);
}

static void
on_open(struct hostd_inst *in, hostd_ws ws, void *data)
{
	struct socket_data *d = data;
	struct run *r = in->runs;

	(void)in->easy.ws->send(in->easy.host, ws,
	    (hostd_buf){ d->first, d->n }, HOSTD_WS_TEXT);
	while (r != NULL && r->upgrade != d)
		r = r->next;
	if (r != NULL)
		run_free(r);
}

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	struct run *r = run_new(in, msg);

	(void)d;
	(void)flags;
	r->ws = ws;
	go_on(r);
	return HOSTD_OK;
}

static void
on_close(struct hostd_inst *in, hostd_ws ws, void *d, int32_t code,
    hostd_buf reason)
{
	struct run *r, *next;

	(void)d;
	(void)code;
	(void)reason;
	for (r = in->runs; r != NULL; r = next) {
		next = r->next;
		if (r->ws.id == ws.id)
			run_free(r);
	}
}

/* -- life -- */

static void
destroy(struct hostd_inst *in)
{
	while (in->runs != NULL)	/* of sockets that went elsewhere */
		run_free(in->runs);
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
	in->session = host->get_ext(host, HOSTD_EXT_SESSION);
	in->timers = host->get_ext(host, HOSTD_EXT_TIMER);
	in->work = host->get_ext(host, HOSTD_EXT_WORK);
	if (in->session == NULL || !HOSTD_HAS(in->session, save) ||
	    in->easy.ws == NULL) {
		free(in);
		return hostd_fail(err, HOSTD_E_NOTSUP,
		    "this host has no " HOSTD_EXT_SESSION);
	}
	*out = in;
	return HOSTD_OK;
}

static const struct hostd_http_ops http_ops = {
	.struct_size = sizeof(http_ops),
	.on_headers = on_headers,
	.on_body = on_body,
	.on_end = on_end,
};
static const struct hostd_ws_ops ws_ops = {
	.struct_size = sizeof(ws_ops),
	.data_size = sizeof(struct socket_data),
	.on_upgrade = on_upgrade,
	.on_refused = on_refused,
	.on_open = on_open,
	.on_message = on_message,
	.on_close = on_close,
};
HOSTD_WS_STATE_PLAIN(1, ws_ops)
static const struct hostd_provide http = {
	.struct_size = sizeof(http),
	.kind = HOSTD_KIND_HTTP_ROUTE,
	.ops = &http_ops,
	.route = "/s",
};
static const struct hostd_provide ws = {
	.struct_size = sizeof(ws),
	.kind = HOSTD_KIND_WS_HANDLER,
	.ops = &ws_ops,
};
static const struct hostd_provide *const provides[] = { &http, &ws, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(3),
	.id = "session_route",
	.version = "1.0",
	.built_with = HOSTD_SDK_VERSION,
	.provides = provides,
	.create = create,
	.destroy = destroy,
	.get_ext = hostd_ws_plain_get_ext,
};
