/* SPDX-License-Identifier: BSD-2-Clause */
/* The client of Redis, and a host that is played here. */
#ifndef UNIT_REDIS_CASE_H
#define UNIT_REDIS_CASE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

#define PONG "+PONG\r\n"
#define SENT_PING "*1\r\n$4\r\nPING\r\n"

#define ITEM(kind, a, b) "*3\r\n" kind "\r\n" a "\r\n" b "\r\n"

/* -- the host -- */

static uint64_t clock_ms;
static struct hostd_net_ops net_ops;
static void *net_arg;
static uint64_t conn_id;	/* 0: none is open */
static int connects, closing, refuse_connect;
static char sent[1 << 16];
static size_t nsent;
static struct {
	uint64_t id, due;
	void (*fn)(struct hostd_inst *, hostd_timer, void *);
	void *arg;
} timer;			/* the client has one at most */
static uint64_t last_timer;

static inline uint64_t
host_now(const struct hostd_host *h)
{
	(void)h;
	return clock_ms;
}

static inline int32_t
net_connect(const struct hostd_host *h, const struct hostd_connect *to,
    const struct hostd_net_ops *ops, void *arg, hostd_conn *out)
{
	(void)h;
	assert_string_equal(to->host, "redis.test");
	assert_int_equal(to->port, 6379);
	assert_int_equal(to->timeout_ms, 3000);
	assert_int_equal(conn_id, 0);
	if (refuse_connect)
		return HOSTD_E_FULL;
	net_ops = *ops;
	net_arg = arg;
	out->id = conn_id = (uint64_t)++connects;
	return HOSTD_OK;
}

static inline int32_t
net_send(const struct hostd_host *h, hostd_conn c, hostd_buf b)
{
	(void)h;
	if (c.id == 0 || c.id != conn_id)
		return HOSTD_E_GONE;
	if (closing)
		return HOSTD_E_STATE;
	assert_true(nsent + b.n < sizeof(sent));
	memcpy(sent + nsent, b.p, b.n);
	nsent += b.n;
	sent[nsent] = '\0';
	return HOSTD_OK;
}

static inline int32_t
net_close(const struct hostd_host *h, hostd_conn c)
{
	(void)h;
	if (c.id == 0 || c.id != conn_id)
		return HOSTD_E_GONE;
	if (closing)
		return HOSTD_E_STATE;
	closing = 1;
	return HOSTD_OK;
}

static inline int32_t
timer_start(const struct hostd_host *h, uint64_t delay, uint64_t repeat,
    void (*fn)(struct hostd_inst *, hostd_timer, void *), void *arg,
    hostd_timer *out)
{
	(void)h;
	assert_int_equal(repeat, 0);
	assert_int_equal(timer.id, 0);
	timer.id = out->id = ++last_timer;
	timer.due = clock_ms + delay;
	timer.fn = fn;
	timer.arg = arg;
	return HOSTD_OK;
}

static inline int32_t
timer_stop(const struct hostd_host *h, hostd_timer t)
{
	(void)h;
	assert_int_equal(t.id, timer.id);
	timer.id = 0;
	return HOSTD_OK;
}

static const struct hostd_host host = {
    .struct_size = sizeof(host), .now_ms = host_now};
static const struct hostd_net_api net = {.struct_size = sizeof(net),
    .connect = net_connect,
    .send = net_send,
    .close = net_close};
static const struct hostd_timer_api timers = {
    .struct_size = sizeof(timers), .start = timer_start, .stop = timer_stop};

/* -- what happens -- */

static inline void
connected(void)
{
	hostd_conn c = {conn_id};

	assert_int_not_equal(conn_id, 0);
	net_ops.on_connect(NULL, c, net_arg);
}

static inline void
ended(int32_t status, const char *text)
{
	hostd_conn c = {conn_id};
	hostd_buf b = {text, strlen(text)};

	assert_int_not_equal(conn_id, 0);
	net_ops.on_close(NULL, c, net_arg, status, b);
	conn_id = 0;
	closing = 0;
}

/* The end of a turn: what was closed has ended. */
static inline void
turn(void)
{
	if (closing)
		ended(HOSTD_OK, "closed by the plugin");
}

static inline void
bytes(const char *p, size_t n)
{
	hostd_conn c = {conn_id};
	char *copy = malloc(n + 1); /* so that reading beyond is noticed */
	hostd_buf b = {copy, n};

	memcpy(copy, p, n);
	net_ops.on_data(NULL, c, net_arg, b);
	free(copy);
	turn();
}

static inline void
says(const char *text)
{
	bytes(text, strlen(text));
}

static inline void
pass(uint64_t ms)
{
	uint64_t until = clock_ms + ms;
	void (*fn)(struct hostd_inst *, hostd_timer, void *);
	hostd_timer t;

	while (timer.id != 0 && timer.due <= until) {
		clock_ms = timer.due;
		t.id = timer.id;
		fn = timer.fn;
		timer.id = 0;
		fn(NULL, t, timer.arg);
		turn();
	}
	clock_ms = until;
}

/* -- the client -- */

static struct redis_host config;
static struct redis_client *client;
static char story[8192];	/* what its callbacks were told */
static char why[512];
static int free_in;		/* u, d, p, s, w, a: free it there */

static inline void
tell(int what, const char *fmt, ...)
{
	size_t n = strlen(story);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(story + n, sizeof(story) - n, fmt, ap);
	va_end(ap);
	if (what == free_in) {
		redis_client_free(client);
		client = NULL;
	}
}

static inline void
on_up(struct redis_client *c)
{
	assert_ptr_equal(redis_client_arg(c), &config);
	assert_true(redis_client_is_up(c));
	tell('u', "up ");
}

static inline void
on_down(struct redis_client *c, int was_up, const char *text)
{
	assert_false(redis_client_is_up(c));
	(void)snprintf(why, sizeof(why), "%s", text);
	tell('d', "down%d ", was_up);
}

static inline void
on_push(struct redis_client *c, const redisReply *r)
{
	(void)c;
	tell('p', "push:%s:%s ", r->element[0]->str, r->element[1]->str);
}

static inline void
on_subscribed(struct redis_client *c, const char *verb, hostd_buf channel,
    const redisReply *r)
{
	(void)c;
	tell('s', "%s:%.*s:%s ", verb, (int)channel.n,
	    (const char *)channel.p,
	    r->type == REDIS_REPLY_ERROR ? r->str : "ok");
}

static inline void
on_writable(struct redis_client *c)
{
	(void)c;
	tell('w', "writable ");
}

static const struct redis_client_ops ops = {
    on_up, on_down, on_push, on_subscribed, on_writable};

static inline void
on_answer(struct redis_client *c, void *arg, const redisReply *r)
{
	(void)c;
	if (r == NULL)
		tell('a', "%s=none ", (const char *)arg);
	else if (r->type == REDIS_REPLY_INTEGER)
		tell('a', "%s=%lld ", (const char *)arg, r->integer);
	else
		tell('a', "%s=%s ", (const char *)arg, r->str);
}

static inline void
told(const char *expected)
{
	assert_string_equal(story, expected);
	story[0] = '\0';
}

static inline void
sends(const char *expected)
{
	sent[nsent] = '\0';
	assert_string_equal(sent, expected);
	nsent = 0;
}

static inline int
setup(void **state)
{
	(void)state;
	memset(&config, 0, sizeof(config));
	config.host = &host;
	config.net = &net;
	config.timers = &timers;
	config.connect_ms = 3000;
	config.ping_ms = 10000;
	config.answer_ms = 2000;
	config.retry_ms = 5000;
	config.max_pending = 1000;
	config.max_reply = 4096;
	timer.id = conn_id = 0;
	clock_ms = 1000;
	connects = closing = refuse_connect = free_in = 0;
	nsent = 0;
	story[0] = why[0] = '\0';
	client = NULL;
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	redis_client_free(client);
	turn();
	assert_int_equal(conn_id, 0);
	assert_int_equal(timer.id, 0);
	return 0;
}

static inline void
start(unsigned flags)
{
	client = redis_client_new(&config, "redis.test", 6379, flags, &ops,
	    &config);
	assert_non_null(client);
	redis_client_start(client);
	told("");
}

/* Until it is up. */
static inline void
begin(unsigned flags)
{
	start(flags);
	connected();
	sends(SENT_PING);
	says(PONG);
	told("up ");
}

static inline hostd_buf
text(const char *s)
{
	hostd_buf b = {s, strlen(s)};

	return b;
}

#endif
