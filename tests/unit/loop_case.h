/* SPDX-License-Identifier: BSD-2-Clause */
/* An event loop, and turns of it that end though there is nothing to do.  Its
 * time passes by the turn: a machine that stands still uses up no limit. */
#ifndef UNIT_LOOP_CASE_H
#define UNIT_LOOP_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "net/loop.h"

#define TURNS_MAX	10000

static struct loop loop;
static struct wheel_timer alarm_timer;
static _Atomic uint64_t clock_now = 1000000000;	/* ms */

/* Ours instead of the library's. */
int
clock_gettime(clockid_t id, struct timespec *ts)
{
	if (id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_COARSE)
		return (int)syscall(SYS_clock_gettime, id, ts);
	ts->tv_sec = (time_t)(clock_now / 1000);
	ts->tv_nsec = (long)(clock_now % 1000) * 1000000;
	return 0;
}

/* A millisecond of the test's time, if it is one of the machine's, too. */
static inline void
clock_tick(void)
{
	static time_t sec;
	static long ms;
	struct timespec ts;

	(void)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
	ts.tv_nsec /= 1000000;
	clock_now += ts.tv_sec != sec || ts.tv_nsec != ms;
	sec = ts.tv_sec;
	ms = ts.tv_nsec;
}

static inline void
alarm_rings(struct wheel_timer *t)
{
	(void)t;
}

static inline void
loop_open(void)
{
	assert_int_equal(loop_init(&loop), 0);
	alarm_timer.fire = alarm_rings;
}

static inline void
loop_end(void)
{
	wheel_remove(&loop.wheel, &alarm_timer);
	loop_close(&loop);
}

static inline void
turn(void)
{
	clock_tick();
	wheel_set(&loop.wheel, &alarm_timer, loop.now_ms + 1);
	loop_turn(&loop);
}

/* Until *n is that many: what is not there then does not come any more. */
static inline void
until(const int *n, int want)
{
	int turns;

	for (turns = 0; *n != want && turns < TURNS_MAX; turns++)
		turn();
	assert_int_equal(*n, want);
}

#endif
