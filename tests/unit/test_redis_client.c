/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client of Redis, against a host that is played here: what it sends, what
 * it makes of answers good and bad, and that it comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "client.h"

#define PONG "+PONG\r\n"
#define SENT_PING "*1\r\n$4\r\nPING\r\n"

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

static uint64_t
host_now(const struct hostd_host *h)
{
	(void)h;
	return clock_ms;
}

static int32_t
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

static int32_t
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

static int32_t
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

static int32_t
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

static int32_t
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

static void
connected(void)
{
	hostd_conn c = {conn_id};

	assert_int_not_equal(conn_id, 0);
	net_ops.on_connect(NULL, c, net_arg);
}

static void
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
static void
turn(void)
{
	if (closing)
		ended(HOSTD_OK, "closed by the plugin");
}

static void
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

static void
says(const char *text)
{
	bytes(text, strlen(text));
}

static void
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

static void
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

static void
on_up(struct redis_client *c)
{
	assert_ptr_equal(redis_client_arg(c), &config);
	assert_true(redis_client_is_up(c));
	tell('u', "up ");
}

static void
on_down(struct redis_client *c, int was_up, const char *text)
{
	assert_false(redis_client_is_up(c));
	(void)snprintf(why, sizeof(why), "%s", text);
	tell('d', "down%d ", was_up);
}

static void
on_push(struct redis_client *c, const redisReply *r)
{
	(void)c;
	tell('p', "push:%s:%s ", r->element[0]->str, r->element[1]->str);
}

static void
on_subscribed(struct redis_client *c, const char *verb, hostd_buf channel,
    const redisReply *r)
{
	(void)c;
	tell('s', "%s:%.*s:%s ", verb, (int)channel.n,
	    (const char *)channel.p,
	    r->type == REDIS_REPLY_ERROR ? r->str : "ok");
}

static void
on_writable(struct redis_client *c)
{
	(void)c;
	tell('w', "writable ");
}

static const struct redis_client_ops ops = {
    on_up, on_down, on_push, on_subscribed, on_writable};

static void
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

static void
told(const char *expected)
{
	assert_string_equal(story, expected);
	story[0] = '\0';
}

static void
sends(const char *expected)
{
	sent[nsent] = '\0';
	assert_string_equal(sent, expected);
	nsent = 0;
}

static int
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

static int
teardown(void **state)
{
	(void)state;
	redis_client_free(client);
	turn();
	assert_int_equal(conn_id, 0);
	assert_int_equal(timer.id, 0);
	return 0;
}

static void
start(unsigned flags)
{
	client = redis_client_new(&config, "redis.test", 6379, flags, &ops,
	    &config);
	assert_non_null(client);
	redis_client_start(client);
	told("");
}

/* Until it is up. */
static void
begin(unsigned flags)
{
	start(flags);
	connected();
	sends(SENT_PING);
	says(PONG);
	told("up ");
}

/* -- the greeting -- */

static void
is_up_when_it_has_been_greeted(void **state)
{
	(void)state;
	start(0);
	assert_false(redis_client_is_up(client));
	assert_int_equal(redis_words(client, NULL, NULL, "GET", "a", NULL),
	    HOSTD_E_STATE);
	connected();
	assert_int_equal(redis_words(client, NULL, NULL, "GET", "a", NULL),
	    HOSTD_E_STATE);
	sends(SENT_PING);
	says("+PO");
	told("");
	says("NG\r\n");
	told("up ");
	sends("");
}

static void
says_who_it_is(void **state)
{
	(void)state;
	config.user = "me";
	config.password = "s3cret";
	config.db = 12;
	start(0);
	connected();
	sends("*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$6\r\ns3cret\r\n"
	    "*2\r\n$6\r\nSELECT\r\n$2\r\n12\r\n" SENT_PING);
	says("+OK\r\n+OK\r\n" PONG);
	told("up ");
}

static void
has_a_password_only(void **state)
{
	(void)state;
	config.password = "a b\r\n";
	start(0);
	connected();
	sends("*2\r\n$4\r\nAUTH\r\n$5\r\na b\r\n\r\n" SENT_PING);
}

static void
has_a_user_only(void **state)
{
	(void)state;
	config.user = "me";
	start(0);
	connected();
	sends("*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$0\r\n\r\n" SENT_PING);
}

static void
is_not_let_in(void **state)
{
	(void)state;
	config.password = "s3cret";
	start(0);
	connected();
	says("-WRONGPASS invalid username-password pair\r\n-NOAUTH\r\n");
	told("down0 ");
	assert_string_equal(why, "redis.test:6379: the answer to AUTH is: "
	    "WRONGPASS invalid username-password pair");
	/* Whatever the server says, a password is not in it. */
	pass(100);
	connected();
	says("-ERR AUTH s3cret?\r\n");
	told("down0 ");
	assert_null(strstr(why, "s3cret"));
}

static void
needs_a_password(void **state)
{
	(void)state;
	start(0);
	connected();
	says("-NOAUTH Authentication required.\r\n");
	told("down0 ");
	assert_string_equal(why, "redis.test:6379: the answer to PING is: "
	    "NOAUTH Authentication required.");
}

static void
may_not_ping(void **state)
{
	(void)state;
	start(0);
	connected();
	says("-NOPERM this user has no permissions to run the 'ping' "
	    "command\r\n");
	told("up ");
}

static void
has_no_such_database(void **state)
{
	(void)state;
	config.db = 99;
	start(0);
	connected();
	says("-ERR DB index is out of range\r\n");
	told("down0 ");
	assert_non_null(strstr(why, "SELECT is: ERR DB index"));
}

static void
is_too_early(void **state)
{
	(void)state;
	start(0);
	connected();
	says("-LOADING Redis is loading the dataset in memory\r\n");
	told("down0 ");
	pass(100);
	connected();
	says(PONG);
	told("up ");
}

static void
is_greeted_by_nobody(void **state)
{
	(void)state;
	start(0);
	connected();
	pass(1999);
	told("");
	pass(1);
	told("down0 ");
	assert_string_equal(why, "redis.test:6379: no answer within 2000 ms");
}

/* -- answers -- */

static void
answers_come_in_order(void **state)
{
	static const char text[] = ":1\r\n+two\r\n$5\r\nthree\r\n-FOUR\r\n";
	size_t i;

	(void)state;
	begin(0);
	assert_int_equal(redis_words(client, on_answer, (void *)(uintptr_t)"a",
	    "INCR", "n", NULL), HOSTD_OK);
	(void)redis_words(client, on_answer, (void *)(uintptr_t)"b", "B",
	    NULL);
	(void)redis_words(client, on_answer, (void *)(uintptr_t)"c", "C",
	    NULL);
	(void)redis_words(client, on_answer, (void *)(uintptr_t)"d", "D",
	    NULL);
	assert_int_equal(redis_client_pending(client), 4);
	sends("*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n*1\r\n$1\r\nB\r\n"
	    "*1\r\n$1\r\nC\r\n*1\r\n$1\r\nD\r\n");
	for (i = 0; i < sizeof(text) - 1; i++)
		bytes(text + i, 1);
	told("a=1 b=two c=three d=FOUR ");
	assert_int_equal(redis_client_pending(client), 0);
}

/* More than the queue had room for, with some answered in between. */
static void
many_wait(void **state)
{
	char line[16];
	int i;

	(void)state;
	config.max_pending = 1 << 20;
	begin(0);
	for (i = 0; i < 200; i++) {
		assert_int_equal(redis_words(client, on_answer,
		    (void *)(uintptr_t)"x", "N", NULL), HOSTD_OK);
		if (i % 3 == 0) {
			(void)snprintf(line, sizeof(line), ":%d\r\n", i / 3);
			says(line);
			(void)snprintf(line, sizeof(line), "x=%d ", i / 3);
			told(line);
		}
	}
	nsent = 0;
	assert_int_equal(redis_client_pending(client), 133);
}

static void
what_is_lost_is_answered_by_nothing(void **state)
{
	(void)state;
	begin(0);
	(void)redis_words(client, on_answer, (void *)(uintptr_t)"a", "A",
	    NULL);
	(void)redis_words(client, on_answer, (void *)(uintptr_t)"b", "B",
	    NULL);
	says("+1\r\n");
	ended(HOSTD_E_IO, "redis.test:6379: Connection reset by peer");
	told("a=1 b=none down1 ");
	assert_string_equal(why, "redis.test:6379: Connection reset by peer");
}

static void
the_server_ends(void **state)
{
	(void)state;
	begin(0);
	bytes("", 0);
	told("down1 ");
	assert_string_equal(why,
	    "redis.test:6379: the server has closed the connection");
}

static void
a_limit_for_what_waits(void **state)
{
	char value[512];
	const char *argv[2] = {"PUT", value};
	size_t lens[2] = {3, sizeof(value)};

	(void)state;
	memset(value, 'v', sizeof(value));
	begin(0);
	assert_int_equal(redis_command(client, NULL, NULL, 2, argv, lens),
	    HOSTD_AGAIN);
	assert_int_equal(redis_command(client, NULL, NULL, 2, argv, lens),
	    HOSTD_AGAIN);
	assert_int_equal(redis_command(client, NULL, NULL, 2, argv, lens),
	    HOSTD_E_FULL);
	says("+OK\r\n");
	told("");
	assert_int_equal(redis_command(client, NULL, NULL, 2, argv, lens),
	    HOSTD_AGAIN);
	says("+OK\r\n");
	told("");
	says("+OK\r\n");
	told("writable ");
	lens[1] = 400;
	assert_int_equal(redis_command(client, NULL, NULL, 2, argv, lens),
	    HOSTD_OK);
	says("+OK\r\n");
	told("");
}

/* -- subscribers -- */

#define ITEM(kind, a, b) "*3\r\n" kind "\r\n" a "\r\n" b "\r\n"

static hostd_buf
text(const char *s)
{
	hostd_buf b = {s, strlen(s)};

	return b;
}

static void
messages_and_answers(void **state)
{
	(void)state;
	begin(REDIS_SUBSCRIBER);
	assert_int_equal(redis_subscribe(client, "SUBSCRIBE", text("a")),
	    HOSTD_OK);
	assert_int_equal(redis_subscribe(client, "SUBSCRIBE", text("b")),
	    HOSTD_OK);
	assert_int_equal(redis_subscribe(client, "UNSUBSCRIBE", text("a")),
	    HOSTD_OK);
	sends("*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n"
	    "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nb\r\n"
	    "*2\r\n$11\r\nUNSUBSCRIBE\r\n$1\r\na\r\n");
	says(ITEM("$9\r\nsubscribe", "$1\r\na", ":1"));
	told("SUBSCRIBE:a:ok ");
	/* Before the next answer. */
	says(ITEM("$7\r\nmessage", "$1\r\na", "$2\r\nhi"));
	told("push:message:a ");
	says(ITEM("$9\r\nsubscribe", "$1\r\nb", ":2")
	    ITEM("$7\r\nmessage", "$1\r\nb", "$2\r\nhi")
	    ITEM("$11\r\nunsubscribe", "$1\r\na", ":1"));
	told("SUBSCRIBE:b:ok push:message:b UNSUBSCRIBE:a:ok ");
}

static void
a_subscription_is_refused(void **state)
{
	(void)state;
	begin(REDIS_SUBSCRIBER);
	(void)redis_subscribe(client, "SSUBSCRIBE", text("a"));
	(void)redis_subscribe(client, "SSUBSCRIBE", text("b"));
	says("-MOVED 1 10.0.0.1:7000\r\n"
	    ITEM("$10\r\nssubscribe", "$1\r\nb", ":1"));
	told("SSUBSCRIBE:a:MOVED 1 10.0.0.1:7000 SSUBSCRIBE:b:ok ");
}

/* Bug: what came and went while nothing was answered grew without end. */
static void
subscriptions_that_come_and_go_are_limited(void **state)
{
	int32_t rc = HOSTD_OK;
	int i;

	(void)state;
	begin(REDIS_SUBSCRIBER);
	for (i = 0; i < 100 && rc == HOSTD_OK; i++) {
		rc = redis_subscribe(client, "SUBSCRIBE", text("a"));
		if (rc == HOSTD_OK)
			rc = redis_subscribe(client, "UNSUBSCRIBE", text("a"));
	}
	assert_int_equal(rc, HOSTD_E_FULL);
	assert_true(i > 2);
	turn();
	told("down1 ");
	assert_non_null(strstr(why, "than max_pending allows"));
}

static void
all_subscriptions_at_once_are_not_limited(void **state)
{
	char name[16], answer[64];
	int i, on;

	(void)state;
	begin(REDIS_SUBSCRIBER);
	for (on = 1; on >= 0; on--) {
		nsent = 0;
		for (i = 100; i < 200; i++) {
			(void)snprintf(name, sizeof(name), "%d", i);
			assert_int_equal(redis_subscribe(client, on ?
			    "SUBSCRIBE" : "UNSUBSCRIBE", text(name)), HOSTD_OK);
		}
		for (i = 100; i < 200; i++) {
			(void)snprintf(answer, sizeof(answer),
			    ITEM("%s", "$3\r\n%d", ":1"), on ?
			    "$9\r\nsubscribe" : "$11\r\nunsubscribe", i);
			says(answer);
			story[0] = '\0';
		}
	}
	assert_true(redis_client_is_up(client));
}

/* A slot goes away while something else is waited for. */
static void
the_server_ends_a_subscription(void **state)
{
	(void)state;
	begin(REDIS_SUBSCRIBER);
	says(ITEM("$12\r\nsunsubscribe", "$1\r\na", ":0"));
	told("push:sunsubscribe:a ");
	(void)redis_subscribe(client, "SSUBSCRIBE", text("b"));
	says(ITEM("$12\r\nsunsubscribe", "$1\r\nc", ":0")
	    ITEM("$10\r\nssubscribe", "$1\r\nb", ":1"));
	told("push:sunsubscribe:c SSUBSCRIBE:b:ok ");
	(void)redis_subscribe(client, "SUNSUBSCRIBE", text("b"));
	says(ITEM("$12\r\nsunsubscribe", "$1\r\nd", ":1")
	    ITEM("$12\r\nsunsubscribe", "$1\r\nb", ":0"));
	told("push:sunsubscribe:d SUNSUBSCRIBE:b:ok ");
}

/* With subscriptions PONG is a list. */
static void
a_subscriber_lives(void **state)
{
	(void)state;
	begin(REDIS_SUBSCRIBER);
	pass(10000);
	sends(SENT_PING);
	says(PONG);
	told("");
	pass(10000);
	sends(SENT_PING);
	says("*2\r\n$4\r\npong\r\n$0\r\n\r\n");
	told("");
	assert_int_equal(redis_client_pending(client), 0);
	pass(10000);
	sends(SENT_PING);
	says(ITEM("$7\r\nmessage", "$1\r\na", "$2\r\nhi") PONG);
	told("push:message:a ");
}

/* -- signs of life -- */

static void
silence_is_looked_into(void **state)
{
	(void)state;
	begin(0);
	pass(9999);
	sends("");
	pass(1);
	sends(SENT_PING);
	pass(1999);
	told("");
	pass(1);
	told("down1 ");
	assert_string_equal(why, "redis.test:6379: no answer within 2000 ms");
}

/* The clock is coarse: an answer in the same tick counts. */
static void
an_answer_in_no_time(void **state)
{
	(void)state;
	begin(0);
	pass(10000);
	sends(SENT_PING);
	says(PONG);
	pass(2000);
	told("");
	assert_true(redis_client_is_up(client));
}

static void
who_talks_is_not_asked(void **state)
{
	int i;

	(void)state;
	begin(0);
	for (i = 0; i < 10; i++) {
		pass(6000);
		sends("");
		(void)redis_words(client, NULL, NULL, "X", NULL);
		nsent = 0;
		says("+OK\r\n");
	}
	told("");
}

/* -- answers that are owed -- */

static void
ask(const char *word)
{
	assert_int_equal(redis_words(client, on_answer,
	    (void *)(uintptr_t)word, word, NULL), HOSTD_OK);
	nsent = 0;
}

static void
what_is_owed_is_not_waited_for(void **state)
{
	(void)state;
	config.command_ms = 500;
	begin(0);
	pass(3000);
	ask("a");
	pass(499);
	told("");
	pass(1);
	told("a=none down1 ");
	assert_string_equal(why, "redis.test:6379: no answer within 500 ms");
}

/* Whoever answers something goes on. */
static void
slow_but_sure(void **state)
{
	int i;

	(void)state;
	config.command_ms = 500;
	begin(0);
	ask("a");
	for (i = 0; i < 50; i++) {
		pass(400);
		ask("a");
		says("+b\r\n");
		told("a=b ");
	}
	pass(499);
	told("");
	pass(1);
	told("a=none down1 ");
}

/* Nothing is owed: then it is asked for a sign of life, as ever. */
static void
idle_it_lives(void **state)
{
	(void)state;
	config.command_ms = 500;
	begin(0);
	ask("a");
	says("+b\r\n");
	told("a=b ");
	pass(9999);
	sends("");
	pass(1);
	sends(SENT_PING);
	says(PONG);
	pass(10000);
	sends(SENT_PING);
	pass(499);
	told("");
	pass(1);
	told("down1 ");
}

/* -- coming back -- */

static void
comes_back_sooner_or_later(void **state)
{
	uint64_t before, longest = 0, limit = 100;
	int i;

	(void)state;
	start(0);
	for (i = 0; i < 200; i++) {
		ended(HOSTD_E_IO, "connecting: Connection refused");
		told("down0 ");
		assert_int_not_equal(timer.id, 0);
		before = timer.due - clock_ms;
		assert_true(before <= limit);
		longest = before > longest ? before : longest;
		limit = limit * 2 < 5000 ? limit * 2 : 5000;
		pass(before);
		assert_int_equal(connects, i + 2);
	}
	/* It is not always at once. */
	assert_true(longest > 2500);
	connected();
	says(PONG);
	told("up ");
	/* Lost soon, it goes on where it was; after a while, from the start. */
	pass(6000);
	ended(HOSTD_E_IO, "");
	told("down1 ");
	assert_true(timer.due - clock_ms <= 100);
}

static void
the_host_has_no_room(void **state)
{
	(void)state;
	refuse_connect = 1;
	start(0);
	told("");
	pass(0);
	/* The next attempts may have been made at once. */
	assert_memory_equal(story, "down0 ", 6);
	story[0] = '\0';
	assert_string_equal(why, "connecting to redis.test:6379: code -4");
	refuse_connect = 0;
	pass(100);
	connected();
	says(PONG);
	told("up ");
}

/* -- bad answers -- */

static void
what_is_no_answer_ends_it(void **state)
{
	static const char *const bad[] = {
	    "HTTP/1.1 400 Bad Request\r\n\r\n", "?", "\r\n", "$x\r\n",
	    "$-2\r\n", "*-2\r\n", "*x\r\n", ":x\r\n",
	    ":99999999999999999999\r\n",
	    "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
	    "*2147483647\r\n", "*1048577\r\n", "*99999999999\r\n",
	    "$99999999999999999999\r\n", "%1\r\n+a\r\n+b\r\n",
	    "+one\r\n+nobody asked for two\r\n",
	    "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n+and\r\n"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)setup(NULL);
		begin(0);
		(void)redis_words(client, on_answer, (void *)(uintptr_t)"a",
		    "A", NULL);
		says(bad[i]);
		if (strstr(story, "down1 ") == NULL)
			fail_msg("goes on after %s", bad[i]);
		assert_true(strlen(why) > 0);
		assert_int_equal(conn_id, 0);
		(void)teardown(NULL);
		client = NULL;
	}
}

static void
an_answer_that_is_too_long(void **state)
{
	char part[1000];
	int i;

	(void)state;
	begin(0);
	(void)redis_words(client, NULL, NULL, "GET", "a", NULL);
	says("$100000\r\n");
	memset(part, 'x', sizeof(part));
	for (i = 0; i < 4; i++)
		bytes(part, sizeof(part));
	told("");
	bytes(part, sizeof(part));
	told("down1 ");
	assert_string_equal(why,
	    "redis.test:6379: a malformed answer: it is too long");
}

/* Any bytes, cut anywhere. */
static void
noise(void **state)
{
	static const char alphabet[] = "*$+-:0123\r\n\r\nxa";
	char junk[64];
	unsigned seed = 1;
	size_t n;
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		if (client == NULL) {
			(void)setup(NULL);
			begin(i % 2 == 0 ? REDIS_SUBSCRIBER : 0);
		}
		(void)redis_words(client, on_answer, (void *)(uintptr_t)"a",
		    "A", NULL);
		nsent = 0;
		story[0] = '\0';
		for (n = 0; n < sizeof(junk) && (n == 0 || rand_r(&seed) % 16);
		     n++)
			junk[n] = alphabet[(size_t)rand_r(&seed) %
			    (sizeof(alphabet) - 1)];
		bytes(junk, n);
		if (conn_id == 0) {
			(void)teardown(NULL);
			client = NULL;
		}
	}
}

/* -- the end -- */

static void
freed_in_each_callback(void **state)
{
	static const char at[] = "udpswa";
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(at) - 1; i++) {
		(void)setup(NULL);
		free_in = at[i];
		start(REDIS_SUBSCRIBER);
		connected();
		says(PONG);
		if (client == NULL)
			goto next;
		config.max_pending = 20;
		(void)redis_words(client, on_answer, (void *)(uintptr_t)"a",
		    "A", NULL);
		(void)redis_subscribe(client, "SUBSCRIBE", text("b"));
		says("+one\r\n" ITEM("$9\r\nsubscribe", "$1\r\nb", ":1")
		    ITEM("$7\r\nmessage", "$1\r\nb", "$2\r\nhi")
		    ITEM("$7\r\nmessage", "$1\r\nb", "$2\r\nhi"));
		if (client != NULL)
			ended(HOSTD_E_IO, "");
next:
		assert_null(client);
		turn();
		assert_int_equal(conn_id, 0);
		assert_int_equal(timer.id, 0);
	}
}

static void
freed_with_commands_on_their_way(void **state)
{
	(void)state;
	begin(REDIS_SUBSCRIBER);
	(void)redis_words(client, on_answer, (void *)(uintptr_t)"a", "A",
	    NULL);
	(void)redis_subscribe(client, "SUBSCRIBE", text("b"));
	redis_client_free(client);
	client = NULL;
	told("");
	turn();
	told("");
}

static void
freed_before_it_is_connected(void **state)
{
	(void)state;
	start(0);
	redis_client_free(client);
	client = NULL;
	turn();
	told("");
	client = redis_client_new(&config, "redis.test", 6379, 0, &ops,
	    &config);
}

static void
dropped_for_a_reason(void **state)
{
	(void)state;
	begin(0);
	redis_client_drop(client, "CLUSTERDOWN");
	redis_client_drop(client, "something else");
	told("");
	assert_false(redis_client_is_up(client));
	assert_int_equal(redis_words(client, NULL, NULL, "A", NULL),
	    HOSTD_E_STATE);
	turn();
	told("down1 ");
	assert_string_equal(why, "CLUSTERDOWN");
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(is_up_when_it_has_been_greeted),
	    TEST(says_who_it_is),
	    TEST(has_a_password_only),
	    TEST(has_a_user_only),
	    TEST(is_not_let_in),
	    TEST(needs_a_password),
	    TEST(may_not_ping),
	    TEST(has_no_such_database),
	    TEST(is_too_early),
	    TEST(is_greeted_by_nobody),
	    TEST(answers_come_in_order),
	    TEST(many_wait),
	    TEST(what_is_lost_is_answered_by_nothing),
	    TEST(the_server_ends),
	    TEST(a_limit_for_what_waits),
	    TEST(messages_and_answers),
	    TEST(a_subscription_is_refused),
	    TEST(the_server_ends_a_subscription),
	    TEST(subscriptions_that_come_and_go_are_limited),
	    TEST(all_subscriptions_at_once_are_not_limited),
	    TEST(a_subscriber_lives),
	    TEST(silence_is_looked_into),
	    TEST(an_answer_in_no_time),
	    TEST(who_talks_is_not_asked),
	    TEST(what_is_owed_is_not_waited_for),
	    TEST(slow_but_sure),
	    TEST(idle_it_lives),
	    TEST(comes_back_sooner_or_later),
	    TEST(the_host_has_no_room),
	    TEST(what_is_no_answer_ends_it),
	    TEST(an_answer_that_is_too_long),
	    TEST(noise),
	    TEST(freed_in_each_callback),
	    TEST(freed_with_commands_on_their_way),
	    TEST(freed_before_it_is_connected),
	    TEST(dropped_for_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
