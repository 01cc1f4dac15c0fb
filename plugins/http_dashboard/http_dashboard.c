/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page that shows this node, live.  Below its route:
 *
 *	GET  /		the page, and its files beside it
 *	GET  /live	a WebSocket: feed.c
 *	POST /action	action.c
 */
#include "dashboard.h"

/* -- requests -- */

static int
is_rest(const struct hostd_request *r, const char *name)
{
	return r->rest.n == strlen(name) &&
	    memcmp(r->rest.p, name, r->rest.n) == 0;
}

static int32_t
show(struct hostd_inst *in, struct visit *v)
{
	const struct hostd_request *r = hostd_request_of(in, v->req);
	const struct file *f;

	if (r == NULL)
		return HOSTD_E_GONE;
	f = file_find(r->rest);
	return f == NULL ? HOSTD_E_GONE : answer_file(in, v->req, f);
}

/* What is below is found by relative names. */
static int32_t
redirect(struct hostd_inst *in, hostd_req req, const struct hostd_request *r)
{
	hostd_hdr h = hostd_header("Location", NULL);
	const char *p = r->path.p;
	char to[512];
	int n;

	n = (int)r->path.n;
	while (n > 0 && p[n - 1] != '/' && (int)r->path.n - n < 255)
		n--;
	n = snprintf(to, sizeof(to), "%.*s/", (int)r->path.n - n, p + n);
	h.value = (hostd_buf){ to, (size_t)n };
	return in->easy.http->respond(in->easy.host, req, 308, &h, 1,
	    hostd_str(NULL));
}

static int32_t
get(struct hostd_inst *in, struct visit *v, const struct hostd_request *r)
{
	if (file_find(r->rest) == NULL)
		return HOSTD_PASS;
	if (r->rest.n == 0 && ((const char *)r->path.p)[r->path.n - 1] != '/')
		return redirect(in, v->req, r);
	return who_then(in, v, show);
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	struct visit *v = d;

	if (r == NULL)
		return HOSTD_E_GONE;
	v->req = req;
	if (is_rest(r, "action"))
		return r->method == HOSTD_METHOD_POST ? HOSTD_OK :
		    hostd_refuse_method(in, req, "POST, OPTIONS");
	if (is_rest(r, "live"))
		return answer_text(in, req, 426, "This is a WebSocket.\n");
	if (r->method == HOSTD_METHOD_GET || r->method == HOSTD_METHOD_HEAD)
		return get(in, v, r);
	return hostd_refuse_method(in, req, "GET, HEAD, OPTIONS");
}

static int32_t
on_body(struct hostd_inst *in, hostd_req req, void *d, hostd_buf body,
    int32_t fin)
{
	const struct hostd_request *r = hostd_request_of(in, req);

	(void)fin;
	if (r == NULL)
		return HOSTD_E_GONE;
	/* Pages have been answered, or wait for the session. */
	return is_rest(r, "action") ? action_take(in, d, body) : HOSTD_DEFER;
}

static void
on_end(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	struct visit *v = d;

	(void)in;
	(void)req;
	(void)why;
	json_decref(v->order);
	v->order = NULL;
}

/* -- WebSockets -- */

static int32_t
let_look(struct hostd_inst *in, struct visit *v)
{
	struct viewer *viewer = (struct viewer *)(void *)v;
	hostd_buf none = { NULL, 0 };

	(void)token_of_cookie(in, v->req, viewer->token);
	return in->easy.ws->accept(in->easy.host, v->req, none, NULL, 0);
}

static int32_t
on_upgrade(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	struct viewer *v = d;

	if (r == NULL)
		return HOSTD_E_GONE;
	if (!is_rest(r, "live"))
		return HOSTD_PASS;
	v->visit.req = req;
	if (!who_is_ours(in, req))
		return answer_text(in, req, 403,
		    "This is for the dashboard's own page.\n");
	return who_then(in, &v->visit, let_look);
}

static void
on_open(struct hostd_inst *in, hostd_ws ws, void *d)
{
	struct viewer *v = d;

	v->ws = ws;
	feed_open(in, v);
}

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	(void)d;
	(void)msg;
	(void)flags;
	return in->easy.ws->close(in->easy.host, ws, HOSTD_WS_POLICY,
	    hostd_str("the page says nothing here"));
}

static void
on_close(struct hostd_inst *in, hostd_ws ws, void *d, int32_t code,
    hostd_buf reason)
{
	(void)ws;
	(void)code;
	(void)reason;
	feed_close(in, d);
}

/* -- life -- */

static int32_t
bind_tables(struct hostd_inst *in, struct hostd_err *err)
{
	const struct hostd_host *host = in->easy.host;

	in->auth = host->get_ext(host, HOSTD_EXT_AUTH);
	in->control = host->get_ext(host, HOSTD_EXT_CONTROL);
	in->status = host->get_ext(host, HOSTD_EXT_STATUS);
	in->timers = host->get_ext(host, HOSTD_EXT_TIMER);
	if (in->control != NULL && !HOSTD_HAS(in->control, ask))
		in->control = NULL;
	if (in->auth != NULL && !HOSTD_HAS(in->auth, user))
		in->auth = NULL;
	if (in->status == NULL || !HOSTD_HAS(in->status, json) ||
	    in->timers == NULL || !HOSTD_HAS(in->timers, stop) ||
	    in->easy.ws == NULL || !HOSTD_HAS(in->easy.ws, close))
		return hostd_fail(err, HOSTD_E_NOTSUP, "this host does not "
		    "serve " HOSTD_EXT_STATUS ", " HOSTD_EXT_TIMER " or "
		    HOSTD_EXT_WS);
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	action_free(in);
	watch_free(in);
	rooms_free(in);
	settings_free(in);
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
	TAILQ_INIT(&in->viewers);
	LIST_INIT(&in->pending);
	if ((rc = bind_tables(in, err)) != HOSTD_OK ||
	    (rc = settings_read(in, conf, err)) != HOSTD_OK) {
		destroy(in);
		return rc;
	}
	*out = in;
	return HOSTD_OK;
}

static void
drain(struct hostd_inst *in, uint32_t deadline_ms)
{
	(void)deadline_ms;
	feed_drain(in);
}

/* The last minutes go to a successor. */
static int32_t
save(struct hostd_inst *in, int32_t (*put)(void *, hostd_buf), void *arg)
{
	return put(arg, (hostd_buf){ &in->ring, sizeof(in->ring) });
}

static int32_t
load(struct hostd_inst *in, uint32_t from_version, hostd_buf state)
{
	struct ring *r;

	if (from_version != 1 || state.n != sizeof(in->ring))
		return HOSTD_E_NOTSUP;
	if ((r = malloc(sizeof(*r))) == NULL)
		return HOSTD_E_NOMEM;
	memcpy(r, state.p, sizeof(*r));
	if (ring_is_sound(r))
		in->ring = *r;
	free(r);
	return HOSTD_OK;
}

static const struct hostd_p_state state = {
	.struct_size = sizeof(state), .version = 1, .save = save, .load = load
};

static const void *
get_ext(const char *id)
{
	return strcmp(id, HOSTD_P_STATE) == 0 ? &state : NULL;
}

static const struct hostd_http_ops http_ops = {
	.struct_size = sizeof(http_ops), .flags = HOSTD_HTTP_BUFFER_BODY,
	.data_size = sizeof(struct visit), .on_headers = on_headers,
	.on_body = on_body, .on_end = on_end
};
static const struct hostd_ws_ops ws_ops = {
	.struct_size = sizeof(ws_ops), .data_size = sizeof(struct viewer),
	.on_upgrade = on_upgrade, .on_open = on_open,
	.on_message = on_message, .on_close = on_close
};
static const struct hostd_provide route = {
	.struct_size = sizeof(route), .kind = HOSTD_KIND_HTTP_ROUTE,
	.ops = &http_ops, .route = "/dashboard/"
};
static const struct hostd_provide sockets = {
	.struct_size = sizeof(sockets), .kind = HOSTD_KIND_WS_HANDLER,
	.ops = &ws_ops, .route = "/dashboard/"
};
static const struct hostd_provide *const provides[] = { &route, &sockets,
	NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0), .id = "http_dashboard", .version = HOSTD_SDK_VERSION,
	.built_with = HOSTD_SDK_VERSION, .provides = provides,
	.keys = settings_keys, .create = create, .start = feed_start,
	.drain = drain, .destroy = destroy, .get_ext = get_ext
};
