/* SPDX-License-Identifier: BSD-2-Clause */
/* A hub and the other nodes: who there is, and what they answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hub_case.h"
#include "pubsub/largest.h"

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
	(void)state;
	assert_int_equal(hub_up(&hub), HOSTD_OK);
	(void)turns();
	hears(ENV_HELLO, 7, 1);
	ask();
	assert_int_equal(nanswers, 0);
	clock_now += (uint64_t)conf.query_timeout;
	until(&nanswers, 1);
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

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(who_owes_an_answer_is_not_waited_for),
		CASE(the_largest_of_all_workers),
		CASE(no_more_than_the_largest_are_told),
		CASE(the_largest_are_those_of_this_machine),
		CASE(processes_of_other_nodes_are_limited),
		CASE(answers_are_checked),
		CASE(one_that_has_said_bye_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
