/* SPDX-License-Identifier: BSD-2-Clause */
/* The timing wheel: each timer once, never early, at most a tick late. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "net/wheel.h"

#define TURN ((uint64_t)WHEEL_TICK_MS * WHEEL_SLOTS)

struct timer {
	struct wheel_timer t;
	int fired;
	uint64_t again;	      /* set anew when it fires; 0: no */
	struct timer *victim; /* removed when it fires */
};

static struct wheel wheel;
static uint64_t now;
static uint64_t start;

static void
fire(struct wheel_timer *wt)
{
	struct timer *t = (struct timer *)(void *)wt;

	t->fired++;
	if (t->victim != NULL)
		wheel_remove(&wheel, &t->victim->t);
	if (t->again != 0)
		wheel_set(&wheel, &t->t, t->again);
	t->again = 0;
}

static int
setup(void **state)
{
	(void)state;
	start = now = 1000003;
	wheel_init(&wheel, now);
	return 0;
}

static void
timer_set(struct timer *t, uint64_t deadline)
{
	t->t.fire = fire;
	wheel_set(&wheel, &t->t, deadline);
}

static void
advance(uint64_t to)
{
	now = to;
	wheel_advance(&wheel, now);
}

static void
an_empty_wheel_never_wakes(void **state)
{
	(void)state;
	assert_int_equal(wheel_timeout(&wheel, now), -1);
	advance(now + 10 * TURN);
	assert_int_equal(wheel_timeout(&wheel, now), -1);
}

/* For every distance: not a millisecond early, not more than a tick late. */
static void
on_time(void **state)
{
	static const uint64_t delays[] = {0, 1, 31, 32, 33, 63, 64, 1000, 30000,
	    TURN - 65, TURN - 64, TURN - 33, TURN - 32, TURN - 1, TURN,
	    TURN + 1, 2 * TURN, 3 * TURN + 17};
	uint64_t deadline;
	size_t i, offset;

	(void)state;
	for (offset = 0; offset < WHEEL_TICK_MS; offset += 5)
		for (i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
			struct timer t = {.fired = 0};

			advance(now + offset);
			deadline = now + delays[i];
			timer_set(&t, deadline);
			while (now + 1 < deadline) {
				advance(now + 1);
				assert_false(t.fired);
			}
			advance(deadline + WHEEL_TICK_MS);
			assert_int_equal(t.fired, 1);
			advance(now + TURN);
			assert_int_equal(t.fired, 1);
		}
}

/* Sleeping for as long as it says is enough, and never for ever. */
static void
wakes_when_there_is_something_to_do(void **state)
{
	struct timer a = {.fired = 0}, b = {.fired = 0};
	int ms, wakes = 0;

	(void)state;
	timer_set(&a, now + 500);
	timer_set(&b, now + 3 * TURN);
	while ((ms = wheel_timeout(&wheel, now)) != -1) {
		assert_true(ms >= 0 && (uint64_t)ms <= TURN);
		advance(now + (uint64_t)ms);
		assert_true(++wakes < 20);
		assert_int_equal(a.fired, now >= start + 500);
		if (now < start + 3 * TURN)
			assert_false(b.fired);
	}
	assert_int_equal(a.fired, 1);
	assert_int_equal(b.fired, 1);
	assert_true(now - start <= 3 * TURN + WHEEL_TICK_MS);
}

static void
moved_further_away(void **state)
{
	struct timer t = {.fired = 0};
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		timer_set(&t, now + 1000);
		advance(now + 900);
		assert_false(t.fired);
	}
	advance(now + 100 + WHEEL_TICK_MS);
	assert_int_equal(t.fired, 1);
}

static void
moved_nearer(void **state)
{
	struct timer t = {.fired = 0};

	(void)state;
	timer_set(&t, now + 30000);
	timer_set(&t, now + 100);
	advance(now + 100 + WHEEL_TICK_MS);
	assert_int_equal(t.fired, 1);
	advance(now + TURN);
	assert_int_equal(t.fired, 1);
}

static void
cleared_and_removed(void **state)
{
	struct timer a = {.fired = 0}, b = {.fired = 0};

	(void)state;
	timer_set(&a, now + 100);
	timer_set(&b, now + 100);
	wheel_clear(&a.t);
	wheel_remove(&wheel, &b.t);
	/* Twice, or without being set, is no harm. */
	wheel_remove(&wheel, &b.t);
	wheel_clear(&b.t);
	advance(now + 1000);
	assert_false(a.fired);
	assert_false(b.fired);
	assert_int_equal(wheel_timeout(&wheel, now), -1);
	/* And set again. */
	timer_set(&a, now + 100);
	timer_set(&b, now + 100);
	advance(now + 100 + WHEEL_TICK_MS);
	assert_int_equal(a.fired, 1);
	assert_int_equal(b.fired, 1);
}

static void
cleared_and_set_while_linked(void **state)
{
	struct timer t = {.fired = 0};

	(void)state;
	timer_set(&t, now + 1000);
	wheel_clear(&t.t);
	timer_set(&t, now + 2000);
	advance(now + 1999);
	assert_false(t.fired);
	advance(now + 1 + WHEEL_TICK_MS);
	assert_int_equal(t.fired, 1);
}

static void
sets_itself_again(void **state)
{
	struct timer t = {.fired = 0};
	int i;

	(void)state;
	timer_set(&t, now + 10);
	for (i = 0; i < 50; i++) {
		t.again = now + 200;
		advance(now + 100);
	}
	assert_in_range(t.fired, 20, 26);
	/* In the past: next tick, not the same one for ever. */
	t.again = 1;
	i = t.fired;
	advance(now + 500);
	assert_int_equal(t.fired, i + 2);
}

static void
may_remove_each_other(void **state)
{
	struct timer a = {.fired = 0}, b = {.fired = 0}, c = {.fired = 0};

	(void)state;
	timer_set(&a, now + 100);
	timer_set(&b, now + 100);
	timer_set(&c, now + 100);
	a.victim = &b;
	c.victim = &c;
	advance(now + 200);
	assert_int_equal(a.fired, 1);
	assert_int_equal(b.fired, 0);
	assert_int_equal(c.fired, 1);
}

/* The machine slept: everything due fires once, the rest stays. */
static void
after_a_long_stop(void **state)
{
	static struct timer t[300];
	size_t i;

	(void)state;
	memset(t, 0, sizeof(t));
	for (i = 0; i < 300; i++)
		timer_set(&t[i], now + 1 + i * 1000);
	advance(now + 150 * 1000);
	for (i = 0; i < 300; i++)
		assert_int_equal(t[i].fired, i < 150);
	advance(now + 1000 * TURN);
	for (i = 0; i < 300; i++)
		assert_int_equal(t[i].fired, 1);
	timer_set(&t[0], now + 50);
	advance(now + 50 + WHEEL_TICK_MS);
	assert_int_equal(t[0].fired, 2);
}

/* The same as a list that is looked through every time. */
static void
any_order_of_changes(void **state)
{
	static struct timer t[200];
	static uint64_t due[200];
	unsigned long random = 7;
	int expected[200] = {0};
	size_t i;
	int round;

	(void)state;
	memset(t, 0, sizeof(t));
	memset(due, 0, sizeof(due));
	for (round = 0; round < 20000; round++) {
		random = random * 6364136223846793005ul + 1442695040888963407ul;
		i = (random >> 40) % 200;
		switch (random >> 33 & 7) {
		case 0:
			wheel_clear(&t[i].t);
			due[i] = 0;
			break;
		case 1:
			wheel_remove(&wheel, &t[i].t);
			due[i] = 0;
			break;
		default:
			due[i] = now + 1 + (random >> 50) % 5000;
			timer_set(&t[i], due[i]);
		}
		advance(now + (random >> 36 & 15));
		for (i = 0; i < 200; i++) {
			if (due[i] != 0 && t[i].fired > expected[i]) {
				assert_true(now >= due[i]);
				expected[i]++;
				due[i] = 0;
			}
			assert_int_equal(t[i].fired, expected[i]);
			assert_true(
			    due[i] == 0 || now <= due[i] + WHEEL_TICK_MS);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup(f, setup)
	    T(an_empty_wheel_never_wakes),
	    T(on_time),
	    T(wakes_when_there_is_something_to_do),
	    T(moved_further_away),
	    T(moved_nearer),
	    T(cleared_and_removed),
	    T(cleared_and_set_while_linked),
	    T(sets_itself_again),
	    T(may_remove_each_other),
	    T(after_a_long_stop),
	    T(any_order_of_changes),
	};

	return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
