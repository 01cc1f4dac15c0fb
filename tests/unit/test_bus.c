/* SPDX-License-Identifier: BSD-2-Clause */
/* Two workers' ends of a bus in one loop: what waits, what is lost and what is
 * told then, and what is left of one that ends. */
#include <fcntl.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include <hostd/ws.h>
#include "base/mem.h"
#include "pubsub/bus.h"
#include "ws/message.h"
#include "loop_case.h"

#define QUEUE		65536

static struct stream_io sio;

/* One worker. */
struct side {
	struct bus bus;			/* first */
	struct channels channels;
	struct board_cell cell;
	struct subscriber who;
	int messages, gaps, peers_left;
	size_t bytes;
	char last[64];			/* the payload's first bytes */
};

static struct board_cell cells[4];
static struct side *a, *b;
static void (*meanwhile)(const struct envelope *);
static _Atomic uint32_t interests;

static void
side_received(struct bus *bus, struct bus_peer *p, const struct envelope *e)
{
	struct side *s = (struct side *)(void *)bus;

	(void)p;
	if (e->type == ENV_GAP) {
		s->gaps++;
		return;
	}
	if (meanwhile != NULL)
		meanwhile(e);
	s->messages++;
	s->bytes += e->payload.n;
	memset(s->last, 0, sizeof(s->last));
	memcpy(s->last, e->payload.p, e->payload.n < sizeof(s->last) - 1 ?
	    e->payload.n : sizeof(s->last) - 1);
}

static void
side_room(struct bus *bus)
{
	(void)bus;
}

static void
side_left(struct bus *bus, struct bus_peer *p)
{
	(void)p;
	((struct side *)(void *)bus)->peers_left++;
}

static void
side_interest(struct channels *all, struct channel *ch, int on)
{
	struct side *s = (struct side *)(void *)((char *)all -
	    offsetof(struct side, channels));

	bus_interest(&s->bus, ch, on);
}

static struct side *
side_new(void)
{
	struct side *s = xcalloc(1, sizeof(*s));

	s->channels.interest = side_interest;
	s->bus.sio = &sio;
	s->bus.cell = &s->cell;
	s->bus.cells = cells;
	s->bus.channels = &s->channels;
	s->bus.interests = &interests;
	s->bus.queue = QUEUE;
	s->bus.received = side_received;
	s->bus.left = side_left;
	s->bus.room = side_room;
	bus_init(&s->bus);
	return s;
}

static void
side_free(struct side *s)
{
	subscriber_close(&s->channels, &s->who);
	bus_close(&s->bus);
	channels_free(&s->channels);
	free(s);
}

static int
setup(void **state)
{
	int fds[2];

	(void)state;
	loop_open();
	stream_io_init(&sio, &loop);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, fds), 0);
	a = side_new();
	b = side_new();
	bus_add(&a->bus, fds[0], 1);
	bus_add(&b->bus, fds[1], 2);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (a != NULL)
		side_free(a);
	if (b != NULL)
		side_free(b);
	loop_end();
	stream_io_free(&sio);
	return 0;
}

static hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static struct bus_peer *
peer(struct side *s)
{
	return TAILQ_FIRST(&s->bus.peers);
}

static void
until_told(struct side *s)
{
	until(&peer(s)->told, 1);
}

static int
publish(struct side *s, const char *name, const void *p, size_t n)
{
	struct ws_message *m = ws_message_new((hostd_buf){ p, n },
	    HOSTD_WS_BINARY);
	struct envelope e = { .type = ENV_MESSAGE, .flags = HOSTD_WS_BINARY,
		.name = text(name), .payload = ws_message_payload(m) };
	int full = bus_publish(&s->bus, channel_find(&s->channels, e.name), &e,
	    m);

	ws_message_unref(m);
	return full;
}

static void
subscribe(struct side *s, const char *name)
{
	(void)channel_subscribe(&s->channels, &s->who, text(name));
}

static void
unsubscribe(struct side *s, const char *name)
{
	channel_unsubscribe(&s->channels, channel_subscription(&s->who,
	    text(name)));
}

/* The reader of one end stops: its descriptor is watched no more. */
static void
stall(struct side *s)
{
	loop_del(&loop, &peer(s)->stream.io);
	loop_undefer(&loop, &peer(s)->stream.again);
}

static void
go_on(struct side *s)
{
	assert_int_equal(loop_add(&loop, &peer(s)->stream.io, EPOLLIN |
	    EPOLLOUT | EPOLLRDHUP | EPOLLET), 0);
}

/* -- interest -- */

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

/* Bug: one that ended with something unread took back what it had sent. */
static void
last_words_come_though_it_did_not_listen(void **state)
{
	int i;

	(void)state;
	subscribe(a, "red");
	subscribe(b, "red");
	until_told(a);
	until_told(b);
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
	subscribe(a, "red");
	subscribe(b, "red");
	until_told(a);
	until_told(b);
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

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(assumes_all_until_told),
		CASE(holds_from_the_moment_it_is_made),
		CASE(what_is_read_ahead_comes_once_and_in_order),
		CASE(words_before_a_move_come_before_those_behind),
		CASE(who_is_given_a_message_may_look_ahead),
		CASE(what_a_stalled_worker_loses_is_told),
		CASE(one_message_always_fits),
		CASE(an_answer_that_does_not_fit_is_no_gap),
		CASE(many_channels_are_no_loss),
		CASE(flapping_subscribers_fill_no_memory),
		CASE(what_waits_takes_about_its_size),
		CASE(last_words_go_out),
		CASE(last_words_come_though_it_did_not_listen),
		CASE(last_words_come_though_we_talked_on),
		CASE(its_channels_go_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
