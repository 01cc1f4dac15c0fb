/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does in each of its callbacks what it is told to by the query of the request,
 * words separated by "&":
 *
 *	all		all that may be done, in every callback
 *	close=WHERE	close from there: open, message, writable
 *	cut=HOW		the upgrade is aborted: before it is accepted, behind
 *			it, or "fail": accepted, and then an error returned
 *	defer		it is decided by another socket's message "decide HOW":
 *			accept, cut, both, refuse
 *
 * Messages: "pause"; "go" (all that have paused go on); "fill N" (send N
 * bytes); "stale" (use the last socket that has closed); "mark" this socket;
 * "put N" and "urge N" (send N bytes to the one that is marked, "urge" volatile
 * ones; the result is the answer); "watch N" (of those that are longer than
 * commands the next N do not come back, and how many of them were in one turn
 * is logged); others come back.
 *
 * What is done in callbacks, and how it ends, is logged.
 */
#include <hostd/easy.h>
#include <inttypes.h>

#define SOCKETS_MAX	64
#define CLOSE_CODE	4001

struct socket {
	hostd_ws ws;
	hostd_req req;
	char query[64];
};

struct hostd_inst {
	HOSTD_EASY_HEAD;
	hostd_ws paused[SOCKETS_MAX];
	unsigned npaused;
	hostd_req deferred;
	hostd_ws last;		/* that has closed */
	hostd_ws marked;
	unsigned watched;	/* messages that are still watched for */
	unsigned in_turn, most_in_turn;	/* of them */
};

static int
is_asked(const struct socket *s, const char *what)
{
	return strstr(s->query, what) != NULL;
}

static int
wants_close(const struct socket *s, const char *where)
{
	char what[32];

	(void)snprintf(what, sizeof(what), "close=%s", where);
	return is_asked(s, what);
}

/* One after the other; their results in one line. */
static void
do_all(struct hostd_inst *in, const char *where, hostd_ws ws, hostd_req req)
{
	const struct hostd_ws_api *w = in->easy.ws;
	const struct hostd_channel_api *c = in->easy.channel;
	const struct hostd_host *host = in->easy.host;
	hostd_buf room = hostd_str("turns"), none = { NULL, 0 };
	hostd_ws nobody = { 0 }, list[4];
	uint32_t n = 0, here = 0;
	int32_t rc[10];

	rc[0] = w->subscribe(host, ws, room);
	rc[1] = w->send(host, ws, hostd_str("sent"), HOSTD_WS_TEXT);
	rc[2] = c->publish(host, room, hostd_str("published"), HOSTD_WS_TEXT,
	    nobody);
	rc[3] = w->set_label(host, ws, hostd_str("label"));
	rc[4] = w->pause(host, ws, 1);
	rc[5] = w->pause(host, ws, 0);
	rc[6] = w->members(host, room, list, 4, &n);
	rc[7] = c->count_here(host, room, &here);
	rc[8] = w->unsubscribe(host, ws, room);
	rc[9] = w->accept(host, req, none, NULL, 0);
	hostd_logf(host, HOSTD_LOG_INFO, "turns: %s: join %d send %d publish "
	    "%d label %d pause %d %d members %d %u here %d %u leave %d accept "
	    "%d info %d data %d", where, rc[0], rc[1], rc[2], rc[3], rc[4],
	    rc[5], rc[6], n, rc[7], here, rc[8], rc[9],
	    w->info(host, ws) != NULL, w->data(host, ws) != NULL);
}

static void
act(struct hostd_inst *in, const char *where, hostd_ws ws, struct socket *s)
{
	const struct hostd_easy *e = &in->easy;
	hostd_buf why = hostd_str("enough");
	int32_t rc;

	if (is_asked(s, "all"))
		do_all(in, where, ws, s->req);
	if (!wants_close(s, where))
		return;
	rc = e->ws->close(e->host, ws, CLOSE_CODE, why);
	hostd_logf(e->host, HOSTD_LOG_INFO, "turns: %s: close %d again %d",
	    where, rc, e->ws->close(e->host, ws, CLOSE_CODE, why));
}

/* -- upgrades -- */

static int32_t
decide(struct hostd_inst *in, hostd_req req, const char *how)
{
	const struct hostd_easy *e = &in->easy;
	hostd_buf none = { NULL, 0 };
	int32_t rc = HOSTD_OK;

	if (strcmp(how, "refuse") == 0)
		return e->http->respond(e->host, req, 403, NULL, 0, none);
	if (strcmp(how, "cut") != 0)
		rc = e->ws->accept(e->host, req, none, NULL, 0);
	if (strcmp(how, "accept") != 0 && strcmp(how, "fail") != 0)
		(void)e->http->abort(e->host, req);
	return rc;
}

static int32_t
on_upgrade(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	struct socket *s = d;
	hostd_ws none = { 0 };

	s->req = req;
	if (r->query.n > 0 && r->query.n < sizeof(s->query))
		memcpy(s->query, r->query.p, r->query.n);
	if (is_asked(s, "defer")) {
		in->deferred = req;
		hostd_logf(in->easy.host, HOSTD_LOG_INFO, "turns: deferred");
		return HOSTD_DEFER;
	}
	if (is_asked(s, "cut=before"))
		return decide(in, req, "cut");
	if (is_asked(s, "cut=behind"))
		return decide(in, req, "both");
	if (is_asked(s, "cut=fail")) {
		(void)decide(in, req, "fail");
		return HOSTD_E_INVAL;
	}
	if (is_asked(s, "all"))
		do_all(in, "upgrade", none, req);
	return HOSTD_OK;
}

static void
on_refused(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	struct socket *s = d;
	hostd_ws none = { 0 };

	if (is_asked(s, "all"))
		do_all(in, "refused", none, req);
	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "turns: refused, why %d, %s",
	    why, req.id == s->req.id ? "the same" : "another");
}

/* -- messages -- */

static void
go_on(struct hostd_inst *in)
{
	while (in->npaused > 0)
		(void)in->easy.ws->pause(in->easy.host,
		    in->paused[--in->npaused], 0);
}

static int32_t
fill(struct hostd_inst *in, hostd_ws ws, size_t n)
{
	char *p = calloc(1, n);
	hostd_buf b = { p, n };
	int32_t rc = in->easy.ws->send(in->easy.host, ws, b, HOSTD_WS_BINARY);

	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "turns: filled %d", rc);
	free(p);
	return rc;
}

static int32_t
send_marked(struct hostd_inst *in, hostd_ws ws, size_t n, uint32_t flags)
{
	char *p = calloc(1, n + 1), answer[16];
	hostd_buf b = { p, n };

	(void)snprintf(answer, sizeof(answer), "%d", in->easy.ws->send(
	    in->easy.host, in->marked, b, HOSTD_WS_BINARY | flags));
	free(p);
	return hostd_ws_text(in, ws, answer);
}

/* Once in each turn. */
static void
turn(struct hostd_inst *in, void *arg)
{
	(void)arg;
	if (in->watched == 0)
		return;
	in->in_turn = 0;
	(void)in->easy.host->post(in->easy.host, turn, NULL);
}

static void
watch(struct hostd_inst *in, unsigned n)
{
	in->watched = n;
	in->in_turn = in->most_in_turn = 0;
	(void)in->easy.host->post(in->easy.host, turn, NULL);
}

/* Is it one of those that are watched? */
static int
is_watched(struct hostd_inst *in)
{
	if (in->watched == 0)
		return 0;
	if (++in->in_turn > in->most_in_turn)
		in->most_in_turn = in->in_turn;
	if (--in->watched == 0)
		hostd_logf(in->easy.host, HOSTD_LOG_INFO, "turns: at most %u",
		    in->most_in_turn);
	return 1;
}

static int32_t
run(struct hostd_inst *in, hostd_ws ws, const char *line)
{
	if (strcmp(line, "pause") == 0) {
		in->paused[in->npaused++ % SOCKETS_MAX] = ws;
		return in->easy.ws->pause(in->easy.host, ws, 1);
	}
	if (strcmp(line, "go") == 0)
		go_on(in);
	else if (strcmp(line, "stale") == 0)
		do_all(in, "stale", in->last, in->deferred);
	else if (strncmp(line, "decide ", 7) == 0)
		(void)decide(in, in->deferred, line + 7);
	else if (strcmp(line, "mark") == 0)
		in->marked = ws;
	else if (strncmp(line, "put ", 4) == 0)
		return send_marked(in, ws, strtoul(line + 4, NULL, 10), 0);
	else if (strncmp(line, "urge ", 5) == 0)
		return send_marked(in, ws, strtoul(line + 5, NULL, 10),
		    HOSTD_WS_VOLATILE);
	else if (strncmp(line, "watch ", 6) == 0)
		watch(in, (unsigned)strtoul(line + 6, NULL, 10));
	else if (strncmp(line, "fill ", 5) == 0)
		return fill(in, ws, strtoul(line + 5, NULL, 10));
	return hostd_ws_text(in, ws, line);
}

static void
on_open(struct hostd_inst *in, hostd_ws ws, void *d)
{
	struct socket *s = d;

	s->ws = ws;
	act(in, "open", ws, s);
}

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	struct socket *s = d;
	char line[128];

	(void)flags;
	if (msg.n >= sizeof(line) && is_watched(in))
		return HOSTD_OK;
	if (msg.n >= sizeof(line))
		return in->easy.ws->send(in->easy.host, ws, msg,
		    HOSTD_WS_BINARY);
	memcpy(line, msg.p, msg.n);
	line[msg.n] = '\0';
	act(in, "message", ws, s);
	return run(in, ws, line);
}

static void
on_writable(struct hostd_inst *in, hostd_ws ws, void *d)
{
	act(in, "writable", ws, d);
}

static void
on_close(struct hostd_inst *in, hostd_ws ws, void *d, int32_t code,
    hostd_buf reason)
{
	struct socket *s = d;

	in->last = ws;
	act(in, "close", ws, s);
	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "turns: closed %d %.*s, %s",
	    code, (int)reason.n, (const char *)reason.p,
	    ws.id == s->ws.id ? "the same" : "another");
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	(void)conf;
	return hostd_easy_create(sizeof(struct hostd_inst), host, out, err);
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_ws_ops ops = {
	.struct_size = sizeof(ops),
	.data_size = sizeof(struct socket),
	.on_upgrade = on_upgrade,
	.on_refused = on_refused,
	.on_open = on_open,
	.on_message = on_message,
	.on_writable = on_writable,
	.on_close = on_close,
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide),
	.kind = HOSTD_KIND_WS_HANDLER,
	.ops = &ops,
	.route = "/turns",
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0),
	.id = "turns_ws",
	.version = "1.0",
	.built_with = HOSTD_SDK_VERSION,
	.provides = provides,
	.create = create,
	.destroy = destroy,
};
