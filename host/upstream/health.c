/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/log.h"
#include "base/mem.h"
#include "upstream/check.h"
#include "upstream/health.h"

#define SPREAD_MS	1000	/* over so long at most, those that are due */

/* A server that is checked. */
struct patient {
	TAILQ_ENTRY(patient) entry;	/* of those that have gone */
	struct health *all;
	struct up_peer *peer;		/* held */
	struct wheel_timer due;
	struct check check;
	int seen;
};

static uint32_t
random_bits(void)
{
	uint32_t n;

	if (getrandom(&n, sizeof(n), GRND_NONBLOCK) != (ssize_t)sizeof(n))
		n = (uint32_t)loop_clock_ms() * 2654435761u;
	return n;
}

static uint64_t
part_of(int64_t ms, uint32_t random)
{
	return ms <= 0 ? 0 : (uint64_t)ms * (random >> 16) / 65536;
}

uint64_t
health_wait_ms(const struct conf_health *conf, uint64_t checked, uint64_t now,
    uint32_t random)
{
	uint64_t interval = (uint64_t)conf->interval;
	uint64_t due = checked + interval + part_of(conf->jitter, random);
	int64_t spread = conf->interval / 2;

	/* Never checked, or in what the clock says is the future, or late. */
	if (checked == 0 || checked > now || due <= now)
		return part_of(spread < SPREAD_MS ? spread : SPREAD_MS, random);
	return due - now;
}

/* -- one -- */

static void
patient_wait(struct patient *p)
{
	const struct up_health *h = peer_health(p->peer);
	uint64_t checked = h == NULL ? 0 : atomic_load_explicit(
	    &h->checked_ms, memory_order_relaxed);

	wheel_set(&p->all->all->loop->wheel, &p->due, loop_clock_ms() +
	    health_wait_ms(&p->peer->group->conf->health, checked,
	    board_clock_ms(), random_bits()));
}

static void
patient_done(struct check *c, enum check_result result, uint32_t why,
    uint32_t what)
{
	struct patient *p = (struct patient *)(void *)((char *)c -
	    offsetof(struct patient, check));
	struct health *all = p->all;
	const struct conf_health *conf = &p->peer->group->conf->health;

	if (result == CHECK_VOID && !all->is_void)
		log_warnx("servers' health can't be checked now: %s",
		    strerror((int)what));
	all->is_void = result == CHECK_VOID;
	if (result != CHECK_VOID && !p->peer->gone && all->is_ours(all))
		peer_checked(p->peer, result == CHECK_GOOD, why, what);
	/* From one's end to the next: a slow server is not hurried. */
	wheel_set(&all->all->loop->wheel, &p->due, loop_clock_ms() +
	    (uint64_t)conf->interval + part_of(conf->jitter, random_bits()));
}

static void
patient_check(struct wheel_timer *t)
{
	struct patient *p = (struct patient *)(void *)((char *)t -
	    offsetof(struct patient, due));
	struct check_to to = {
		.conf = p->peer->group->conf,
		.server = p->peer->is.server,
		.addr = &p->peer->is.addr,
	};
	char name[UP_SERVER_MAX];

	if ((to.tls = p->peer->group->tls) != NULL) {
		group_tls_name(p->peer->group, to.server, name);
		to.tls_name = name;
	}
	p->check.sio = p->all->all->sio;
	p->check.done = patient_done;
	check_start(&p->check, &to);
}

/* -- all of them -- */

static void
patient_new(struct health *all, struct up_peer *peer)
{
	struct patient *p = xcalloc(1, sizeof(*p));

	p->all = all;
	p->peer = peer;
	p->due.fire = patient_check;
	p->seen = 1;
	peer_hold(peer);
	all->by_index[peer->index] = p;
	patient_wait(p);
}

static void
patient_leave(struct health *all, unsigned i)
{
	struct patient *p = all->by_index[i];

	all->by_index[i] = NULL;
	check_cancel(&p->check);
	wheel_remove(&all->all->loop->wheel, &p->due);
	peer_release(p->peer);
	TAILQ_INSERT_TAIL(&all->gone, p, entry);
	loop_defer(all->all->loop, &all->reap);
}

/* Events of this turn may name its socket until now. */
static void
health_reap(struct loop_task *t)
{
	struct health *all = (struct health *)(void *)((char *)t -
	    offsetof(struct health, reap));
	struct patient *p;

	while ((p = TAILQ_FIRST(&all->gone)) != NULL) {
		TAILQ_REMOVE(&all->gone, p, entry);
		free(p);
	}
}

/* One that is marked down is not asked: nothing would come of it. */
static void
see_group(struct health *all, struct up_group *g)
{
	struct up_peer *peer;
	struct patient *p;

	group_look(g);
	TAILQ_FOREACH(peer, &g->peers, entry) {
		if (peer->index >= UP_ENTRIES || (peer->is.flags & UP_DOWN))
			continue;
		p = all->by_index[peer->index];
		if (p != NULL && p->peer != peer) {
			patient_leave(all, peer->index);
			p = NULL;
		}
		if (p == NULL)
			patient_new(all, peer);
		else
			p->seen = 1;
	}
}

void
health_look(struct health *all)
{
	struct up_group *g;
	unsigned i;

	for (i = 0; i < UP_ENTRIES; i++)
		if (all->by_index[i] != NULL)
			all->by_index[i]->seen = 0;
	TAILQ_FOREACH(g, &all->all->groups, entry)
		if (g->conf->health.type != CONF_CHECK_NONE)
			see_group(all, g);
	for (i = 0; i < UP_ENTRIES; i++)
		if (all->by_index[i] != NULL && !all->by_index[i]->seen)
			patient_leave(all, i);
}

void
health_init(struct health *all, struct upstreams *us,
    int (*is_ours)(struct health *))
{
	memset(all, 0, sizeof(*all));
	all->all = us;
	all->is_ours = is_ours;
	all->by_index = xcalloc(UP_ENTRIES, sizeof(*all->by_index));
	all->reap.run = health_reap;
	TAILQ_INIT(&all->gone);
}

void
health_stop(struct health *all)
{
	unsigned i;

	for (i = 0; i < UP_ENTRIES; i++)
		if (all->by_index[i] != NULL)
			patient_leave(all, i);
}

void
health_close(struct health *all)
{
	health_stop(all);
	loop_undefer(all->all->loop, &all->reap);
	health_reap(&all->reap);
	free(all->by_index);
	all->by_index = NULL;
}
