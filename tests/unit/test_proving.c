/* SPDX-License-Identifier: BSD-2-Clause */
/* A generation proves itself by the time that passes, whatever the machine's
 * clock is set to meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/board.h"
#include "config/model.h"
#include "master/guard.h"
#include "master/master.h"
#include "net/loop.h"

#define HOUR 3600000u
#define MIN_UPTIME 60000

/* Has it, when it is left? */
static int
proves(uint64_t served_ms, uint64_t since_ms)
{
	struct conf_pool pool = {.min_uptime = MIN_UPTIME};
	struct conf conf = {0};
	struct generation g = {.conf = &conf, .served_ms = served_ms,
	    .since_ms = since_ms};
	struct master *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	TAILQ_INIT(&conf.pools);
	TAILQ_INSERT_TAIL(&conf.pools, &pool, entry);
	m->gen = &g;
	guard_leave(m);
	free(m);
	return g.proved;
}

static void
time_passes(void **state)
{
	uint64_t clock = board_clock_ms(), now = loop_clock_ms();

	(void)state;
	assert_false(proves(clock, now));
	assert_true(proves(clock - MIN_UPTIME, now - MIN_UPTIME));
	assert_false(proves(0, 0));
}

static void
clock_jumps(void **state)
{
	uint64_t clock = board_clock_ms(), now = loop_clock_ms();

	(void)state;
	assert_false(proves(clock - HOUR, now));
	assert_true(proves(clock + HOUR, now - MIN_UPTIME));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(time_passes),
	    cmocka_unit_test(clock_jumps),
	};

	return cmocka_run_group_tests_name("proving", tests, NULL, NULL);
}
