/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.control/1 by requests: the path behind the route's prefix says what,
 *
 *	may
 *	reload, drain, undrain, scale, restart, node, events, log
 *	mistakes	what ask says of orders that make no sense
 *	many		as many as there may be at once, and how many that are
 *
 * and the query "name=...&number=N&ms=N" the rest.  The answer is one line with
 * the status, then what was answered.
 *
 * With the key forge, as another instance: the host's tables are not asked, but
 * the channel to the master written to, as somebody would who has taken the
 * worker over.
 */
#include <sys/socket.h>
#include <hostd/control.h>
#include <hostd/easy.h>

#define ASK_TYPE 31		/* CHAN_ASK of host/net/chan.h */

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_control_api *control;
	hostd_buf forge;
	unsigned answered;
	hostd_req many;
};

static const struct {
	const char *name;
	uint32_t what;
} orders[] = {
	{ "reload", HOSTD_CONTROL_RELOAD },
	{ "drain", HOSTD_CONTROL_DRAIN },
	{ "undrain", HOSTD_CONTROL_UNDRAIN },
	{ "scale", HOSTD_CONTROL_SCALE },
	{ "restart", HOSTD_CONTROL_RESTART },
	{ "node", HOSTD_CONTROL_NODE },
	{ "events", HOSTD_CONTROL_EVENTS },
	{ "log", HOSTD_CONTROL_LOG },
};

static int32_t
answer(struct hostd_inst *in, hostd_req req, int32_t status, hostd_buf text)
{
	size_t n = text.n + 32;
	char *all = malloc(n);
	int32_t rc;
	int at;

	if (all == NULL)
		return HOSTD_E_NOMEM;
	at = snprintf(all, n, "%d\n", (int)status);
	if (text.n > 0)
		memcpy(all + at, text.p, text.n);
	rc = hostd_respond_bytes(in, req, 200, "text/plain", all,
	    (size_t)at + text.n);
	free(all);
	return rc;
}

static void
on_done(struct hostd_inst *in, void *arg, int32_t status, hostd_buf text)
{
	hostd_req *req = arg;

	(void)answer(in, *req, status, text);
	free(req);
}

/* Of "name=web&number=3". */
static hostd_buf
field(hostd_buf query, const char *name)
{
	hostd_buf b = { NULL, 0 };
	const char *end = (const char *)query.p + query.n, *p, *amp;
	size_t n = strlen(name);

	for (p = query.p; p != NULL && p < end; p = amp + 1) {
		if ((amp = memchr(p, '&', (size_t)(end - p))) == NULL)
			amp = end;
		if ((size_t)(amp - p) > n && memcmp(p, name, n) == 0 &&
		    p[n] == '=') {
			b.p = p + n + 1;
			b.n = (size_t)(amp - p) - n - 1;
		}
	}
	return b;
}

static int64_t
number(hostd_buf query, const char *name, int64_t otherwise)
{
	hostd_buf b = field(query, name);
	char text[32] = "";

	if (b.n == 0 || b.n >= sizeof(text))
		return otherwise;
	memcpy(text, b.p, b.n);
	return strtoll(text, NULL, 10);
}

/* -- beside the host -- */

static void
put(char *to, size_t *at, const void *p, size_t n)
{
	memcpy(to + *at, p, n);
	*at += n;
}

static void
put_text(char *to, size_t *at, hostd_buf b)
{
	uint32_t n = (uint32_t)b.n;

	put(to, at, &n, sizeof(n));
	if (n > 0)
		put(to, at, b.p, n);
}

static int32_t
forge(struct hostd_inst *in, hostd_req req, const struct hostd_control_order *o)
{
	uint32_t head[4] = { 1, ASK_TYPE, 0, 0 };
	uint32_t ask[6] = { 4711, o->what, 0, 0, 1 << 20, 0 };
	char all[1024];
	size_t at = sizeof(head);

	memcpy(&ask[2], &o->number, sizeof(o->number));
	put(all, &at, ask, sizeof(ask));
	put_text(all, &at, in->forge);
	put_text(all, &at, o->name);
	put_text(all, &at, o->user);
	head[2] = (uint32_t)(at - sizeof(head));
	memcpy(all, head, sizeof(head));
	if (send(3, all, at, MSG_NOSIGNAL) != (ssize_t)at)
		return HOSTD_E_IO;
	return hostd_respond(in, req, 200, "text/plain", "forged\n");
}

/* -- what is asked for -- */

static int32_t
ask(struct hostd_inst *in, hostd_req req, const struct hostd_control_order *o)
{
	hostd_req *arg = malloc(sizeof(*arg));
	hostd_buf none = { NULL, 0 };
	int32_t rc;

	if (arg == NULL)
		return HOSTD_E_NOMEM;
	*arg = req;
	rc = in->control->ask(in->easy.host, o, on_done, arg);
	if (rc == HOSTD_DEFER)
		return rc;
	free(arg);
	return answer(in, req, rc, none);
}

static int32_t
mistakes(struct hostd_inst *in, hostd_req req)
{
	const struct hostd_host *h = in->easy.host;
	const struct hostd_control_order good = { .struct_size = sizeof(good),
		.what = HOSTD_CONTROL_NODE, .limit_ms = 1000 };
	struct hostd_control_order o[6] = { good, good, good, good, good,
		good };
	char text[256] = "";
	size_t at = 0, i;
	hostd_req arg = req;

	o[0].struct_size = 8;
	o[1].what = 6;
	o[2].what = 67;
	o[3].limit_ms = 0;
	o[4].name = (hostd_buf){ text, 256 };
	o[5].user = (hostd_buf){ text, 256 };
	at += (size_t)snprintf(text, sizeof(text), "%d %d",
	    (int)in->control->ask(h, NULL, on_done, &arg),
	    (int)in->control->ask(h, &good, NULL, &arg));
	for (i = 0; i < 6; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, " %d",
		    (int)in->control->ask(h, &o[i], on_done, &arg));
	return hostd_respond(in, req, 200, "text/plain", text);
}

static void
on_one_of_many(struct hostd_inst *in, void *arg, int32_t status,
    hostd_buf text)
{
	unsigned *left = arg;

	(void)text;
	in->answered += status == HOSTD_OK;
	if (--*left > 0)
		return;
	free(left);
	(void)hostd_json(in, in->many, 200, "%u\n", in->answered);
}

static int32_t
many(struct hostd_inst *in, hostd_req req)
{
	struct hostd_control_order o = { .struct_size = sizeof(o),
		.what = HOSTD_CONTROL_NODE, .limit_ms = 60000 };
	unsigned *left = calloc(1, sizeof(*left));
	int32_t rc;

	if (left == NULL)
		return HOSTD_E_NOMEM;
	in->many = req;
	in->answered = 0;
	while ((rc = in->control->ask(in->easy.host, &o, on_one_of_many,
	    left)) == HOSTD_DEFER)
		(*left)++;
	return rc == HOSTD_E_FULL ? HOSTD_DEFER : HOSTD_E_INVAL;
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	struct hostd_control_order o = { .struct_size = sizeof(o),
		.user = hostd_str("ada\n\"l\"") };
	size_t i;

	(void)d;
	if (r->rest.n == 3 && memcmp(r->rest.p, "may", 3) == 0)
		return hostd_json(in, req, 200, "%d\n",
		    (int)in->control->may(in->easy.host));
	if (r->rest.n == 4 && memcmp(r->rest.p, "many", 4) == 0)
		return many(in, req);
	if (r->rest.n == 8 && memcmp(r->rest.p, "mistakes", 8) == 0)
		return mistakes(in, req);
	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		if (r->rest.n == strlen(orders[i].name) &&
		    memcmp(r->rest.p, orders[i].name, r->rest.n) == 0)
			o.what = orders[i].what;
	o.name = field(r->query, "name");
	o.number = number(r->query, "number", 0);
	o.limit_ms = (uint32_t)number(r->query, "ms", 60000);
	return in->forge.n > 0 ? forge(in, req, &o) : ask(in, req, &o);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	int32_t rc = hostd_easy_create(sizeof(**out), host, out, err);

	if (rc != HOSTD_OK)
		return rc;
	(*out)->control = host->get_ext(host, HOSTD_EXT_CONTROL);
	(void)conf->get_str(conf, "forge", &(*out)->forge);
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_key key_forge = { sizeof(key_forge),
	HOSTD_KEY_STRING, 0, "forge", NULL, "Whom to pass for.", 0, 0, NULL };
static const struct hostd_key *const keys[] = { &key_forge, NULL };

static const struct hostd_http_ops ops = {
	.struct_size = sizeof(ops), .on_headers = on_headers
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_HTTP_ROUTE,
	.ops = &ops
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(4), .id = "control_route", .version = "1.0",
	.built_with = HOSTD_SDK_VERSION, .provides = provides, .keys = keys,
	.create = create, .destroy = destroy
};
