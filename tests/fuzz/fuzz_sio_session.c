/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions of Socket.IO that come from another worker, which may be of another
 * version: the plugin, with a host and a handler that are played here.  The
 * first byte says whether it is on polling, or has a WebSocket.
 *
 * What must hold: one that is taken goes on, can be saved, and what was saved
 * is taken in its turn; nothing is left of it in the end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/state.h>
#include "socketio/cluster_inside.h"
#include "socketio/engine.h"
#include "socketio/move.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

extern const struct hostd_plugin hostd_plugin_v1;

#define VERSION	1u		/* of records */
#define POSTS	64
#define TIMERS	16

static struct {
	void (*fn)(struct hostd_inst *, void *);
	void *arg;
} posts[POSTS];
static struct {
	void (*fn)(struct hostd_inst *, hostd_timer, void *);
	void *arg;
	uint64_t due, id;		/* 0: none */
} timers[TIMERS];
static unsigned nposts;
static uint64_t clock_ms, last_timer;
static struct hostd_inst *inst;
static struct eio_ws block;		/* of its WebSocket */
static struct pack saved;

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* -- the host -- */

static void
quiet(const struct hostd_host *h, int32_t level, const char *text, size_t n)
{
	(void)h;
	must(level != HOSTD_LOG_HOST_BUG && memchr(text, '\0', n) == NULL);
}

static uint64_t
now_ms(const struct hostd_host *h)
{
	(void)h;
	return clock_ms;
}

static int32_t
post(const struct hostd_host *h, void (*fn)(struct hostd_inst *, void *),
    void *arg)
{
	(void)h;
	if (nposts == POSTS)
		return HOSTD_E_NOMEM;
	posts[nposts].fn = fn;
	posts[nposts++].arg = arg;
	return HOSTD_OK;
}

static int32_t
timer_start(const struct hostd_host *h, uint64_t delay, uint64_t repeat,
    void (*fn)(struct hostd_inst *, hostd_timer, void *), void *arg,
    hostd_timer *out)
{
	size_t i;

	(void)h;
	(void)repeat;
	for (i = 0; i < TIMERS && timers[i].id != 0; i++)
		;
	if (i == TIMERS)
		return HOSTD_E_FULL;
	out->id = timers[i].id = ++last_timer;
	timers[i].fn = fn;
	timers[i].arg = arg;
	timers[i].due = clock_ms + delay;
	return HOSTD_OK;
}

static int32_t
timer_stop(const struct hostd_host *h, hostd_timer t)
{
	size_t i;

	(void)h;
	for (i = 0; i < TIMERS; i++)
		if (timers[i].id == t.id)
			timers[i].id = 0;
	return HOSTD_OK;
}

static int32_t
respond(const struct hostd_host *h, hostd_req req, int32_t status,
    const hostd_hdr *headers, uint32_t n, hostd_buf body)
{
	(void)h;
	(void)req;
	(void)status;
	(void)headers;
	(void)n;
	(void)body;
	return HOSTD_OK;
}

static int32_t
ws_send(const struct hostd_host *h, hostd_ws ws, hostd_buf msg, uint32_t flags)
{
	(void)h;
	(void)flags;
	must(ws.id == 1 && (msg.n == 0 || msg.p != NULL));
	return HOSTD_OK;
}

static int32_t
ws_close(const struct hostd_host *h, hostd_ws ws, int32_t code,
    hostd_buf reason)
{
	(void)h;
	(void)code;
	(void)reason;
	must(ws.id == 1);
	return HOSTD_OK;
}

static const struct hostd_ws_info *
ws_info(const struct hostd_host *h, hostd_ws ws)
{
	static const struct hostd_ws_info info = {
		.struct_size = sizeof(info) };

	(void)h;
	must(ws.id == 1);
	return &info;
}

static int32_t
ws_send_many(const struct hostd_host *h, const hostd_ws *ws, uint32_t n,
    hostd_buf msg, uint32_t flags, int32_t *results)
{
	while (n-- > 0)
		results[n] = ws_send(h, ws[n], msg, flags);
	return HOSTD_OK;
}

static struct hostd_inst *
enter(const struct hostd_host *h, hostd_user user)
{
	(void)h;
	must(user.id == 1);
	return inst;
}

static void
leave(const struct hostd_host *h, hostd_user user)
{
	(void)h;
	must(user.id == 1);
}

static int32_t
publish(const struct hostd_host *h, hostd_buf channel, hostd_buf msg,
    uint32_t flags, hostd_ws but)
{
	(void)h;
	(void)flags;
	(void)but;
	must(channel.n > 0 && msg.n > 0);
	return HOSTD_OK;
}

static int32_t
subscribe(const struct hostd_host *h, hostd_buf channel,
    void (*fn)(struct hostd_inst *, hostd_sub, void *,
    const struct hostd_channel_event *), void *arg, hostd_sub *out)
{
	(void)h;
	(void)fn;
	(void)arg;
	must(channel.n > 0);
	out->id = 1;
	return HOSTD_OK;
}

static int32_t
unsubscribe(const struct hostd_host *h, hostd_sub sub)
{
	(void)h;
	must(sub.id == 1);
	return HOSTD_OK;
}

static const struct hostd_channel_api channel_api = {
	.struct_size = sizeof(channel_api), .publish = publish,
	.subscribe = subscribe, .unsubscribe = unsubscribe };
static const struct hostd_timer_api timer_api = {
	.struct_size = sizeof(timer_api), .start = timer_start,
	.stop = timer_stop };
static const struct hostd_http_api http_api = {
	.struct_size = sizeof(http_api), .respond = respond };
static const struct hostd_ws_api ws_api = { .struct_size = sizeof(ws_api),
	.send = ws_send, .close = ws_close, .info = ws_info,
	.send_many = ws_send_many };
static const struct hostd_offer_api offer_api = {
	.struct_size = sizeof(offer_api), .enter = enter, .leave = leave };

static const void *
get_ext(const struct hostd_host *h, const char *id)
{
	(void)h;
	return strcmp(id, HOSTD_EXT_TIMER) == 0 ? (const void *)&timer_api :
	    strcmp(id, HOSTD_EXT_CHANNEL) == 0 ? (const void *)&channel_api :
	    strcmp(id, HOSTD_EXT_HTTP) == 0 ? (const void *)&http_api :
	    strcmp(id, HOSTD_EXT_WS) == 0 ? (const void *)&ws_api :
	    strcmp(id, HOSTD_EXT_OFFER) == 0 ? (const void *)&offer_api : NULL;
}

static const struct hostd_host host = { .struct_size = sizeof(host),
	.get_ext = get_ext, .log = quiet, .now_ms = now_ms, .post = post };

/* -- its configuration: limits that are soon reached -- */

static int32_t
get_int(const struct hostd_conf *c, const char *key, int64_t *out)
{
	(void)c;
	*out = strncmp(key, "max_", 4) == 0 ? 8 :
	    strcmp(key, "recovery_buffer") == 0 ? 65536 : 1000;
	if (strcmp(key, "max_output") == 0 || strstr(key, "http_buffer"))
		*out = 100000;
	return HOSTD_OK;
}

static int32_t
get_str(const struct hostd_conf *c, const char *key, hostd_buf *out)
{
	(void)c;
	(void)key;
	*out = hostd_str(NULL);
	return HOSTD_OK;
}

static int32_t
get_count(const struct hostd_conf *c, const char *key, uint32_t *out)
{
	(void)c;
	(void)key;
	*out = 0;
	return HOSTD_OK;
}

static int32_t
get_item(const struct hostd_conf *c, const char *key, uint32_t i,
    hostd_buf *out)
{
	(void)c;
	if (strcmp(key, "transports") != 0 || i > 1)
		return HOSTD_E_INVAL;
	*out = hostd_str(i == 0 ? "polling" : "websocket");
	return HOSTD_OK;
}

static const struct hostd_conf conf = { .struct_size = sizeof(conf),
	.get_int = get_int, .get_str = get_str, .get_count = get_count,
	.get_item = get_item };

/* -- a handler whose data is any byte -- */

static int32_t
app_save(struct hostd_inst *in, hostd_sio s, void *d,
    int32_t (*put)(void *, hostd_buf), void *arg)
{
	(void)in;
	(void)s;
	return put(arg, (hostd_buf){ d, 1 });
}

static int32_t
app_load(struct hostd_inst *in, hostd_sio s, void *d, uint32_t from_version,
    hostd_buf state)
{
	(void)in;
	(void)s;
	if (from_version != 1 || state.n == 0)
		return HOSTD_E_INVAL;
	memcpy(d, state.p, 1);
	return HOSTD_OK;
}

static int32_t
on_event(struct hostd_inst *in, hostd_sio s, void *d,
    const struct hostd_sio_event *ev)
{
	(void)in;
	(void)s;
	(void)d;
	(void)ev;
	return HOSTD_OK;
}

static const struct hostd_offer *
handlers(void)
{
	const struct hostd_p_offer *p =
	    hostd_plugin_v1.get_ext(HOSTD_P_OFFER);

	return p->offers[0];
}

static void
take_handler(void)
{
	static const char *const names[] = { "/", "/room-*", NULL };
	static const struct hostd_sio_ops ops = { .struct_size = sizeof(ops),
		.data_size = 1, .namespaces = names, .on_event = on_event,
		.version = 1, .save = app_save, .load = app_load };
	static const struct hostd_user_info info = {
		.struct_size = sizeof(info), .name = "app", .ops = &ops };
	struct hostd_err err = { .struct_size = sizeof(err) };
	const void *table;

	must(handlers()->attach(inst, (hostd_user){ 1 }, &info, &table,
	    &err) == HOSTD_OK);
}

/* -- what happens -- */

static void
turn(void)
{
	unsigned i;

	for (i = 0; i < nposts; i++)
		posts[i].fn(inst, posts[i].arg);
	nposts = 0;
}

/* Each timer once. */
static void
later(uint64_t ms)
{
	uint64_t last = last_timer, id;
	size_t i;

	clock_ms += ms;
	for (i = 0; i < TIMERS; i++) {
		if ((id = timers[i].id) == 0 || id > last ||
		    timers[i].due > clock_ms)
			continue;
		timers[i].id = 0;
		timers[i].fn(inst, (hostd_timer){ id }, timers[i].arg);
	}
	turn();
}

static int32_t
put(void *arg, hostd_buf part)
{
	pack_raw(arg, part.p, part.n);
	return HOSTD_OK;
}

static int
take_ws(const void *p, size_t n)
{
	memset(&block, 0, sizeof(block));
	return move_ws_state.load(inst, (hostd_ws){ 1 }, &block, VERSION,
	    (hostd_buf){ p, n }) == HOSTD_OK;
}

static void
of_websocket(const uint8_t *p, size_t n)
{
	static const char event[] = "42[\"a\",1]";

	if (!take_ws(p, n))
		return;
	turn();
	saved.n = 0;
	if (move_ws_state.save(inst, (hostd_ws){ 1 }, &block, put, &saved) ==
	    HOSTD_OK) {
		move_ws_state.moved(inst, (hostd_ws){ 1 }, &block);
		must(eio_count(inst) == 0 && take_ws(saved.p, saved.n));
	}
	eio_ws_ops.on_message(inst, (hostd_ws){ 1 }, &block,
	    (hostd_buf){ event, sizeof(event) - 1 }, HOSTD_WS_TEXT);
	later(500);
	eio_ws_ops.on_message(inst, (hostd_ws){ 1 }, &block,
	    (hostd_buf){ "ab", 2 }, HOSTD_WS_BINARY);
	later(100000);
	eio_ws_ops.on_close(inst, (hostd_ws){ 1 }, &block, HOSTD_WS_NORMAL,
	    hostd_str(""));
	later(0);
}

static void
of_polling(const uint8_t *p, size_t n)
{
	struct bus_message m = { .node = inst->cluster->node,
		.body = { (const char *)p, n, 0 } };

	move_came(inst->cluster, &m);
	turn();
	later(500);
	later(100000);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct hostd_err err = { .struct_size = sizeof(err) };

	if (n == 0)
		return 0;
	clock_ms = 1000;
	must(hostd_plugin_v1.create(&host, &conf, &inst, &err) == HOSTD_OK);
	take_handler();
	must(hostd_plugin_v1.start(inst) == HOSTD_OK);
	if (p[0] & 1)
		of_websocket(p + 1, n - 1);
	else
		of_polling(p + 1, n - 1);
	nposts = 0;
	handlers()->detach(inst, (hostd_user){ 1 });
	hostd_plugin_v1.destroy(inst);
	memset(timers, 0, sizeof(timers));
	pack_free(&saved);
	return 0;
}
