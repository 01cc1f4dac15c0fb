/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A socket goes from one worker to another, while a third one publishes: it
 * hears all of it, once, in order, however late anybody is.
 */
#include "hold_case.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
