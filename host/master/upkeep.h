/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the master does for its workers now and then: look whether they live
 * (pulse.h), forget the crashes of those that are well again, and replace
 * those that are due, by the clock (restart_at) or by their size (max_memory):
 * as hostctl restart would, so that nobody notices.
 */
#ifndef MASTER_UPKEEP_H
#define MASTER_UPKEEP_H

#include <stdint.h>
#include <time.h>
#include <uv.h>

struct master;

struct upkeep {
	uv_timer_t timer;
	uint64_t looked_ms;	/* uv_now of the last look */
	time_t clock;		/* at the last look */
};

void	upkeep_start(struct master *);
void	upkeep_stop(struct master *);

#endif
