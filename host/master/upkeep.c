/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "limit/budget.h"
#include "master/master.h"
#include "master/proc.h"
#include "master/pulse.h"
#include "master/rollout.h"
#include "master/upkeep.h"

#define MEMORY_LOOKS 6		/* in a row above max_memory: three seconds */
#define MEMORY_SOON 60000	/* ms up: max_memory may be too low */
#define MEMORY_WAIT 10000	/* ms, and twice that each time it is so */
#define MEMORY_WAIT_MAX 900000

static const struct watcher nobody;

/* ---- max_memory ---- */

/* The next one must not follow at once when each is too big from the start. */
static void
memory_wait(struct slot *s, uint64_t now, uint64_t up)
{
	if (up >= MEMORY_SOON)
		s->memory_wait = 0;
	else if (s->memory_wait == 0)
		s->memory_wait = MEMORY_WAIT;
	else if (s->memory_wait < MEMORY_WAIT_MAX / 2)
		s->memory_wait *= 2;
	else
		s->memory_wait = MEMORY_WAIT_MAX;
	s->memory_next = now + s->memory_wait;
}

static void
memory_replace(struct master *m, struct slot *s, int64_t rss, int64_t max)
{
	const struct child *c = s->current->child;
	uint64_t now = uv_now(&m->loop), up = now - c->started;
	uint32_t index = s->index;

	s->memory_over = 0;
	memory_wait(s, now, up);
	event_worker(m, EVENT_WORKER_MEMORY, c, "has %lld KiB resident, more "
	    "than max_memory = %lld KiB: replacing it%s",
	    (long long)rss >> 10, (long long)max >> 10, s->memory_wait > 0 ?
	    "; that it was so soon makes max_memory look too low" : "");
	(void)rollout_restart(m, s->pool->name, (int)index, &nobody);
}

static void
memory_look(struct master *m, struct slot *s, const struct conf_pool *conf)
{
	int64_t rss;

	if (conf->max_memory == 0 || !s->current->child->ready ||
	    uv_now(&m->loop) < s->memory_next)
		return;
	rss = proc_rss(s->current->child->pid);
	if (rss <= conf->max_memory)
		s->memory_over = 0;
	else if (s->memory_over < MEMORY_LOOKS)
		s->memory_over++;
	if (s->memory_over == MEMORY_LOOKS && master_busy(m) == NULL)
		memory_replace(m, s, rss, conf->max_memory);
}

/* ---- the budget ---- */

static void
memory_sum(struct master *m, const struct conf_budget *b)
{
	const struct child *c;
	uint64_t sum = 0;
	int64_t rss;
	int changed, is;

	LIST_FOREACH (c, &m->children.list, link)
		if ((rss = proc_rss(c->pid)) > 0)
			sum += (uint64_t)rss;
	is = budget_memory(&m->limits, b, sum, &changed);
	if (changed)
		event_add(m, EVENT_NODE_SHEDDING, "budget: workers have %llu "
		    "KiB resident, max_memory = %lld KiB: %s",
		    (unsigned long long)sum >> 10,
		    (long long)b->max_memory >> 10, is ?
		    "requests are turned away" : "requests are answered again");
}

/* Workers look when somebody comes; when nobody does, it is over as well. */
static void
budget_look(struct master *m)
{
	const struct conf_budget *b = &m->gen->conf->budget;
	uint32_t shed = atomic_load(&m->limits.head->shed);
	int changed;

	if (b->max_memory > 0 || (shed & LIMIT_SHED_MEMORY))
		memory_sum(m, b);
	if ((shed & LIMIT_SHED_CONNECTIONS) && !budget_connections(&m->limits,
	    b, budget_count(&m->limits, &m->board), &changed) && changed)
		log_info("budget: there are fewer connections again");
}

/* ---- restart_at ---- */

static void
clock_look(struct master *m, struct pool *p, const struct conf_pool *conf,
    time_t now)
{
	if (!conf->restarts) {
		p->due_in = 0;
		return;
	}
	/* Whoever sets the clock back wants no restart until then. */
	if (p->due_in != m->gen->n || now < m->upkeep.clock) {
		p->due_in = m->gen->n;
		p->due = cron_next(&conf->restart_at, now);
	}
	if (p->due == -1 || now < p->due || master_busy(m) != NULL ||
	    p->stopped)
		return;
	p->due = cron_next(&conf->restart_at, now);
	event_add(m, EVENT_WORKER_RESTART, "pool %s: it is time to replace "
	    "all workers (restart_at)", p->name);
	(void)rollout_restart(m, p->name, -1, &nobody);
}

/* ---- all ---- */

static void
slot_look(struct master *m, struct slot *s, const struct conf_pool *conf)
{
	const struct child *c;

	if (s->retiring || s->current == NULL)
		return;
	c = s->current->child;
	if (c->ready && s->cause[0] != '\0' && uv_now(&m->loop) - c->started >=
	    (uint64_t)conf->min_uptime)
		slot_forgive(s);
	memory_look(m, s, conf);
}

/* A restart may end a pool's slot or the pool, but not at once. */
static void
pools_look(struct master *m, time_t now)
{
	const struct conf_pool *conf;
	struct pool *p;
	struct slot *s;

	TAILQ_FOREACH (p, &m->pools.list, link) {
		conf = generation_pool(m->gen, p->name);
		if (conf == NULL)
			continue;
		TAILQ_FOREACH (s, &p->slots, link)
			slot_look(m, s, conf);
		clock_look(m, p, conf, now);
	}
}

/* ---- keys of tickets ---- */

static void
tickets_look(struct master *m)
{
	uint64_t now = tls_tickets_clock();
	int64_t rotation, lifetime;

	if (conf_ticket_times(m->gen->conf, &rotation, &lifetime))
		(void)tls_tickets_turn(&m->tickets, now, (uint64_t)rotation,
		    (uint64_t)lifetime);
}

static void
upkeep_look(uv_timer_t *t)
{
	struct master *m = t->data;
	uint64_t now = uv_now(&m->loop);
	time_t clock = time(NULL);

	children_look(&m->children, now - m->upkeep.looked_ms);
	m->upkeep.looked_ms = now;
	if (m->gen != NULL && !m->stopping) {
		pools_look(m, clock);
		budget_look(m);
	}
	if (m->gen != NULL)
		tickets_look(m);
	upstreams_look(m);
	m->upkeep.clock = clock;
}

void
upkeep_start(struct master *m)
{
	struct upkeep *u = &m->upkeep;

	u->looked_ms = uv_now(&m->loop);
	u->clock = time(NULL);
	(void)uv_timer_init(&m->loop, &u->timer);
	u->timer.data = m;
	(void)uv_timer_start(&u->timer, upkeep_look, PULSE_MS, PULSE_MS);
}

void
upkeep_stop(struct master *m)
{
	uv_close((uv_handle_t *)&m->upkeep.timer, NULL);
}
