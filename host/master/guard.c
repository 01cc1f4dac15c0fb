/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "master/generations.h"
#include "master/guard.h"
#include "master/rollout.h"
#include "net/loop.h"

static const struct watcher nobody;

int
guard_most(const struct generation *g, const struct pool *p)
{
	const struct conf_pool *c = generation_pool(g, p->name);

	return c != NULL ? c->max_restarts : 0;
}

/* The pool that must be served the longest decides. */
static int64_t
guard_time(const struct generation *g)
{
	const struct conf_pool *c;
	int64_t longest = 0;

	TAILQ_FOREACH (c, &g->conf->pools, entry)
		if (c->min_uptime > longest)
			longest = c->min_uptime;
	return longest;
}

static void
guard_look(struct generation *g, int64_t ms)
{
	if (g->served_ms != 0 && loop_clock_ms() >= g->since_ms +
	    (uint64_t)ms)
		g->proved = 1;
}

void
guard_leave(struct master *m)
{
	if (m->gen != NULL)
		guard_look(m->gen, guard_time(m->gen));
	free(m->verdict);
	m->verdict = NULL;
}

void
guard_settled(struct master *m)
{
	static const struct rollout_opts opts = {.parallel = 1};
	struct generation *to;

	if (m->verdict == NULL || master_busy(m) != NULL)
		return;
	to = generations_before(m, m->gen);
	if (to != NULL) {
		(void)rollout_back(m, to, m->verdict, &opts, &nobody);
	} else {
		log_errorx("%s; there is no generation to go back to, so its "
			   "workers are restarted as often as it takes",
		    m->verdict);
		m->gen->proved = 1;
	}
	free(m->verdict);
	m->verdict = NULL;
}

void
guard_crashed(struct master *m, struct slot *s, const char *cause)
{
	const struct conf_pool *c;
	int most = guard_most(m->gen, s->pool);

	if (s->gen != m->gen || m->gen->proved || m->verdict != NULL)
		return;
	c = generation_pool(m->gen, s->pool->name);
	if (c != NULL)
		guard_look(m->gen, c->min_uptime);
	if (m->gen->proved || most == 0 || ++s->pool->crashes <= most)
		return;
	m->verdict = xasprintf("generation %u: workers of pool %s have died "
	    "%d times within min_uptime (max_restarts is %d), the last, "
	    "%s.%u, with: %s", m->gen->n, s->pool->name, s->pool->crashes,
	    most, s->pool->name, s->index, cause);
	guard_settled(m);
}
