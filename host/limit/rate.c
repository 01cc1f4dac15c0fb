/* SPDX-License-Identifier: BSD-2-Clause */
/* limit_req: a leaky bucket for each key, as nginx's. */
#include <stddef.h>
#include <stdlib.h>
#include "base/board.h"
#include "base/mem.h"
#include "limit/limits.h"

/* A request that came too early. */
struct limit_wait {
	struct http_errand errand;	/* first */
	struct wheel_timer timer;
	struct limits *all;
	struct http_req *req;
	struct limit_wait *next_spare;
};

/* -- waiting -- */

static void
wait_spare(struct limit_wait *w)
{
	w->req = NULL;
	w->next_spare = w->all->spare_waits;
	w->all->spare_waits = w;
}

static void
wait_ended(struct http_errand *e)
{
	struct limit_wait *w = (struct limit_wait *)(void *)e;

	wheel_remove(&w->all->loop->wheel, &w->timer);
	wait_spare(w);
}

/* Its time is known: defer_timeout is for those who might not come back. */
static int
wait_is_timed(const struct http_errand *e)
{
	(void)e;
	return 1;
}

static void
wait_over(struct wheel_timer *t)
{
	struct limit_wait *w = (struct limit_wait *)(void *)((char *)t -
	    offsetof(struct limit_wait, timer));
	struct http_req *r = w->req;

	LIST_REMOVE(&w->errand, link);
	wait_spare(w);
	gate_open(r);
}

static int32_t
wait_for(struct limits *all, struct http_req *r, uint64_t us)
{
	struct limit_wait *w = all->spare_waits;

	if (w != NULL) {
		all->spare_waits = w->next_spare;
	} else {
		w = xcalloc(1, sizeof(*w));
		w->errand.ended = wait_ended;
		w->errand.is_timed = wait_is_timed;
		w->timer.fire = wait_over;
		w->all = all;
	}
	w->req = r;
	LIST_INSERT_HEAD(&r->errands, &w->errand, link);
	wheel_set(&all->loop->wheel, &w->timer, all->loop->now_ms +
	    (us + 999) / 1000);
	return HOSTD_DEFER;
}

void
rate_close(struct limits *all)
{
	struct limit_wait *w;

	while ((w = all->spare_waits) != NULL) {
		all->spare_waits = w->next_spare;
		free(w);
	}
}

/* -- judging -- */

static void
zone_admits(struct zone *z, struct http_req *r, uint64_t early,
    uint64_t *wait_us)
{
	uint64_t us = early > z->free_us ? early - z->free_us : 0;

	if (us == 0) {
		board_add(&z->count->passed, 1);
		return;
	}
	if (z->conf->dry_run) {
		board_add(&z->count->dry_delayed, 1);
		if (r->limited_rate != LIMITED_REJECTED_DRY)
			r->limited_rate = LIMITED_DELAYED_DRY;
		return;
	}
	board_add(&z->count->delayed, 1);
	if (us > *wait_us)
		*wait_us = us;
}

/* Of one route whose tokens can be given back: all, if none is named twice. */
#define ZONES_MAX	LIMIT_ZONES

/* It has come to those before the i-th as well, and is not let in. */
static int32_t
zone_refuses(struct limit_gate *g, size_t i, struct http_req *r,
    const uint64_t *keys, int64_t wait_us)
{
	struct zone *z = g->zones[i];

	board_add(&z->count->refused, 1);
	zone_tell(z, r, g->all->loop->now_ms);
	r->limited_rate = LIMITED_REJECTED;
	if (i > ZONES_MAX)
		i = ZONES_MAX;
	while (i-- > 0)
		if (keys[i] != 0)
			limit_rate_give(g->all->table, keys[i],
			    g->zones[i]->cost_us);
	return limits_refuse(r, z->conf->status, wait_us);
}

int32_t
rate_enter(struct http_gate *gate, struct http_req *r)
{
	struct limit_gate *g = (struct limit_gate *)(void *)gate;
	struct limits *all = g->all;
	uint64_t keys[ZONES_MAX], wait_us = 0, key;
	struct zone *z;
	int64_t early;
	size_t i;

	/* A route that passed may have counted it. */
	if (r->limits_passed & g->bit)
		return HOSTD_OK;
	r->limits_passed |= g->bit;
	for (i = 0; i < g->n; i++) {
		z = g->zones[i];
		key = zone_key(z, r);
		early = key == 0 ? 0 : limit_rate_take(all->table, z->count,
		    key, z->cost_us, z->room_us, all->loop->now_ms * 1000);
		/* What was not taken is not given back. */
		if (i < ZONES_MAX)
			keys[i] = early >= 0 ? key : 0;
		if (key == 0)
			continue;
		if (r->limited_rate == LIMITED_NONE)
			r->limited_rate = LIMITED_PASSED;
		if (early >= 0) {
			zone_admits(z, r, (uint64_t)early, &wait_us);
		} else if (!z->conf->dry_run) {
			return zone_refuses(g, i, r, keys, -early);
		} else {
			board_add(&z->count->dry_refused, 1);
			zone_tell(z, r, all->loop->now_ms);
			r->limited_rate = LIMITED_REJECTED_DRY;
		}
	}
	if (wait_us == 0)
		return HOSTD_OK;
	r->limited_rate = LIMITED_DELAYED;
	return wait_for(all, r, wait_us);
}
