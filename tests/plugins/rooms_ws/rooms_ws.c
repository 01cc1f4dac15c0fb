/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that can be done with channels, on command.  A text message is a
 * command, words separated by blanks; its answer goes back as "= ...":
 *
 *	join C, leave C, pub C TEXT, but C TEXT (all but me),
 *	here C, count C, list C, label TEXT, members C, keep C MAX AGE,
 *	replay C NODE SEQ, follow C, unfollow C, flood C N SIZE, who, next
 *
 * What an instance's subscription hears is told to the socket that asked for it
 * as "~ C TEXT" or "~ C gap".
 */
#include <hostd/easy.h>
#include <inttypes.h>
#include <unistd.h>

struct follow {
	struct follow *next;
	struct hostd_inst *in;
	hostd_ws ws;
	hostd_sub sub;
	char channel[300];
};

struct hostd_inst {
	HOSTD_EASY_HEAD;
	struct follow *follows;
};

static void HOSTD_PRINTF(3, 4)
say(struct hostd_inst *in, hostd_ws ws, const char *fmt, ...)
{
	char text[8192];
	hostd_buf b = { text, 0 };
	va_list ap;

	va_start(ap, fmt);
	b.n = (size_t)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (b.n >= sizeof(text))
		b.n = sizeof(text) - 1;
	(void)in->easy.ws->send(in->easy.host, ws, b, HOSTD_WS_TEXT);
}

/* -- answers that come later; arg is the socket's handle -- */

static void *
keep_ws(hostd_ws ws)
{
	hostd_ws *p = malloc(sizeof(*p));

	*p = ws;
	return p;
}

static void
counted(struct hostd_inst *in, void *arg, int32_t status, uint64_t n)
{
	say(in, *(hostd_ws *)arg, "= count %d %" PRIu64, status, n);
	free(arg);
}

static void
listed(struct hostd_inst *in, void *arg, int32_t status,
    const hostd_buf *labels, uint32_t n)
{
	char text[4096] = "";
	size_t len = 0;
	uint32_t i;

	for (i = 0; i < n && len < sizeof(text) - 256; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    " %.*s", (int)labels[i].n, (const char *)labels[i].p);
	say(in, *(hostd_ws *)arg, "= list %d%s", status, text);
	free(arg);
}

static void
replayed(struct hostd_inst *in, void *arg, int32_t status,
    const struct hostd_channel_event *ev)
{
	if (ev != NULL) {
		say(in, *(hostd_ws *)arg, "- %" PRIu64 " %" PRIu64 " %.*s",
		    ev->node, ev->seq, (int)ev->msg.n,
		    (const char *)ev->msg.p);
		return;
	}
	say(in, *(hostd_ws *)arg, "= replay %d", status);
	free(arg);
}

/* -- subscriptions of the instance -- */

static void
heard(struct hostd_inst *in, hostd_sub sub, void *arg,
    const struct hostd_channel_event *ev)
{
	struct follow *f = arg;

	(void)sub;
	if (ev->type == HOSTD_CHANNEL_GAP)
		say(in, f->ws, "~ %s gap", f->channel);
	else
		say(in, f->ws, "~ %s %.*s", f->channel,
		    (int)(ev->msg.n < 200 ? ev->msg.n : 200),
		    (const char *)ev->msg.p);
}

static int32_t
follow(struct hostd_inst *in, hostd_ws ws, const char *channel)
{
	struct follow *f = calloc(1, sizeof(*f));
	int32_t rc;

	f->in = in;
	f->ws = ws;
	(void)snprintf(f->channel, sizeof(f->channel), "%s", channel);
	rc = in->easy.channel->subscribe(in->easy.host, hostd_str(channel),
	    heard, f, &f->sub);
	if (rc != HOSTD_OK) {
		free(f);
		return rc;
	}
	f->next = in->follows;
	in->follows = f;
	return rc;
}

/* Those of a socket, of one channel or of all. */
static int32_t
unfollow(struct hostd_inst *in, hostd_ws ws, const char *channel)
{
	struct follow **p = &in->follows, *f;
	int32_t rc = HOSTD_E_GONE;

	while ((f = *p) != NULL) {
		if (f->ws.id != ws.id || (channel != NULL &&
		    strcmp(f->channel, channel) != 0)) {
			p = &f->next;
			continue;
		}
		rc = in->easy.channel->unsubscribe(in->easy.host, f->sub);
		*p = f->next;
		free(f);
	}
	return rc;
}

/* -- commands -- */

static int32_t
publish(struct hostd_inst *in, const char *channel, hostd_buf b,
    hostd_ws but)
{
	return in->easy.channel->publish(in->easy.host, hostd_str(channel), b,
	    HOSTD_WS_TEXT, but);
}

static int32_t
flood(struct hostd_inst *in, const char *channel, unsigned n, size_t size)
{
	char *p = malloc(size + 16);
	hostd_buf b = { p, size + 16 };
	hostd_ws nobody = { 0 };
	int32_t rc = HOSTD_OK, worst = HOSTD_OK;
	unsigned i;

	memset(p, 'x', size + 16);
	for (i = 0; i < n; i++) {
		/* A number in front, so that order and loss are seen. */
		(void)snprintf(p, 16, "%014u", i);
		p[14] = ' ';
		p[15] = ' ';
		rc = publish(in, channel, b, nobody);
		if (rc != HOSTD_OK)
			worst = rc;
	}
	free(p);
	return worst;
}

static void
ask(struct hostd_inst *in, hostd_ws ws, const char *what, const char *channel,
    uint64_t a, uint64_t b)
{
	const struct hostd_channel_api *c = in->easy.channel;
	hostd_buf name = hostd_str(channel);
	void *arg = keep_ws(ws);
	int32_t rc;

	if (strcmp(what, "count") == 0)
		rc = c->count(in->easy.host, name, counted, arg);
	else if (strcmp(what, "list") == 0)
		rc = c->list(in->easy.host, name, listed, arg);
	else
		rc = c->replay(in->easy.host, name, a, b, replayed, arg);
	if (rc != HOSTD_OK) {
		free(arg);
		say(in, ws, "= %s %d", what, rc);
	}
}

static void
members(struct hostd_inst *in, hostd_ws ws, const char *channel)
{
	hostd_ws list[4];
	uint32_t n = 0, i, mine = 0;
	int32_t rc;

	rc = in->easy.ws->members(in->easy.host, hostd_str(channel), list, 4,
	    &n);
	for (i = 0; i < n && i < 4; i++)
		mine += list[i].id == ws.id;
	say(in, ws, "= members %d %u %u", rc, n, mine);
}

static void
here(struct hostd_inst *in, hostd_ws ws, const char *channel)
{
	uint32_t n = 0;
	int32_t rc;

	rc = in->easy.channel->count_here(in->easy.host, hostd_str(channel),
	    &n);
	say(in, ws, "= here %d %u", rc, n);
}

struct command {
	char verb[16], channel[300];
	const char *rest;	/* behind the channel */
	unsigned long long a, b;
};

static int
run_now(struct hostd_inst *in, hostd_ws ws, const struct command *c,
    int32_t *rc)
{
	const struct hostd_ws_api *api = in->easy.ws;
	const struct hostd_host *host = in->easy.host;
	hostd_buf name = hostd_str(c->channel);
	hostd_ws nobody = { 0 };

	if (strcmp(c->verb, "join") == 0)
		*rc = api->subscribe(host, ws, name);
	else if (strcmp(c->verb, "leave") == 0)
		*rc = api->unsubscribe(host, ws, name);
	else if (strcmp(c->verb, "pub") == 0)
		*rc = publish(in, c->channel, hostd_str(c->rest), nobody);
	else if (strcmp(c->verb, "but") == 0)
		*rc = publish(in, c->channel, hostd_str(c->rest), ws);
	else if (strcmp(c->verb, "flood") == 0)
		*rc = flood(in, c->channel, (unsigned)c->a, (size_t)c->b);
	else if (strcmp(c->verb, "label") == 0)
		*rc = api->set_label(host, ws, name);
	else if (strcmp(c->verb, "keep") == 0)
		*rc = in->easy.channel->keep(host, name, (uint32_t)c->a,
		    (uint32_t)c->b);
	else if (strcmp(c->verb, "follow") == 0)
		*rc = follow(in, ws, c->channel);
	else if (strcmp(c->verb, "unfollow") == 0)
		*rc = unfollow(in, ws, c->channel);
	else
		return 0;
	return 1;
}

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	struct command c = { .rest = "" };
	char line[2048];
	int at = 0;
	int32_t rc;

	(void)flags;
	(void)snprintf(line, sizeof(line), "%.*s", (int)msg.n,
	    (const char *)msg.p);
	(void)sscanf(line, "%15s %299s %n", c.verb, c.channel, &at);
	if (at > 0) {
		c.rest = line + at;
		(void)sscanf(c.rest, "%llu %llu", &c.a, &c.b);
	}
	if (strcmp(c.verb, "who") == 0)
		say(in, ws, "= who %d", (int)getpid());
	else if (strcmp(c.verb, "next") == 0)
		say(in, ws, "= next %u", ++*(uint32_t *)d);
	else if (strcmp(c.verb, "here") == 0)
		here(in, ws, c.channel);
	else if (strcmp(c.verb, "members") == 0)
		members(in, ws, c.channel);
	else if (run_now(in, ws, &c, &rc))
		say(in, ws, "= %s %d", c.verb, rc);
	else
		ask(in, ws, c.verb, c.channel, c.a, c.b);
	return HOSTD_OK;
}

static void
on_close(struct hostd_inst *in, hostd_ws ws, void *d, int32_t code,
    hostd_buf reason)
{
	(void)d;
	(void)code;
	(void)reason;
	(void)unfollow(in, ws, NULL);
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
	struct follow *f;

	while ((f = in->follows) != NULL) {
		in->follows = f->next;
		free(f);
	}
	free(in);
}

/* -- another worker goes on with it -- */

static int32_t
save(struct hostd_inst *in, hostd_ws ws, void *d,
    int32_t (*put)(void *arg, hostd_buf part), void *arg)
{
	(void)in;
	(void)ws;
	return put(arg, (hostd_buf){ d, sizeof(uint32_t) });
}

static int32_t
load(struct hostd_inst *in, hostd_ws ws, void *d, uint32_t from,
    hostd_buf state)
{
	(void)in;
	(void)ws;
	if (from != 1 || state.n != sizeof(uint32_t))
		return HOSTD_E_INVAL;
	memcpy(d, state.p, state.n);
	return HOSTD_OK;
}

static void
moved(struct hostd_inst *in, hostd_ws ws, void *d)
{
	(void)d;
	(void)unfollow(in, ws, NULL);
}

static const struct hostd_p_ws_state ws_state = {
	.struct_size = sizeof(ws_state),
	.version = 1,
	.save = save,
	.load = load,
	.moved = moved,
};

static const void *
get_ext(const char *id)
{
	return strcmp(id, HOSTD_P_WS_STATE) == 0 ? &ws_state : NULL;
}

static const struct hostd_ws_ops ops = {
	.struct_size = sizeof(ops),
	.data_size = sizeof(uint32_t),
	.on_message = on_message,
	.on_close = on_close,
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide),
	.kind = HOSTD_KIND_WS_HANDLER,
	.ops = &ops,
	.route = "/rooms",
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0),
	.id = "rooms_ws",
	.version = "1.0",
	.built_with = HOSTD_SDK_VERSION,
	.provides = provides,
	.create = create,
	.destroy = destroy,
	.get_ext = get_ext,
};
