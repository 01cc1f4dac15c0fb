/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of servers, between a worker and the master. */
#include <errno.h>
#include "base/log.h"
#include "worker/state.h"

#define NAMES_MS	2000	/* that a start waits for them */
#define LOOK_MS		20	/* others may be the ones who find out */

static int
tell_master(void *arg, const struct chan_resolved *m)
{
	const struct worker *w = arg;

	if (w->master_gone)
		return 0;
	if (chan_send(CHAN_FD, CHAN_RESOLVED, m, sizeof(*m), NULL, 0) == 0)
		return 0;
	if (errno != EAGAIN)
		log_warn("telling the master what %s is", m->server);
	return -1;
}

void
worker_lead(struct worker *w)
{
	lead_start(&w->lead, &w->plugins.upstreams, w->init.generation,
	    &w->board.node->coming, tell_master, w);
}

static void
names_look_again(struct wheel_timer *t)
{
	(void)t;
}

void
worker_await_names(struct worker *w)
{
	struct wheel_timer again = { .fire = names_look_again };
	uint64_t until = w->loop.now_ms + NAMES_MS;

	while (!w->loop.stopping && w->loop.now_ms < until &&
	    !names_settled(&w->plugins.upstreams)) {
		wheel_set(&w->loop.wheel, &again, w->loop.now_ms + LOOK_MS);
		loop_turn(&w->loop);
	}
	wheel_remove(&w->loop.wheel, &again);
}
