/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client of Redis when all is not well: silence, answers that are none, a
 * connection that ends, and that it comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "redis_case.h"

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
