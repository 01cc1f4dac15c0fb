/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets that go to another worker, or make trouble.  Messages:
 *
 *	mode M		what happens when this socket is to go:
 *			plain, stay (not worth it), fail, big (one byte too
 *			many), full (as many as there may be), refuse and crash
 *			(in load), meddle (try all that may not be done), halt
 *			(stop the process in load)
 *	who		answered with the process's number
 *	count		answered 1, 2, ...
 *	fill N		N bytes come
 *	join C
 *
 * Others come back.
 */
#include <hostd/easy.h>
#include <signal.h>
#include <unistd.h>

struct data {
	char mode[16];
	uint32_t count;
};

struct hostd_inst {
	HOSTD_EASY_HEAD;
};

static void
say(struct hostd_inst *in, hostd_ws ws, const char *text)
{
	(void)in->easy.ws->send(in->easy.host, ws, hostd_str(text),
	    HOSTD_WS_TEXT);
}

static void
say_number(struct hostd_inst *in, hostd_ws ws, unsigned n)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", n);
	say(in, ws, text);
}

static void
fill(struct hostd_inst *in, hostd_ws ws, size_t n)
{
	char *p = malloc(n);

	memset(p, 'x', n);
	(void)in->easy.ws->send(in->easy.host, ws, (hostd_buf){ p, n },
	    HOSTD_WS_TEXT);
	free(p);
}

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	const struct hostd_ws_api *api = in->easy.ws;
	struct data *data = d;
	char line[256], word[64] = "";
	size_t n;

	(void)flags;
	(void)snprintf(line, sizeof(line), "%.*s", (int)msg.n,
	    (const char *)msg.p);
	if (sscanf(line, "mode %15s", data->mode) == 1) {
		say(in, ws, data->mode);
	} else if (strcmp(line, "who") == 0) {
		say_number(in, ws, (unsigned)getpid());
	} else if (strcmp(line, "count") == 0) {
		say_number(in, ws, ++data->count);
	} else if (sscanf(line, "fill %zu", &n) == 1) {
		fill(in, ws, n);
	} else if (sscanf(line, "join %63s", word) == 1) {
		say_number(in, ws, (unsigned)api->subscribe(in->easy.host, ws,
		    hostd_str(word)));
	} else {
		return api->send(in->easy.host, ws, msg, HOSTD_WS_TEXT);
	}
	return HOSTD_OK;
}

/* All of it is refused, and said so. */
static void
meddle(struct hostd_inst *in, hostd_ws ws, const char *where)
{
	const struct hostd_ws_api *api = in->easy.ws;
	const struct hostd_host *host = in->easy.host;
	hostd_buf none = { NULL, 0 }, text = hostd_str("meddled");
	hostd_ws nobody = { 0 };
	int32_t rc[6];

	rc[0] = api->send(host, ws, text, HOSTD_WS_TEXT);
	rc[1] = api->close(host, ws, 1000, none);
	rc[2] = api->pause(host, ws, 1);
	rc[3] = api->subscribe(host, ws, hostd_str("other"));
	rc[4] = api->unsubscribe(host, ws, hostd_str("other"));
	rc[5] = api->set_label(host, ws, text);
	hostd_logf(host, HOSTD_LOG_INFO,
	    "%s: send %d close %d pause %d join %d leave %d label %d", where,
	    rc[0], rc[1], rc[2], rc[3], rc[4], rc[5]);
	(void)in->easy.channel->publish(host, hostd_str("red"),
	    hostd_str(where), HOSTD_WS_TEXT, nobody);
}

static int
is(const struct data *data, const char *mode)
{
	return strcmp(data->mode, mode) == 0;
}

static int32_t
save(struct hostd_inst *in, hostd_ws ws, void *d,
    int32_t (*put)(void *arg, hostd_buf part), void *arg)
{
	static const char rest[HOSTD_WS_STATE_MAX];
	const struct data *data = d;
	size_t more = 0;
	int32_t rc;

	if (is(data, "stay"))
		return HOSTD_E_NOTSUP;
	if (is(data, "fail"))
		return HOSTD_E_IO;
	if (is(data, "meddle"))
		meddle(in, ws, "save");
	if (is(data, "full") || is(data, "big"))
		more = sizeof(rest) - sizeof(*data) + (size_t)is(data, "big");
	rc = put(arg, (hostd_buf){ data, sizeof(*data) });
	return rc != HOSTD_OK || more == 0 ? rc :
	    put(arg, (hostd_buf){ rest, more });
}

static int32_t
load(struct hostd_inst *in, hostd_ws ws, void *d, uint32_t from,
    hostd_buf state)
{
	struct data *data = d;

	if (from != 7 || state.n < sizeof(*data))
		return HOSTD_E_INVAL;
	memcpy(data, state.p, sizeof(*data));
	if (is(data, "refuse"))
		return HOSTD_E_INVAL;
	if (is(data, "crash"))
		abort();
	if (is(data, "halt"))
		(void)raise(SIGSTOP);
	if (is(data, "meddle"))
		meddle(in, ws, "load");
	return HOSTD_OK;
}

static void
moved(struct hostd_inst *in, hostd_ws ws, void *d)
{
	const struct data *data = d;

	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "moved: count %u send %d",
	    data->count, in->easy.ws->send(in->easy.host, ws, hostd_str("x"),
	    HOSTD_WS_TEXT));
}

static const struct hostd_p_ws_state ws_state = {
	.struct_size = sizeof(ws_state),
	.version = 7,
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
	.data_size = sizeof(struct data),
	.on_message = on_message,
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide),
	.kind = HOSTD_KIND_WS_HANDLER,
	.ops = &ops,
	.route = "/moving",
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

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

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0),
	.id = "moving_ws",
	.version = "1.0",
	.built_with = HOSTD_SDK_VERSION,
	.provides = provides,
	.create = create,
	.destroy = destroy,
	.get_ext = get_ext,
};
