/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include "base/log.h"
#include "upstream/lead.h"

static int
lead_is_ours(struct health *h)
{
	const struct lead *l = (const struct lead *)(const void *)(
	    (const char *)h - offsetof(struct lead, health));

	return loop_clock_ms() < l->until_ms;
}

static void
lead_look(struct lead *l)
{
	uint32_t changes = up_changes(l->all->table);

	if (changes == l->seen && !l->names.again)
		return;
	l->seen = changes;
	names_look(&l->names);
	health_look(&l->health);
}

static void
lead_tick(struct wheel_timer *t)
{
	struct lead *l = (struct lead *)(void *)((char *)t -
	    offsetof(struct lead, tick));
	uint64_t now = loop_clock_ms();

	if (up_lead(l->all->table, l->all->cell, l->generation,
	    atomic_load(l->coming), now)) {
		if (l->until_ms == 0) {
			log_info("looks after upstream servers from now on");
			l->seen = up_changes(l->all->table) - 1;
		}
		l->until_ms = now + UP_LEASE_MS;
		lead_look(l);
	} else if (l->until_ms != 0) {
		l->until_ms = 0;
		names_stop(&l->names);
		health_stop(&l->health);
	}
	wheel_set(&l->all->loop->wheel, &l->tick, now + LEAD_TICK_MS);
}

void
lead_start(struct lead *l, struct upstreams *all, uint32_t generation,
    const _Atomic uint32_t *coming,
    int (*tell)(void *, const struct chan_resolved *), void *arg)
{
	if (all->table == NULL || TAILQ_EMPTY(&all->groups))
		return;
	l->all = all;
	l->generation = generation;
	l->coming = coming;
	l->until_ms = 0;
	l->tick.fire = lead_tick;
	names_init(&l->names, all, tell, arg);
	health_init(&l->health, all, lead_is_ours);
	lead_tick(&l->tick);
}

void
lead_stop(struct lead *l)
{
	if (l->all == NULL)
		return;
	wheel_remove(&l->all->loop->wheel, &l->tick);
	names_stop(&l->names);
	health_stop(&l->health);
	if (l->until_ms != 0)
		up_lead_end(l->all->table, l->all->cell);
	l->until_ms = 0;
}

void
lead_close(struct lead *l)
{
	if (l->all == NULL)
		return;
	lead_stop(l);
	names_close(&l->names);
	health_close(&l->health);
	l->all = NULL;
}
