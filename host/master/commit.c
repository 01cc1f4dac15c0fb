/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a rollout that has succeeded. */
#include "base/log.h"
#include "master/generations.h"
#include "master/guard.h"
#include "master/rollout_state.h"
#include "sandbox/caps.h"

const char *
rollout_name(const struct rollout *r)
{
	static const char *const names[] = {
	    [ROLLOUT_START] = "start",
	    [ROLLOUT_RELOAD] = "reload",
	    [ROLLOUT_BACK] = "rollback",
	    [ROLLOUT_SCALE] = "scale",
	    [ROLLOUT_STOP] = "stop",
	    [ROLLOUT_DELETE] = "delete",
	    [ROLLOUT_RESTART] = "restart",
	};

	return names[r->kind];
}

static void
slot_commit(struct rollout *r, struct slot *s)
{
	s->staged = NULL;
	if (s->fresh)
		pool_set_drained(s->pool, s->index, 0);
	s->fresh = s->canary = 0;
	if (s->unwanted)
		slot_retire(s);
	(void)r;
}

static void
pool_commit(struct rollout *r, struct pool *p)
{
	int mine = rollout_counts(r, p);

	if (mine && p->next_target == 0 && p->target > 0)
		p->before = p->target;
	else if (p->stopped && p->next_configured != p->configured)
		p->before = p->next_configured;
	if (mine) {
		r->starts = r->kind == ROLLOUT_SCALE && p->target == 0;
		p->stopped = r->kind == ROLLOUT_STOP;
		p->deleted = r->kind == ROLLOUT_DELETE && p->next_target == 0;
	} else if (r->kind < ROLLOUT_SCALE) {
		p->deleted = 0;
	}
	if (r->kind == ROLLOUT_BACK)
		p->crashes = 0; /* and not before: it may be refused */
	if (p->next_configured == 0)
		p->stopped = 0; /* configured no more */
	p->configured = p->next_configured;
	p->target = p->next_target;
}

static void
rollout_log_done(const struct rollout *r)
{
	struct master *m = r->m;
	const char *pool = r->pool != NULL ? r->pool : "";

	switch (r->kind) {
	case ROLLOUT_SCALE:
		event_add(m,
		    r->starts ? EVENT_POOL_STARTED : EVENT_POOL_SCALED,
		    "pool %s is %s %d workers", pool,
		    r->starts ? "started with" : "scaled to", r->workers);
		break;
	case ROLLOUT_STOP:
		event_add(m, EVENT_POOL_STOPPED, "pool %s is stopped", pool);
		break;
	case ROLLOUT_DELETE:
		event_add(m, EVENT_POOL_DELETED, r->workers == 0 ?
		    "pool %s is deleted, until a reload" :
		    "pool %s has one worker less", pool);
		break;
	case ROLLOUT_RESTART:
		event_add(m, EVENT_POOL_RESTARTED, "%s%s restarted: %d workers",
		    r->pool != NULL ? "pool " : "all pools", pool, r->done);
		break;
	default:
		event_add(m, EVENT_RELOAD_DONE, "serving generation %u",
		    m->gen->n);
	}
}

/* Another generation serves from now on. */
static void
rollout_switch(struct rollout *r)
{
	struct master *m = r->m;

	int reset = upstreams_commit(m, r->gen);

	guard_leave(m);
	if (reset > 0)
		rollout_say(r, "upstreams", json_pack("{s:i}", "reset", reset),
		    "%d server%s of upstreams %s changed by hand, and %s as "
		    "configured again", reset, reset == 1 ? "" : "s",
		    reset == 1 ? "was" : "were",
		    reset == 1 ? "is" : "are");
	if (r->why != NULL) {
		generation_fail(m->gen, r->why);
		master_mishap(m, m->gen->n, r->gen->n, r->why);
	}
	generations_serve(m, r->gen);
	if (r->kind == ROLLOUT_RELOAD)
		master_mishap(m, 0, 0, NULL);
	master_committed(m);
	if (r->gen->conf->sandbox.mode == SANDBOX_ON &&
	    caps_keep_master() == -1)
		log_warn("dropping capabilities that a master does not need");
}

void
rollout_commit(struct rollout *r)
{
	struct pool *p;

	if (r->kind < ROLLOUT_SCALE)
		rollout_switch(r);
	TAILQ_FOREACH (p, &r->m->pools.list, link)
		pool_commit(r, p);
	rollout_slots(r, slot_commit);
	pools_forget_empty(r);
	rollout_log_done(r);
	rollout_end(r, ROLLOUT_DONE);
}
