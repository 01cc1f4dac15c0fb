/* SPDX-License-Identifier: BSD-2-Clause */
/* The slots that a rollout wants: those that stay, and new ones. */
#include <string.h>

#include "master/rollout_state.h"
#include "master/zones.h"

static int
rollout_is_for(const struct rollout *r, const char *pool)
{
	return r->pool == NULL || strcmp(r->pool, pool) == 0;
}

int
rollout_counts(const struct rollout *r, const struct pool *p)
{
	return r->kind >= ROLLOUT_SCALE && r->kind != ROLLOUT_RESTART &&
	    rollout_is_for(r, p->name);
}

static int
stage_target(
    const struct rollout *r, const struct conf_pool *c, const struct pool *p)
{
	if (rollout_counts(r, p))
		return r->workers;
	if (p->stopped)
		return 0;
	if (p->deleted)
		return r->kind < ROLLOUT_SCALE ? c->workers : 0;
	/* What was scaled by hand stays, until the configured number changes.
	 */
	return c->workers == p->configured ? p->target : c->workers;
}

/* Does it get another worker?  0: the one it has goes on. */
static int
stage_touches(const struct rollout *r, const struct slot *s)
{
	if (s->fresh || r->kind < ROLLOUT_SCALE)
		return 1;
	return r->kind == ROLLOUT_RESTART && rollout_is_for(r, s->pool->name) &&
	    (r->slot == -1 || r->slot == (int)s->index);
}

static int
stage_removes(const struct rollout *r, const struct slot *s)
{
	return r->kind == ROLLOUT_DELETE && r->slot == (int)s->index &&
	    rollout_is_for(r, s->pool->name);
}

static void
stage_slot(struct rollout *r, struct slot *s)
{
	s->unwanted = 0;
	if (!stage_touches(r, s))
		return;
	s->staged = r->gen;
	s->stale = 1;
	r->total++;
	(void)slot_sockets_open(
	    s, r->gen, r->kind == ROLLOUT_START, &r->errors);
}

static void
stage_new(struct rollout *r, struct pool *p, uint32_t index)
{
	struct slot *s = slot_new(p, index);

	s->fresh = 1;
	stage_slot(r, s);
}

/* Is it the one place of this pool that is to be filled? */
static int
stage_fills(const struct rollout *r, const struct pool *p)
{
	return r->kind == ROLLOUT_SCALE && r->slot != -1 &&
	    rollout_is_for(r, p->name);
}

/* As many as are wanted: first those there are, then new ones. */
static void
stage_slots(struct rollout *r, struct pool *p, int n)
{
	struct slot *s;
	uint32_t i;

	TAILQ_FOREACH (s, &p->slots, link) {
		if (n == 0 || rollout_has_errors(r))
			return; /* as would the others' */
		if (s->retiring || stage_removes(r, s))
			continue;
		stage_slot(r, s);
		n--;
	}
	if (n > 0 && stage_fills(r, p)) {
		stage_new(r, p, (uint32_t)r->slot);
		n--;
	}
	for (i = 0; n > 0 && !rollout_has_errors(r); i++) {
		if (pool_slot(p, i) != NULL)
			continue;
		stage_new(r, p, i);
		n--;
	}
}

static void
stage_pool(struct rollout *r, const struct conf_pool *c)
{
	/* One that was deleted is not there until somebody asks for it. */
	int create = r->kind < ROLLOUT_SCALE ||
	    (r->kind == ROLLOUT_SCALE && rollout_is_for(r, c->name));
	struct pool *p = pools_get(&r->m->pools, c->name, create);

	if (p == NULL)
		return;
	p->next_configured = c->workers;
	p->next_target = stage_target(r, c, p);
	if (r->kind == ROLLOUT_RELOAD)
		p->crashes = 0;
	stage_slots(r, p, p->next_target);
}

static void
slot_unwant(struct rollout *r, struct slot *s)
{
	s->unwanted = 1;
	(void)r;
}

void
rollout_stage(struct rollout *r)
{
	const struct conf_pool *c;
	struct pool *p;

	TAILQ_FOREACH (p, &r->m->pools.list, link)
		p->next_target = p->next_configured = 0;
	rollout_slots(r, slot_unwant);
	TAILQ_FOREACH (c, &r->gen->conf->pools, entry)
		stage_pool(r, c);
	if (r->kind < ROLLOUT_SCALE && !rollout_has_errors(r)) {
		upstreams_stage(r->m, r->gen->conf, &r->errors);
		zones_stage(r->m, r->gen->conf, &r->errors);
	}
	if (r->canary != NULL &&
	    canary_choose(r->canary, &r->m->pools) == 0) {
		rollout_say(r, "canary", NULL,
		    "no worker can be a canary: none of them stays");
		canary_free(r->canary);
		r->canary = NULL;
	}
	if (rollout_has_errors(r)) {
		rollout_fail(r);
		return;
	}
	atomic_store(&r->m->board.node->coming, r->gen->n);
	rollout_roll(r);
}
