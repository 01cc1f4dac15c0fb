/* SPDX-License-Identifier: BSD-2-Clause */
/* What a worker tells the others: what waits, what is lost, and what is told
 * then. */
#include <malloc.h>
#include <stdlib.h>
#include "bus_case.h"

static void
assumes_all_until_told(void **state)
{
	(void)state;
	publish(a, "red", "1", 1);
	until(&b->messages, 1);
	until_told(a);
	publish(a, "red", "2", 1);
	subscribe(b, "blue");
	until(&b->messages, 1);
	while (channel_find(&a->channels, text("blue")) == NULL)
		loop_turn(&loop);
	publish(a, "red", "3", 1);
	publish(a, "blue", "4", 1);
	until(&b->messages, 2);
	assert_string_equal(b->last, "4");
	unsubscribe(b, "blue");
	while (channel_find(&a->channels, text("blue")) != NULL)
		loop_turn(&loop);
	assert_int_equal(a->cell.counters.bus_out, 2);
}

/* -- limits -- */

static uint64_t
waiting(struct side *s)
{
	return stream_pending(&peer(s)->stream);
}

static void
what_a_stalled_worker_loses_is_told(void **state)
{
	char big[1000] = "";
	int n, i;

	(void)state;
	subscribe(b, "red");
	until_told(a);
	stall(b);
	for (n = 0; a->cell.counters.bus_dropped == 0; n++) {
		publish(a, "red", big, sizeof(big));
		loop_turn(&loop);
	}
	for (i = 0; i < 100; i++)
		publish(a, "red", big, sizeof(big));
	assert_true(waiting(a) <= QUEUE + 100);
	go_on(b);
	until(&b->gaps, 1);
	assert_int_equal(b->messages, n - 1);
	until_told(a);
	publish(a, "red", "after", 5);
	until(&b->messages, n);
	assert_string_equal(b->last, "after");
}

/* Bug: what was larger than the queue reached nobody, ever. */
static void
one_message_always_fits(void **state)
{
	char *big = xcalloc(1, 2 * QUEUE);

	(void)state;
	subscribe(b, "red");
	until_told(a);
	until_told(b);
	turn();
	assert_int_equal(waiting(a), 0);
	assert_int_equal(publish(a, "red", big, 2 * QUEUE), 1);
	publish(a, "red", "lost", 4);
	free(big);
	until(&b->gaps, 1);
	assert_int_equal(b->messages, 1);
	assert_int_equal(b->bytes, 2 * QUEUE);
	publish(a, "red", "after", 5);
	until(&b->messages, 2);
	assert_string_equal(b->last, "after");
	assert_int_equal(a->cell.counters.bus_dropped, 1);
}

/* Bug: an answer that did not fit was told as a loss of messages. */
static void
an_answer_that_does_not_fit_is_no_gap(void **state)
{
	static char big[QUEUE];
	struct envelope e = { .type = ENV_REPLY, .payload = { big, QUEUE } };

	(void)state;
	until_told(a);
	until_told(b);
	assert_int_equal(bus_send(peer(a), &e), 0);
	assert_int_equal(bus_send(peer(a), &e), -1);
	until(&b->messages, 1);
	turn();
	subscribe(b, "red");
	bus_catch_up(&a->bus);
	publish(a, "red", "after", 5);
	until(&b->messages, 2);
	assert_int_equal(b->gaps, 0);
	assert_int_equal(a->cell.counters.bus_dropped, 0);
}

/* Bug: after one loss, word of many channels was the next. */
static void
many_channels_are_no_loss(void **state)
{
	char name[32], big[1000] = "";
	int i;

	(void)state;
	subscribe(b, "red");
	until_told(a);
	for (i = 0; i < 5000; i++) {
		(void)snprintf(name, sizeof(name), "channel %d", i);
		subscribe(a, name);
		if (i % 100 == 0)
			turn();
	}
	stall(b);
	while (a->cell.counters.bus_dropped == 0) {
		publish(a, "red", big, sizeof(big));
		turn();
	}
	go_on(b);
	until(&b->gaps, 1);
	i = (int)a->cell.counters.bus_dropped;
	until_told(a);
	/* More than the queue waits for b now, and none of it is a message. */
	publish(a, "red", "after", 5);
	until_told(b);
	assert_int_equal(a->cell.counters.bus_dropped, i);
	assert_string_equal(b->last, "after");
	assert_non_null(channel_find(&b->channels, text("channel 4999")));
}

/* Bug: word of interest was queued without end. */
static void
flapping_subscribers_fill_no_memory(void **state)
{
	int i;

	(void)state;
	until_told(a);
	stall(b);
	for (i = 0; i < 20000; i++) {
		subscribe(a, "red");
		unsubscribe(a, "red");
		if (i % 100 == 0 && a->cell.counters.bus_dropped == 0)
			loop_turn(&loop);
	}
	subscribe(a, "blue");
	assert_true(waiting(a) <= QUEUE + 100);
	go_on(b);
	until(&b->gaps, 1);
	until_told(b);
	assert_null(channel_find(&b->channels, text("red")));
	assert_non_null(channel_find(&b->channels, text("blue")));
	publish(b, "blue", "heard", 5);
	until(&a->messages, 1);
}

/* Bug: each small message took a page while it waited. */
static void
what_waits_takes_about_its_size(void **state)
{
	size_t before;
	int i;

	(void)state;
	subscribe(b, "red");
	until_told(a);
	stall(b);
	a->bus.queue = 4 << 20;
	before = mallinfo2().uordblks;
	for (i = 0; i < 100000 && waiting(a) < 2 << 20; i++)
		publish(a, "red", "x", 1);
	assert_true(waiting(a) >= 2 << 20);
	assert_true(mallinfo2().uordblks - before < 3 << 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(assumes_all_until_told),
		CASE(what_a_stalled_worker_loses_is_told),
		CASE(one_message_always_fits),
		CASE(an_answer_that_does_not_fit_is_no_gap),
		CASE(many_channels_are_no_loss),
		CASE(flapping_subscribers_fill_no_memory),
		CASE(what_waits_takes_about_its_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
