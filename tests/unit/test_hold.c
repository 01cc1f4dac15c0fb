/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A socket goes from one worker to another, while a third one and another node
 * publish: it hears all of it, once, in order, however late anybody is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include <hostd/ws.h>
#include "base/log.h"
#include "base/mem.h"
#include "pubsub/hub.h"
#include "loop_case.h"

enum { GIVER, TAKER, OTHER, NHUBS };

/* A socket; what it hears are numbers, one behind the other. */
struct ear {
	struct subscriber subscriber;	/* first */
	char heard[1024];
};

static struct board board;
static struct conf_pubsub conf = { .queue = 1 << 16, .history = 1 << 20,
	.query_timeout = 100 };
static struct hub hubs[NHUBS];
static struct stream_io sio;
static struct ear before, after;	/* the socket, there and here */
static int done;
static struct buf said;			/* to the backends */
static struct buf mark;			/* an envelope, in the giver's inbox */

static hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static void
hear(struct subscriber *s, struct delivery *d)
{
	struct ear *e = (struct ear *)(void *)s;
	size_t n = strlen(e->heard);

	if (!d->gap)
		(void)snprintf(e->heard + n, sizeof(e->heard) - n, "%.*s ",
		    (int)d->payload.n, (const char *)d->payload.p);
}

static void
connect_hubs(int a, int b)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fds), 0);
	bus_add(&hubs[a].bus, fds[0], (uint32_t)b);
	bus_add(&hubs[b].bus, fds[1], (uint32_t)a);
}

static int
setup(void **state)
{
	int i;

	(void)state;
	loop_open();
	stream_io_init(&sio, &loop);
	assert_int_equal(board_create(&board), 0);
	for (i = 0; i < NHUBS; i++) {
		atomic_store(&board.cells[i].state, CELL_READY);
		hub_init(&hubs[i], &loop, &board, &board.cells[i], &conf);
		hub_serve(&hubs[i], &sio);
	}
	connect_hubs(GIVER, TAKER);
	connect_hubs(GIVER, OTHER);
	connect_hubs(TAKER, OTHER);
	memset(&before, 0, sizeof(before));
	memset(&after, 0, sizeof(after));
	before.subscriber.is_socket = after.subscriber.is_socket = 1;
	before.subscriber.deliver = after.subscriber.deliver = hear;
	done = 0;
	turn();
	return 0;
}

static int
teardown(void **state)
{
	int i;

	(void)state;
	subscriber_close(&hubs[GIVER].channels, &before.subscriber);
	subscriber_close(&hubs[TAKER].channels, &after.subscriber);
	for (i = 0; i < NHUBS; i++) {
		hub_stop(&hubs[i]);
		hub_close(&hubs[i]);
	}
	stream_io_free(&sio);
	loop_end();
	board_close(&board);
	buf_free(&said);
	buf_free(&mark);
	return 0;
}

static void
turns(int n)
{
	while (n-- > 0)
		turn();
}

static void
join(const char *name)
{
	(void)channel_subscribe(&hubs[GIVER].channels, &before.subscriber,
	    text(name));
}

static void
publish(int from, int n)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", n);
	assert_true(hub_publish(&hubs[from], text("red"), text(number),
	    HOSTD_WS_TEXT, NULL) >= 0);
}

static void
is_held(struct hub *hub)
{
	assert_ptr_equal(hub, &hubs[GIVER]);
	done++;
}

static void
hold(void)
{
	done = 0;
	hub_hold(&hubs[GIVER], TAKER, is_held);
}

/* It goes; what comes from now on is heard there. */
static int
move(void)
{
	struct buf b = { NULL, 0, 0 };
	struct unpack u;
	int rc;

	hub_give(&hubs[GIVER], &before.subscriber, &b);
	u = (struct unpack){ b.p, b.len, 0 };
	rc = hub_take(&hubs[TAKER], &after.subscriber, &u);
	if (rc == 0)
		assert_true(unpack_ok(&u));
	buf_free(&b);
	subscriber_close(&hubs[GIVER].channels, &before.subscriber);
	return rc;
}

/* "1 2 ... n ", over both. */
static void
assert_heard(int n)
{
	char all[2048], want[2048] = "";
	int i;

	(void)snprintf(all, sizeof(all), "%s%s", before.heard, after.heard);
	for (i = 1; i <= n; i++)
		(void)snprintf(want + strlen(want), 16, "%d ", i);
	assert_string_equal(all, want);
}

/* Who does not read what the other one says. */
static struct stream *
way(int from, int to)
{
	return &bus_find_cell(&hubs[to].bus, (uint32_t)from)->stream;
}

/* -- among workers -- */

static void
whenever_it_goes(int publisher, int late)
{
	int n = 0, i;

	join("red");
	turns(3);
	publish(publisher, ++n);
	hold();
	for (i = 0; i < TURNS_MAX && !done; i++) {
		publish(publisher, ++n);
		turn();
	}
	assert_int_equal(done, 1);
	assert_true(hub_is_held(&hubs[GIVER], TAKER, &before.subscriber));
	for (i = 0; i < late; i++) {
		publish(publisher, ++n);
		turn();
	}
	publish(publisher, ++n);
	assert_int_equal(move(), 0);
	for (i = 0; i < 5; i++) {
		publish(publisher, ++n);
		turn();
	}
	turns(3);
	assert_heard(n);
}

static void
all_of_a_third_worker(void **state)
{
	int late;

	for (late = 0; late < 4; late++) {
		whenever_it_goes(OTHER, late);
		(void)teardown(state);
		(void)setup(state);
	}
}

static void
all_of_the_giver(void **state)
{
	(void)state;
	whenever_it_goes(GIVER, 1);
}

static void
all_of_the_taker(void **state)
{
	(void)state;
	whenever_it_goes(TAKER, 1);
}

static void
once_though_the_taker_is_late(void **state)
{
	(void)state;
	join("red");
	hold();
	until(&done, 1);
	stream_rest(way(OTHER, TAKER));
	publish(OTHER, 1);
	publish(OTHER, 2);
	turns(3);
	assert_string_equal(before.heard, "1 2 ");
	assert_int_equal(move(), 0);
	publish(OTHER, 3);
	turns(2);
	assert_int_equal(stream_resume(way(OTHER, TAKER)), 0);
	turns(3);
	assert_heard(3);
}

static void
all_though_the_giver_is_late(void **state)
{
	(void)state;
	join("red");
	turns(3);
	stream_rest(way(OTHER, GIVER));
	publish(OTHER, 1);
	turn();
	hold();
	turns(30);
	/* What it has not read may be what the taker did not get. */
	assert_int_equal(done, 0);
	assert_int_equal(stream_resume(way(OTHER, GIVER)), 0);
	until(&done, 1);
	assert_string_equal(before.heard, "1 ");
	assert_int_equal(move(), 0);
	publish(OTHER, 2);
	turns(3);
	assert_heard(2);
}

/* 1 was said in the giver, 2 in the taker, by the client that has moved. */
static void
before_comes_before(uint32_t giver_is)
{
	struct ear third = { .subscriber.deliver = hear };

	(void)channel_subscribe(&hubs[OTHER].channels, &third.subscriber,
	    text("red"));
	join("red");
	hold();
	until(&done, 1);
	atomic_store(&board.cells[GIVER].state, giver_is);
	stream_rest(way(GIVER, OTHER));
	publish(GIVER, 1);
	bus_flush(&hubs[GIVER].bus);
	publish(TAKER, 2);
	bus_flush(&hubs[TAKER].bus);
	turns(1);
	assert_string_equal(third.heard, "1 2 ");
	assert_int_equal(stream_resume(way(GIVER, OTHER)), 0);
	turns(2);
	assert_string_equal(third.heard, "1 2 ");
	subscriber_close(&hubs[OTHER].channels, &third.subscriber);
}

static void
what_a_client_said_before_comes_before(void **state)
{
	(void)state;
	before_comes_before(CELL_DRAINING);
}

static void
though_the_giver_has_ended(void **state)
{
	(void)state;
	before_comes_before(CELL_FREE);
}

/* -- what is not held -- */

static void
a_channel_that_was_not_named(void **state)
{
	(void)state;
	join("red");
	hold();
	until(&done, 1);
	join("blue");
	assert_false(hub_is_held(&hubs[GIVER], TAKER, &before.subscriber));
	assert_int_equal(move(), -1);
	assert_int_equal(after.subscriber.n, 0);
	/* And asked again it is. */
	join("red");
	join("blue");
	hold();
	until(&done, 1);
	assert_true(hub_is_held(&hubs[GIVER], TAKER, &before.subscriber));
	assert_int_equal(move(), 0);
	assert_int_equal(after.subscriber.n, 2);
}

static void
no_channel_at_all(void **state)
{
	(void)state;
	assert_true(hub_is_held(&hubs[GIVER], TAKER, NULL));
	assert_int_equal(move(), 0);
	assert_int_equal(after.subscriber.n, 0);
}

static void
more_than_may_be_held(void **state)
{
	char *big = xcalloc(1, 40000);
	int i;

	(void)state;
	log_set_level(LOG_LVL_ERROR);
	memset(big, 'x', 40000);
	join("red");
	hold();
	until(&done, 1);
	for (i = 0; i < 2; i++) {
		(void)hub_publish(&hubs[OTHER], text("red"),
		    (hostd_buf){ big, 40000 }, HOSTD_WS_TEXT, NULL);
		turns(2);
	}
	assert_int_equal(move(), -1);
	free(big);
}

static void
the_end_of_it(void **state)
{
	(void)state;
	join("red");
	hold();
	until(&done, 1);
	assert_non_null(channel_find(&hubs[TAKER].channels, text("red")));
	hub_hold_end(&hubs[GIVER]);
	assert_false(hub_is_held(&hubs[GIVER], TAKER, &before.subscriber));
	turns(3);
	assert_true(LIST_EMPTY(&hubs[TAKER].holds));
	assert_int_equal(move(), -1);
}

/* Its heir may be replaced, while it has some to give still. */
static void
another_heir(void **state)
{
	(void)state;
	join("red");
	hold();
	until(&done, 1);
	assert_true(hub_is_held(&hubs[GIVER], TAKER, &before.subscriber));
	assert_false(hub_is_held(&hubs[GIVER], OTHER, &before.subscriber));
	assert_true(hub_is_held(&hubs[GIVER], OTHER, NULL));
	hub_hold(&hubs[GIVER], OTHER, is_held);
	until(&done, 2);
	assert_true(hub_is_held(&hubs[GIVER], OTHER, &before.subscriber));
	assert_false(hub_is_held(&hubs[GIVER], TAKER, &before.subscriber));
	/* What is on its way to the first one arrives. */
	assert_int_equal(move(), 0);
}

static void
a_giver_that_ends(void **state)
{
	(void)state;
	join("red");
	hold();
	until(&done, 1);
	bus_close(&hubs[GIVER].bus);
	turns(2);
	assert_true(LIST_EMPTY(&hubs[TAKER].holds));
}

static void
nonsense_is_refused(void **state)
{
	struct buf b = { NULL, 0, 0 };
	struct unpack u;
	size_t n;
	char *copy;

	(void)state;
	join("red");
	hold();
	until(&done, 1);
	hub_give(&hubs[GIVER], &before.subscriber, &b);
	for (n = 0; n < b.len; n++) {
		/* A block of its own, so that a byte too far is noticed. */
		copy = xmalloc(n + 1);
		memcpy(copy, b.p, n);
		u = (struct unpack){ copy, n, 0 };
		assert_int_equal(hub_take(&hubs[TAKER], &after.subscriber,
		    &u), -1);
		assert_int_equal(after.subscriber.n, 0);
		free(copy);
	}
	buf_free(&b);
}

static void
stay_awake(struct loop_task *t)
{
	(void)t;
}

static struct loop_task awake = { .run = stay_awake };

/* It can't be asked either; that is tried again now and then, not all the
 * time. */
static void
a_third_worker_that_takes_nothing(void **state)
{
	enum { BIG = 1 << 20 };
	char *big = xcalloc(1, BIG);
	uint32_t asked;
	int i;

	(void)state;
	log_set_level(LOG_LVL_ERROR);
	memset(big, 'x', BIG);
	join("red");
	turns(3);
	stream_rest(way(GIVER, OTHER));
	(void)channel_subscribe(&hubs[OTHER].channels, &after.subscriber,
	    text("blue"));
	/* One always fits, however large. */
	(void)hub_publish(&hubs[GIVER], text("blue"),
	    (hostd_buf){ big, BIG }, HOSTD_WS_TEXT, NULL);
	free(big);
	turn();
	hold();
	asked = hubs[GIVER].queries.last;
	for (i = 0; i < 50; i++) {
		loop_defer(&loop, &awake);
		loop_turn(&loop);
	}
	assert_int_equal(done, 0);
	assert_true(hubs[GIVER].queries.last - asked < 5);
	subscriber_close(&hubs[OTHER].channels, &after.subscriber);
	assert_int_equal(stream_resume(way(GIVER, OTHER)), 0);
	until(&done, 1);
	assert_true(hubs[GIVER].queries.last > asked);
}

/* -- with another node -- */

static int32_t
backend_publish(struct hub_backend *b, hostd_buf channel, hostd_buf envelope)
{
	struct envelope e;

	(void)b;
	if (envelope_parse(&e, envelope.p, envelope.n) > 0 &&
	    e.type == ENV_MARK) {
		buf_printf(&said, "mark to %.*s\n", (int)channel.n,
		    (const char *)channel.p);
		mark.len = 0;
		buf_append(&mark, envelope.p, envelope.n);
	}
	return HOSTD_OK;
}

static int32_t
backend_subscribe(struct hub_backend *b, hostd_buf channel, int on)
{
	buf_printf(&said, "%s %c%.*s\n", b->name, on ? '+' : '-',
	    (int)channel.n, (const char *)channel.p);
	return HOSTD_AGAIN;
}

static struct hub_backend backends[2] = {
	{ .name = "giver", .publish = backend_publish,
	    .subscribe = backend_subscribe },
	{ .name = "taker", .publish = backend_publish,
	    .subscribe = backend_subscribe },
};

static void
backends_up(void)
{
	int i;

	log_set_level(LOG_LVL_WARN);
	for (i = 0; i < 2; i++) {
		hubs[i].backend = &backends[i];
		assert_int_equal(hub_up(&hubs[i]), HOSTD_OK);
		turns(2);
		(void)hub_subscribed(&hubs[i], text("hostd/nodes"));
		(void)hub_subscribed(&hubs[i], text(hubs[i].inbox));
	}
	turns(2);
	said.len = 0;
}

static int
was_said(const char *what)
{
	buf_append(&said, "", 1);
	said.len--;
	return strstr(said.p, what) != NULL;
}

/* What another node has published comes to one of our workers. */
static void
deliver(int to, int n)
{
	char bytes[ENVELOPE_HEAD + 16];
	int len = snprintf(bytes + ENVELOPE_HEAD, 16, "%d", n);
	struct envelope e = { .type = ENV_MESSAGE, .flags = HOSTD_WS_TEXT,
		.node = 77, .seq = 5ull << 40 | (unsigned)n, .time = 1,
		.payload = { bytes + ENVELOPE_HEAD, (size_t)len } };

	envelope_put(bytes, &e);
	assert_int_equal(hub_deliver(&hubs[to], text("red"),
	    (hostd_buf){ bytes, ENVELOPE_HEAD + (size_t)len }), HOSTD_OK);
}

static void
all_of_another_node(void **state)
{
	(void)state;
	backends_up();
	join("red");
	turns(2);
	(void)hub_subscribed(&hubs[GIVER], text("red"));
	deliver(GIVER, 1);
	hold();
	turns(8);
	/* The taker's is not in force yet. */
	assert_true(was_said("taker +red"));
	assert_false(was_said("mark"));
	deliver(GIVER, 2);
	assert_int_equal(hub_subscribed(&hubs[TAKER], text("red")), HOSTD_OK);
	turns(4);
	/* And what came before that may be on its way to the giver. */
	assert_true(was_said("mark to hostd/node/"));
	assert_int_equal(done, 0);
	deliver(TAKER, 4);
	deliver(GIVER, 3);
	assert_int_equal(hub_deliver(&hubs[GIVER], text(hubs[GIVER].inbox),
	    (hostd_buf){ mark.p, mark.len }), HOSTD_OK);
	until(&done, 1);
	deliver(GIVER, 4);
	deliver(GIVER, 5);
	assert_int_equal(move(), 0);
	deliver(TAKER, 5);
	deliver(TAKER, 6);
	assert_heard(6);
}

static void
a_backend_that_goes_down(void **state)
{
	(void)state;
	backends_up();
	join("red");
	turns(2);
	hold();
	turns(8);
	assert_int_equal(done, 0);
	log_set_level(LOG_LVL_ERROR);
	assert_int_equal(hub_down(&hubs[GIVER], "test"), HOSTD_OK);
	assert_int_equal(hub_down(&hubs[TAKER], "test"), HOSTD_OK);
	until(&done, 1);
	assert_int_equal(move(), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(all_of_a_third_worker),
	    T(all_of_the_giver),
	    T(all_of_the_taker),
	    T(once_though_the_taker_is_late),
	    T(all_though_the_giver_is_late),
	    T(what_a_client_said_before_comes_before),
	    T(though_the_giver_has_ended),
	    T(a_channel_that_was_not_named),
	    T(no_channel_at_all),
	    T(more_than_may_be_held),
	    T(the_end_of_it),
	    T(a_giver_that_ends),
	    T(another_heir),
	    T(nonsense_is_refused),
	    T(a_third_worker_that_takes_nothing),
	    T(all_of_another_node),
	    T(a_backend_that_goes_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
