/* SPDX-License-Identifier: BSD-2-Clause */
/* An event loop, and turns of it that end though there is nothing to do. */
#ifndef UNIT_LOOP_CASE_H
#define UNIT_LOOP_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/loop.h"

#define TURNS_MAX	10000

static struct loop loop;
static struct wheel_timer alarm_timer;

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
