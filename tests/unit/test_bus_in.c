/* SPDX-License-Identifier: BSD-2-Clause */
/* What a worker hears of the others: in which order, what it looks ahead for,
 * and what is left of one that ends. */
#include "bus_case.h"

/* -- interest -- */

/* Bug: a message that was read before the word of interest was not sent. */
static void
holds_from_the_moment_it_is_made(void **state)
{
	(void)state;
	until_told(a);
	until_told(b);
	publish(b, "red", "1", 1);
	subscribe(b, "red");
	bus_catch_up(&a->bus);
	publish(a, "red", "2", 1);
	subscribe(a, "red");
	bus_catch_up(&b->bus);
	publish(b, "red", "3", 1);
	until(&b->messages, 1);
	until(&a->messages, 1);
	assert_string_equal(b->last, "2");
	assert_string_equal(a->last, "3");
}

/* Reading ahead of messages is not delivering them. */
static void
what_is_read_ahead_comes_once_and_in_order(void **state)
{
	char big[5000] = "";
	int i;

	(void)state;
	subscribe(b, "red");
	until_told(b);
	until_told(a);
	stall(b);
	for (i = 0; i < 10; i++)
		publish(a, "red", big, sizeof(big));
	publish(a, "red", "last", 4);
	loop_turn(&loop);
	subscribe(a, "blue");
	unsubscribe(a, "blue");
	subscribe(a, "green");
	bus_catch_up(&b->bus);
	assert_int_equal(b->messages, 0);
	assert_non_null(channel_find(&b->channels, text("green")));
	go_on(b);
	until(&b->messages, 11);
	assert_string_equal(b->last, "last");
	assert_null(channel_find(&b->channels, text("blue")));
	assert_non_null(channel_find(&b->channels, text("green")));
}

/* -- order -- */

static struct side *heir;
static char order[16];

static void
say(struct side *s, const char *what)
{
	publish(s, "red", what, 1);
	bus_flush(&s->bus);
}

/* One who has been heard by the worker that drains speaks there once more, is
 * moved, and goes on at its heir. */
static void
move_in_the_middle(const struct envelope *e)
{
	const char *word = e->payload.p;

	order[strlen(order)] = *word;
	if (*word != '2')
		return;
	say(a, "3");
	say(heir, "4");
}

static void
words_before_a_move_come_before_those_behind(void **state)
{
	int fds[2];

	(void)state;
	atomic_store(&cells[2].state, CELL_READY);
	atomic_store(&cells[3].state, CELL_READY);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, fds), 0);
	heir = side_new();
	bus_add(&heir->bus, fds[0], 1);
	bus_add(&b->bus, fds[1], 3);
	subscribe(b, "red");
	until_told(a);
	until_told(heir);
	until_told(b);
	loop_turn(&loop);
	atomic_store(&cells[2].state, CELL_DRAINING);
	meanwhile = move_in_the_middle;
	say(heir, "1");
	say(a, "2");
	until(&b->messages, 4);
	meanwhile = NULL;
	assert_string_equal(order, "2134");
	side_free(heir);
	memset(cells, 0, sizeof(cells));
}

/* At each of the first words, more of them, and a new subscriber, who counts
 * at once. */
static void
look_ahead_in_the_middle(const struct envelope *e)
{
	static const char *const more[] = { "ab", "cd", "ef" };
	const char *word = e->payload.p;
	char green[] = "green-1", now = *word;
	size_t n = strlen(order);

	order[n] = now;
	if (n >= 3)
		return;
	say(a, more[n]);
	say(a, more[n] + 1);
	green[6] = now;
	subscribe(a, green);
	bus_catch_up(&b->bus);
	assert_non_null(channel_find(&b->channels, text(green)));
	assert_int_equal(*word, now);
}

/*
 * Bug: what was read ahead by whoever a message was given to was lost, and the
 * rest was no envelope.
 */
static void
who_is_given_a_message_may_look_ahead(void **state)
{
	(void)state;
	subscribe(b, "red");
	until_told(b);
	until_told(a);
	memset(order, 0, sizeof(order));
	meanwhile = look_ahead_in_the_middle;
	publish(a, "red", "1", 1);
	publish(a, "red", "2", 1);
	say(a, "3");
	until(&b->messages, 9);
	meanwhile = NULL;
	assert_string_equal(order, "123abcdef");
	assert_int_equal(b->peers_left, 0);
}

/* -- ends -- */

/* Bug: what was published in the last turn of a worker stayed in it. */
static void
last_words_go_out(void **state)
{
	(void)state;
	subscribe(b, "red");
	until_told(a);
	publish(a, "red", "last", 4);
	side_free(a);
	a = NULL;
	until(&b->peers_left, 1);
	assert_int_equal(b->messages, 1);
	assert_string_equal(b->last, "last");
}

static void
both_subscribe(void)
{
	subscribe(a, "red");
	subscribe(b, "red");
	until_told(a);
	until_told(b);
}

/* Bug: one that ended with something unread took back what it had sent. */
static void
last_words_come_though_it_did_not_listen(void **state)
{
	int i;

	(void)state;
	both_subscribe();
	stall(b);
	stall(a);
	for (i = 0; i < 10; i++)
		publish(a, "red", "said", 4);
	publish(b, "red", "not heard", 9);
	loop_turn(&loop);
	side_free(a);
	a = NULL;
	go_on(b);
	until(&b->peers_left, 1);
	assert_int_equal(b->messages, 10);
}

/* Its own failure to send does not take away what came, either. */
static void
last_words_come_though_we_talked_on(void **state)
{
	(void)state;
	both_subscribe();
	stall(b);
	publish(a, "red", "last", 4);
	loop_turn(&loop);
	side_free(a);
	a = NULL;
	publish(b, "red", "not heard", 9);
	until(&b->peers_left, 1);
	assert_int_equal(b->messages, 1);
	assert_string_equal(b->last, "last");
}

static void
its_channels_go_with_it(void **state)
{
	(void)state;
	subscribe(a, "red");
	until_told(b);
	while (channel_find(&b->channels, text("red")) == NULL)
		loop_turn(&loop);
	side_free(a);
	a = NULL;
	until(&b->peers_left, 1);
	assert_null(channel_find(&b->channels, text("red")));
	assert_int_equal(b->bus.npeers, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(holds_from_the_moment_it_is_made),
		CASE(what_is_read_ahead_comes_once_and_in_order),
		CASE(words_before_a_move_come_before_those_behind),
		CASE(who_is_given_a_message_may_look_ahead),
		CASE(last_words_go_out),
		CASE(last_words_come_though_it_did_not_listen),
		CASE(last_words_come_though_we_talked_on),
		CASE(its_channels_go_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
