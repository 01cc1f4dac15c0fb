/* SPDX-License-Identifier: BSD-2-Clause */
/* A hub and its backend: what is said to it and when, what comes from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hub_case.h"

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
		CASE(tells_publishers_to_slow_down),
		CASE(own_echoes_and_what_comes_twice_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
