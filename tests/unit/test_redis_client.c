/* SPDX-License-Identifier: BSD-2-Clause */
/* The client of Redis: what it sends, and what it makes of answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "redis_case.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
