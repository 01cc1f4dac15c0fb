/* SPDX-License-Identifier: BSD-2-Clause */
/* A hub and its backend: what is said to it and when, what comes from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <hostd/ws.h>
#include "base/mem.h"
#include "pubsub/hub.h"
#include "pubsub/largest.h"
#include "loop_case.h"

static struct board board;
static struct conf_pubsub conf = { .queue = 1 << 20, .history = 1 << 20,
	.query_timeout = 1000 };
static struct hub hub;
static struct buf said;		/* to the backend, a line each */
static struct envelope last;	/* that was published; its bytes are in wire */
static char wire[512];
static size_t nwire;
static int32_t publish_rc, subscribe_rc;

struct listener {
	struct subscriber subscriber;	/* first */
	int messages, gaps;
};

static struct listener ear;

static hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static int32_t
backend_publish(struct hub_backend *b, hostd_buf channel, hostd_buf envelope)
{
	(void)b;
	assert_true(envelope.n <= sizeof(wire));
	memcpy(wire, envelope.p, nwire = envelope.n);
	assert_int_equal(envelope_parse(&last, wire, nwire), nwire);
	buf_printf(&said, "%.*s %d\n", (int)channel.n,
	    (const char *)channel.p, last.type);
	return publish_rc;
}

static int32_t
backend_subscribe(struct hub_backend *b, hostd_buf channel, int on)
{
	(void)b;
	buf_printf(&said, "%c%.*s\n", on ? '+' : '-', (int)channel.n,
	    (const char *)channel.p);
	return subscribe_rc;
}

static struct hub_backend backend = {
	.name = "test", .publish = backend_publish,
	.subscribe = backend_subscribe,
};

static void
hear(struct subscriber *s, struct delivery *d)
{
	struct listener *l = (struct listener *)(void *)s;

	if (d->gap)
		l->gaps++;
	else
		l->messages++;
}

static int
setup(void **state)
{
	(void)state;
	loop_open();
	assert_int_equal(board_create(&board), 0);
	hub_init(&hub, &loop, &board, &board.cells[0], &conf);
	hub.backend = &backend;
	memset(&ear, 0, sizeof(ear));
	ear.subscriber.deliver = hear;
	publish_rc = subscribe_rc = HOSTD_OK;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	subscriber_close(&hub.channels, &ear.subscriber);
	hub_stop(&hub);
	hub_close(&hub);
	loop_end();
	board_close(&board);
	buf_free(&said);
	return 0;
}

/* What was said to the backend since, at the end of two turns: what one task
 * asks for another does in the next. */
static const char *
turns(void)
{
	static char text_of_it[4096];
	int i;

	said.len = 0;
	for (i = 0; i < 2; i++) {
		turn();
	}
	(void)snprintf(text_of_it, sizeof(text_of_it), "%.*s", (int)said.len,
	    said.len > 0 ? said.p : "");
	return text_of_it;
}

static void
subscribe(const char *name)
{
	(void)channel_subscribe(&hub.channels, &ear.subscriber, text(name));
}

static void
unsubscribe(const char *name)
{
	channel_unsubscribe(&hub.channels, channel_subscription(
	    &ear.subscriber, text(name)));
}

static int32_t
publish(const char *name, const char *s)
{
	return hub_publish(&hub, text(name), text(s), HOSTD_WS_TEXT, NULL);
}

/* What the backend is told when it comes up and red is wanted. */
static void
assert_said_all(const char *got, const char *more)
{
	char want[256];

	(void)snprintf(want, sizeof(want), "+hostd/nodes\n+%s\n%shostd/nodes "
	    "%d\n", hub.inbox, more, ENV_HELLO);
	assert_string_equal(got, want);
}

/* -- up and down -- */

static void
says_nothing_before_up(void **state)
{
	(void)state;
	subscribe("red");
	assert_int_equal(publish("red", "here"), HOSTD_OK);
	assert_string_equal(turns(), "");
	assert_int_equal(ear.messages, 1);
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	assert_int_equal(hub_up(&hub), HOSTD_E_STATE);
	assert_said_all(turns(), "+red\n");
	assert_int_equal(ear.gaps, 0);
}

static void
subscribes_once_a_channel(void **state)
{
	struct listener other = { .subscriber.deliver = hear };

	(void)state;
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	(void)turns();
	subscribe("red");
	(void)channel_subscribe(&hub.channels, &other.subscriber, text("red"));
	assert_string_equal(turns(), "+red\n");
	unsubscribe("red");
	assert_string_equal(turns(), "");
	subscriber_close(&hub.channels, &other.subscriber);
	assert_string_equal(turns(), "-red\n");
}

/* Bug: what came and went in the turn of an up was told twice, or ended without
 * having begun. */
static void
subscribes_once_in_the_turn_of_an_up(void **state)
{
	(void)state;
	subscribe("blue");
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	subscribe("red");
	unsubscribe("blue");
	assert_said_all(turns(), "+red\n");
}

static void
up_and_down_in_one_turn(void **state)
{
	(void)state;
	subscribe("red");
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	assert_int_equal(hub_down(&hub, "x"), HOSTD_OK);
	assert_string_equal(turns(), "");
	assert_int_equal(hub_down(&hub, "x"), HOSTD_E_STATE);
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	assert_said_all(turns(), "+red\n");
}

static void
a_new_connection_is_a_gap(void **state)
{
	(void)state;
	subscribe("red");
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	(void)turns();
	assert_int_equal(hub_down(&hub, "x"), HOSTD_OK);
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	assert_said_all(turns(), "+red\n");
	assert_int_equal(ear.gaps, 1);
}

/* Bug: who came back to the backend before another node did, or asked before it
 * knew of it, never heard what was said there meanwhile. */
static void
who_has_talked_unheard_is_a_gap(void **state)
{
	static const struct {
		uint64_t node;
		uint8_t flags;
		int gaps;
	} hellos[] = {
		{ 7, 0, 1 },	/* was there before us */
		{ 7, 0, 0 }, { 7, 1, 0 },
		{ 7, 3, 1 },	/* was away */
		{ 8, 1, 0 },	/* has just started */
		{ 8, 0, 0 },
		{ 9, 3, 1 },	/* has, and talked before it was up */
	};
	struct envelope e = { .type = ENV_HELLO, .seq = 1 };
	char bytes[ENVELOPE_HEAD];
	size_t i;

	(void)state;
	subscribe("red");
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	(void)turns();
	for (i = 0; i < sizeof(hellos) / sizeof(hellos[0]); i++) {
		e.node = hellos[i].node;
		e.flags = hellos[i].flags;
		envelope_put(bytes, &e);
		ear.gaps = 0;
		assert_int_equal(hub_deliver(&hub, text("hostd/nodes"),
		    (hostd_buf){ bytes, sizeof(bytes) }), HOSTD_OK);
		/* Those of one moment are told as one. */
		assert_int_equal(hub_deliver(&hub, text("hostd/nodes"),
		    (hostd_buf){ bytes, sizeof(bytes) }), HOSTD_OK);
		assert_int_equal(ear.gaps, 0);
		wheel_advance(&loop.wheel, loop.now_ms += 1000);
		assert_int_equal(ear.gaps, hellos[i].gaps);
	}
}

/* Bug: it was told while the subscription was on its way, and what was lost
 * then was told by nobody. */
static void
a_gap_is_told_when_the_subscription_is_in_force(void **state)
{
	(void)state;
	subscribe_rc = HOSTD_AGAIN;
	subscribe("red");
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	(void)turns();
	assert_int_equal(hub_subscribed(&hub, text("red")), HOSTD_OK);
	assert_int_equal(ear.gaps, 0);
	assert_int_equal(hub_down(&hub, "x"), HOSTD_OK);
	assert_int_equal(hub_subscribed(&hub, text("red")), HOSTD_E_STATE);
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	(void)turns();
	assert_int_equal(hub_subscribed(&hub, text("blue")), HOSTD_OK);
	assert_int_equal(hub_subscribed(&hub, text("")), HOSTD_E_INVAL);
	assert_int_equal(ear.gaps, 0);
	assert_int_equal(hub_subscribed(&hub, text("red")), HOSTD_OK);
	assert_int_equal(hub_subscribed(&hub, text("red")), HOSTD_OK);
	assert_int_equal(ear.gaps, 1);
}

/* Bug: answers to the first word came before they could be heard. */
static void
says_hello_when_it_can_hear(void **state)
{
	char want[128];

	(void)state;
	subscribe_rc = HOSTD_AGAIN;
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	(void)snprintf(want, sizeof(want), "+hostd/nodes\n+%s\n", hub.inbox);
	assert_string_equal(turns(), want);
	assert_int_equal(hub_subscribed(&hub, text(hub.inbox)), HOSTD_OK);
	assert_string_equal(turns(), "");
	assert_int_equal(hub_subscribed(&hub, text("hostd/nodes")), HOSTD_OK);
	(void)snprintf(want, sizeof(want), "hostd/nodes %d\n", ENV_HELLO);
	assert_string_equal(turns(), want);
	assert_int_equal(last.flags, 1);
	assert_int_equal(hub_subscribed(&hub, text("hostd/nodes")), HOSTD_OK);
	assert_string_equal(turns(), "");
}

/* -- other nodes -- */

/* A word of a process of another node. */
static void
hears(enum envelope_type type, uint64_t node, uint64_t process)
{
	struct envelope e = { .type = (uint8_t)type, .node = node,
		.seq = process };
	char bytes[ENVELOPE_HEAD];

	envelope_put(bytes, &e);
	assert_int_equal(hub_deliver(&hub, text("hostd/nodes"),
	    (hostd_buf){ bytes, sizeof(bytes) }), HOSTD_OK);
}

static int nanswers;
static int32_t answered;

static void
count_done(void *owner, void *arg, int32_t status, struct buf *answers)
{
	(void)owner;
	(void)arg;
	(void)answers;
	nanswers++;
	answered = status;
}

static void
ask(void)
{
	nanswers = 0;
	query_start(&hub, QUERY_COUNT, text("red"), count_done, &ear, NULL);
	(void)turns();
}

/* Bug: every question waited for one who had died, until it was forgotten. */
static void
who_owes_an_answer_is_not_waited_for(void **state)
{
	uint64_t until;

	(void)state;
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	(void)turns();
	hears(ENV_HELLO, 7, 1);
	ask();
	assert_int_equal(nanswers, 0);
	for (until = loop.now_ms + 2000; nanswers == 0 && loop.now_ms < until;)
		(void)turns();
	assert_int_equal(nanswers, 1);
	assert_int_equal(answered, HOSTD_E_TIMEOUT);
	ask();
	/* Not all have answered, which is said, but at once. */
	assert_int_equal(nanswers, 1);
	assert_int_equal(answered, HOSTD_E_TIMEOUT);
	hears(ENV_HELLO, 7, 1);
	ask();
	assert_int_equal(nanswers, 0);
	hears(ENV_BYE, 7, 1);
	(void)turns();
	assert_int_equal(nanswers, 1);
	assert_int_equal(answered, HOSTD_OK);
}

/* -- the largest channels -- */

#define MANY	1200

static char largest[MANY][8];
static struct listener members[MANY];

static struct subscriber *
member(unsigned i)
{
	members[i].subscriber.is_socket = 1;
	members[i].subscriber.deliver = hear;
	return &members[i].subscriber;
}

static const char *
sizes_of(const struct buf *told, size_t max)
{
	static char out[256];
	hostd_channel_size v[8];
	size_t i, at = 0, n = largest_sum(told, v, max);

	out[0] = '\0';
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(out + at, sizeof(out) - at, "%.*s:%d ",
		    (int)v[i].channel.n, (const char *)v[i].channel.p,
		    (int)v[i].sockets);
	return out;
}

static void
the_largest_of_all_workers(void **state)
{
	static const char *const in[] = { "red", "blue", "red", "green",
		"blue", "red" };
	struct buf told = { 0 };
	unsigned i;

	(void)state;
	for (i = 0; i < 6; i++)
		(void)channel_subscribe(&hub.channels, member(i), text(in[i]));
	/* A plugin's, which is no socket. */
	subscribe("plugins");
	largest_write(&hub.channels, &told);
	assert_string_equal(sizes_of(&told, 8), "red:3 blue:2 green:1 ");
	assert_string_equal(sizes_of(&told, 2), "red:3 blue:2 ");
	/* Another worker tells the same, and one that is not in them. */
	largest_write(&hub.channels, &told);
	buf_append(&told, "\4\0\0\0\0\0\0\0\5white", 14);
	assert_string_equal(sizes_of(&told, 8),
	    "red:6 blue:4 white:4 green:2 ");
	/* What is cut off is left out. */
	told.len--;
	assert_string_equal(sizes_of(&told, 8), "red:6 blue:4 green:2 ");
	buf_free(&told);
	for (i = 0; i < 6; i++)
		subscriber_close(&hub.channels, member(i));
}

static void
no_more_than_the_largest_are_told(void **state)
{
	hostd_channel_size all[LARGEST_MAX + 1];
	struct buf told = { 0 };
	unsigned i;

	(void)state;
	for (i = 0; i < MANY; i++) {
		(void)snprintf(largest[i], sizeof(largest[i]), "c%u", i);
		(void)channel_subscribe(&hub.channels, member(i),
		    text(largest[i]));
	}
	(void)channel_subscribe(&hub.channels, member(0), text("c777"));
	largest_write(&hub.channels, &told);
	assert_int_equal(largest_sum(&told, all, LARGEST_MAX + 1), LARGEST_MAX);
	assert_memory_equal(all[0].channel.p, "c777", 4);
	assert_int_equal(all[0].sockets, 2);
	buf_free(&told);
	for (i = 0; i < MANY; i++)
		subscriber_close(&hub.channels, member(i));
}

/* No other node is asked, nor waited for. */
static void
the_largest_are_those_of_this_machine(void **state)
{
	(void)state;
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	(void)turns();
	hears(ENV_HELLO, 7, 1);
	nanswers = 0;
	query_start(&hub, QUERY_LARGEST, text(""), count_done, &ear, NULL);
	assert_string_equal(turns(), "");
	assert_int_equal(nanswers, 1);
	assert_int_equal(answered, HOSTD_OK);
}

static void
processes_of_other_nodes_are_limited(void **state)
{
	uint64_t i;

	(void)state;
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	for (i = 1; i <= 5000; i++)
		hears(ENV_HELLO, 1ull << 40, i);
	assert_int_equal(hub.nremotes, 4096);
	hears(ENV_BYE, 1ull << 40, 1);
	hears(ENV_HELLO, 1ull << 40, 5000);
	assert_int_equal(hub.nremotes, 4096);
}

static int
past_ok(int type, unsigned flags, const char *s, size_t cut)
{
	struct envelope e = { .type = (uint8_t)type, .flags = (uint8_t)flags,
		.node = 7, .payload = text(s) };
	char bytes[256];

	envelope_put(bytes, &e);
	memcpy(bytes + ENVELOPE_HEAD, s, strlen(s));
	return remote_answer_ok(&hub, QUERY_REPLAY, (hostd_buf){ bytes,
	    ENVELOPE_HEAD + strlen(s) - cut });
}

/* Bug: a replay brought what would not have been delivered. */
static void
answers_are_checked(void **state)
{
	(void)state;
	assert_true(past_ok(ENV_MESSAGE, HOSTD_WS_TEXT, "x", 0));
	assert_true(past_ok(ENV_MESSAGE, HOSTD_WS_BINARY, "\xff", 0));
	assert_true(past_ok(ENV_GAP, 0, "", 0));
	assert_true(remote_answer_ok(&hub, QUERY_REPLAY, text("")));
	assert_true(remote_answer_ok(&hub, QUERY_COUNT, text("12345678")));
	assert_true(remote_answer_ok(&hub, QUERY_LIST, text("\2ab\1c")));
	assert_int_equal(board.cells[0].counters.backend_bad, 0);
	assert_false(past_ok(ENV_MESSAGE, HOSTD_WS_TEXT, "\xff", 0));
	assert_false(past_ok(ENV_MESSAGE, 0, "x", 0));
	assert_false(past_ok(ENV_MESSAGE, HOSTD_WS_TEXT | HOSTD_WS_BINARY,
	    "x", 0));
	assert_false(past_ok(ENV_MESSAGE, HOSTD_WS_TEXT, "xy", 1));
	assert_false(past_ok(ENV_HELLO, 0, "", 0));
	assert_false(remote_answer_ok(&hub, QUERY_COUNT, text("1234567")));
	assert_false(remote_answer_ok(&hub, QUERY_LIST, text("\3ab")));
	assert_int_equal(board.cells[0].counters.backend_bad, 7);
}

/* Bug: who had left was in again when another asked who was there. */
static void
one_that_has_said_bye_is_silent(void **state)
{
	struct envelope e = { .type = ENV_HELLO, .flags = 1, .node = 7,
		.seq = 1 };
	char bytes[ENVELOPE_HEAD], want[64];

	(void)state;
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	(void)turns();
	envelope_put(bytes, &e);
	assert_int_equal(hub_deliver(&hub, text("hostd/nodes"),
	    (hostd_buf){ bytes, sizeof(bytes) }), HOSTD_OK);
	(void)snprintf(want, sizeof(want), "hostd/nodes %d\n", ENV_HELLO);
	assert_string_equal(turns(), want);
	hub_drain(&hub);
	(void)snprintf(want, sizeof(want), "hostd/nodes %d\n", ENV_BYE);
	assert_string_equal(turns(), want);
	assert_int_equal(hub_deliver(&hub, text("hostd/nodes"),
	    (hostd_buf){ bytes, sizeof(bytes) }), HOSTD_OK);
	assert_string_equal(turns(), "");
	assert_int_equal(hub_down(&hub, "x"), HOSTD_OK);
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	assert_null(strstr(turns(), " "));
	assert_int_equal(hub.heartbeat.deadline, 0);
}

/* -- messages -- */

static void
tells_publishers_to_slow_down(void **state)
{
	(void)state;
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	(void)turns();
	publish_rc = HOSTD_AGAIN;
	assert_int_equal(publish("red", "1"), HOSTD_OK);
	(void)turns();
	assert_int_equal(publish("red", "2"), HOSTD_AGAIN);
	(void)turns();
	hub_writable(&hub);
	assert_int_equal(publish("red", "3"), HOSTD_OK);
	publish_rc = HOSTD_E_FULL;
	(void)turns();
	assert_int_equal(board.cells[0].counters.backend_dropped, 1);
}

static void
deliver(uint64_t node, uint64_t seq, const char *s, unsigned flags)
{
	struct envelope e = { .type = ENV_MESSAGE, .flags = (uint8_t)flags,
		.node = node, .seq = seq, .payload = text(s) };
	char bytes[256];

	envelope_put(bytes, &e);
	memcpy(bytes + ENVELOPE_HEAD, s, strlen(s));
	(void)hub_deliver(&hub, text("red"), (hostd_buf){ bytes,
	    ENVELOPE_HEAD + strlen(s) });
}

static void
own_echoes_and_what_comes_twice_are_dropped(void **state)
{
	const uint64_t process = 1ull << 40;

	(void)state;
	subscribe("red");
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	(void)turns();
	(void)publish("red", "mine");
	(void)turns();
	assert_int_equal(ear.messages, 1);
	assert_int_equal(hub_deliver(&hub, text("red"), (hostd_buf){ wire,
	    nwire }), HOSTD_OK);
	assert_int_equal(ear.messages, 1);
	deliver(7, process + 5, "one", HOSTD_WS_TEXT);
	deliver(7, process + 5, "one", HOSTD_WS_TEXT);
	deliver(7, process + 4, "before", HOSTD_WS_TEXT);
	assert_int_equal(ear.messages, 2);
	deliver(7, 2 * process + 1, "another process", HOSTD_WS_TEXT);
	deliver(8, process + 5, "another node", HOSTD_WS_TEXT);
	assert_int_equal(ear.messages, 4);
	deliver(7, process + 6, "\xff", HOSTD_WS_TEXT);
	deliver(7, process + 7, "x", HOSTD_WS_TEXT | HOSTD_WS_BINARY);
	deliver(7, process + 8, "x", HOSTD_WS_TEXT | HOSTD_WS_FIN);
	assert_int_equal(ear.messages, 4);
	assert_int_equal(board.cells[0].counters.backend_bad, 3);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(says_nothing_before_up),
		CASE(subscribes_once_a_channel),
		CASE(subscribes_once_in_the_turn_of_an_up),
		CASE(up_and_down_in_one_turn),
		CASE(a_new_connection_is_a_gap),
		CASE(who_has_talked_unheard_is_a_gap),
		CASE(a_gap_is_told_when_the_subscription_is_in_force),
		CASE(says_hello_when_it_can_hear),
		CASE(who_owes_an_answer_is_not_waited_for),
		CASE(the_largest_of_all_workers),
		CASE(no_more_than_the_largest_are_told),
		CASE(the_largest_are_those_of_this_machine),
		CASE(processes_of_other_nodes_are_limited),
		CASE(answers_are_checked),
		CASE(one_that_has_said_bye_is_silent),
		CASE(tells_publishers_to_slow_down),
		CASE(own_echoes_and_what_comes_twice_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
