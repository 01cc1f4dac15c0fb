/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is published to a channel as Server-Sent Events (HTML standard), for
 * pages that only listen:
 *
 *	const events = new EventSource("/events/news");
 *	events.onmessage = (e) => console.log(e.lastEventId, e.data);
 *	events.addEventListener("binary", (e) => atob(e.data));
 *	events.addEventListener("gap", () => "something may be missing");
 *
 * A text comes as an event "message"; ends of lines in it, however they are
 * written, come as LF.  Bytes come as an event "binary", in base64.  The id is
 * "<node>-<seq>", the name that hostd.channel/1 gives to a message.
 *
 * A browser that has lost its connection names the last id it has seen
 * (Last-Event-ID; ?last_event_id= says the same) and is sent what came behind
 * it, once, as long as that is kept: "history" messages for "history_age", by
 * each worker from when it had the channel's first listener.  When the id is
 * not among them, or not all workers and nodes have answered, there is a "gap"
 * first.  Messages of several publishers are sorted by their time, so of those
 * that were published at the same moment elsewhere one may be missed.  The id 0
 * asks for all that is kept.
 */
#include "sse.h"

#define TIDY_MS 10000
#define LEAVE_MS 100		/* one step of sending clients away */
#define LEAVE_MAX_MS 5000

/* -- life -- */

static void
on_beat(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	(void)timer;
	(void)arg;
	clients_beat(in);
}

static void
on_tidy(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	(void)timer;
	(void)arg;
	topics_tidy(in);
}

static void
on_leave(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	(void)timer;
	(void)arg;
	clients_leave(in);
}

/* Twice in a heartbeat, so that no silence is longer. */
static int32_t
start(struct hostd_inst *in)
{
	const struct hostd_host *host = in->easy.host;
	uint32_t ms = in->heartbeat / 2;
	hostd_timer timer;
	int32_t rc = HOSTD_OK;

	if (ms > 0)
		rc = in->timer->start(host, ms, ms, on_beat, NULL, &timer);
	if (rc == HOSTD_OK)
		rc = in->timer->start(host, TIDY_MS, TIDY_MS, on_tidy, NULL,
		    &timer);
	return rc;
}

/* Streams have no end of their own: clients are sent to the next worker, not
 * all at once. */
static void
drain(struct hostd_inst *in, uint32_t deadline_ms)
{
	uint32_t ms = deadline_ms / 2, steps;
	hostd_timer timer;

	if (ms == 0 || ms > LEAVE_MAX_MS)
		ms = LEAVE_MAX_MS;
	steps = ms / LEAVE_MS + 1;
	in->leaving = in->nclients / steps + 1;
	clients_leave(in);
	(void)in->timer->start(in->easy.host, LEAVE_MS, LEAVE_MS, on_leave,
	    NULL, &timer);
}

static void
on_writable(struct hostd_inst *in, hostd_req req, void *d)
{
	(void)req;
	client_pump(in, d);
}

static void
on_end(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	struct client *c = d;

	(void)req;
	(void)why;
	if (c->topic != NULL)
		client_end(in, c);
}

/* -- the configuration -- */

static const struct hostd_key key_channels = {
	sizeof(struct hostd_key), HOSTD_KEY_LIST, 0, "channels", "*",
	"Names that may be asked for; \"*\" stands for any text.", 0, 256, NULL
};
static const struct hostd_key key_prefix = {
	sizeof(struct hostd_key), HOSTD_KEY_STRING, 0, "prefix", "public/",
	"What is put before a name to make it a channel's; nothing without it "
	"can be heard.", 0, PREFIX_MAX, NULL
};
static const struct hostd_key key_history = {
	sizeof(struct hostd_key), HOSTD_KEY_INT, 0, "history", "100",
	"Messages of a channel that are kept for who has lost its connection.",
	0, 1000, NULL
};
static const struct hostd_key key_history_age = {
	sizeof(struct hostd_key), HOSTD_KEY_DURATION, 0, "history_age", "5m",
	"How long they are kept.", 1000, 86400 * 1000, NULL
};
static const struct hostd_key key_idle_channels = {
	sizeof(struct hostd_key), HOSTD_KEY_INT, 0, "idle_channels", "1000",
	"Channels without listeners whose messages a worker keeps.", 0,
	1000000, NULL
};
static const struct hostd_key key_heartbeat = {
	sizeof(struct hostd_key), HOSTD_KEY_DURATION, 0, "heartbeat", "15s",
	"A comment is sent after such a silence; 0: never.", 0, 3600 * 1000,
	NULL
};
static const struct hostd_key key_retry = {
	sizeof(struct hostd_key), HOSTD_KEY_DURATION, 0, "retry", "3s",
	"How long browsers wait before they connect again.", 0, 3600 * 1000,
	NULL
};
static const struct hostd_key key_max_pending = {
	sizeof(struct hostd_key), HOSTD_KEY_SIZE, 0, "max_pending", "256k",
	"A client that has not taken so much is cut; it may come back.",
	1024, 1 << 30, NULL
};
static const struct hostd_key key_origins = {
	sizeof(struct hostd_key), HOSTD_KEY_LIST, 0, "origins", NULL,
	"Origins whose pages may listen, besides our own; \"*\": all.", 0, 256,
	NULL
};
static const struct hostd_key *const keys[] = {
	&key_channels, &key_prefix, &key_history, &key_history_age,
	&key_idle_channels, &key_heartbeat, &key_retry, &key_max_pending,
	&key_origins, NULL
};

static int32_t
read_list(const struct hostd_conf *conf, const char *key, hostd_buf **out,
    uint32_t *n)
{
	uint32_t i;

	(void)conf->get_count(conf, key, n);
	*out = calloc(*n + 1, sizeof(**out));
	if (*out == NULL)
		return HOSTD_E_NOMEM;
	for (i = 0; i < *n; i++)
		(void)conf->get_item(conf, key, i, &(*out)[i]);
	return HOSTD_OK;
}

static int32_t
read_numbers(struct hostd_inst *in, const struct hostd_conf *conf)
{
	const struct {
		const char *key;
		uint32_t *to;
	} numbers[] = {
		{ "history", &in->history },
		{ "history_age", &in->history_age },
		{ "idle_channels", &in->idle_channels },
		{ "heartbeat", &in->heartbeat },
		{ "retry", &in->retry },
	};
	int64_t n;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (conf->get_int(conf, numbers[i].key, &n) != HOSTD_OK)
			return HOSTD_E_INVAL;
		*numbers[i].to = (uint32_t)n;
	}
	if (conf->get_int(conf, "max_pending", &n) != HOSTD_OK)
		return HOSTD_E_INVAL;
	in->max_pending = (uint64_t)n;
	return HOSTD_OK;
}

static int32_t
read_conf(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	const unsigned char *p;
	size_t i;

	if (read_numbers(in, conf) != HOSTD_OK ||
	    conf->get_str(conf, "prefix", &in->prefix) != HOSTD_OK)
		return hostd_fail(err, HOSTD_E_INVAL,
		    "the host does not know this plugin's keys");
	if (read_list(conf, "channels", &in->channels, &in->nchannels) !=
	    HOSTD_OK || read_list(conf, "origins", &in->origins,
	    &in->norigins) != HOSTD_OK)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	for (i = 0, p = in->prefix.p; i < in->prefix.n; i++)
		if (p[i] < ' ' || p[i] == 0x7f)
			return hostd_fail(err, HOSTD_E_INVAL,
			    "prefix: no channel's name has control bytes");
	return HOSTD_OK;
}

static int32_t
bind_tables(struct hostd_inst *in, struct hostd_err *err)
{
	const struct hostd_host *host = in->easy.host;

	in->timer = host->get_ext(host, HOSTD_EXT_TIMER);
	if (in->easy.channel == NULL || in->timer == NULL)
		return hostd_fail(err, HOSTD_E_NOTSUP, "this host does not "
		    "serve " HOSTD_EXT_CHANNEL " or " HOSTD_EXT_TIMER);
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	topics_free(in);
	free(in->channels);
	free(in->origins);
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
	TAILQ_INIT(&in->idle);
	TAILQ_INIT(&in->clients);
	if ((rc = bind_tables(in, err)) != HOSTD_OK ||
	    (rc = read_conf(in, conf, err)) != HOSTD_OK) {
		destroy(in);
		return rc;
	}
	*out = in;
	return HOSTD_OK;
}

static const struct hostd_http_ops ops = {
	.struct_size = sizeof(ops), .data_size = sizeof(struct client),
	.on_headers = request_headers, .on_writable = on_writable,
	.on_end = on_end
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_HTTP_ROUTE,
	.ops = &ops, .route = "/events/:channel"
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0), .id = "http_sse", .version = HOSTD_SDK_VERSION,
	.built_with = HOSTD_SDK_VERSION, .provides = provides, .keys = keys,
	.create = create, .start = start, .drain = drain, .destroy = destroy
};
