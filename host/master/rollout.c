/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "master/generations.h"
#include "master/guard.h"
#include "master/notify.h"
#include "master/rollout_state.h"

static void
rollout_free(struct rollout *r)
{
	struct master *m = r->m;
	struct watching *x;

	if (m->rollout == r)
		m->rollout = NULL;
	while ((x = TAILQ_FIRST(&r->watchers)) != NULL) {
		TAILQ_REMOVE(&r->watchers, x, link);
		free(x);
	}
	canary_free(r->canary);
	conf_errors_free(&r->errors);
	free(r->pool);
	free(r->why);
	free(r);
	master_settled(m);
}

/* For whoever watches reloads from afar. */
static void
rollout_count(const struct rollout *r, enum rollout_outcome outcome)
{
	struct board_node *node = r->m->board.node;

	if (outcome == ROLLOUT_DONE)
		atomic_store(&node->started, 1);
	if (r->kind >= ROLLOUT_SCALE)
		return;
	if (r->kind != ROLLOUT_START)
		board_add(outcome == ROLLOUT_DONE ? &node->reloads :
		    &node->reload_failures, 1);
	atomic_store(&node->reload_failed, outcome != ROLLOUT_DONE);
	if (outcome == ROLLOUT_DONE)
		atomic_store(&node->reloaded_ms, board_clock_ms());
}

/*
 * Whoever is told finds no files of what was not to be, and may stop the
 * master, which cancels the rollout it finds.
 */
void
rollout_end(struct rollout *r, enum rollout_outcome outcome)
{
	r->m->rollout = NULL;
	rollout_count(r, outcome);
	generations_prune(r->m);
	rollout_tell(r, outcome);
	rollout_free(r);
}

int
rollout_has_errors(const struct rollout *r)
{
	return !TAILQ_EMPTY(&r->errors);
}

void
rollout_slots(struct rollout *r, void (*fn)(struct rollout *, struct slot *))
{
	struct pool *p, *next_pool;
	struct slot *s, *next;

	for (p = TAILQ_FIRST(&r->m->pools.list); p != NULL; p = next_pool) {
		next_pool = TAILQ_NEXT(p, link);
		for (s = TAILQ_FIRST(&p->slots); s != NULL; s = next) {
			next = TAILQ_NEXT(s, link);
			/* Freeing a pool's last slot frees the pool, but
			 * then s was its last. */
			if (!s->retiring)
				fn(r, s);
		}
	}
}

/* ---- failing ---- */

static void
slot_revert(struct rollout *r, struct slot *s)
{
	struct master *m = r->m;

	s->staged = NULL;
	s->stale = s->unwanted = s->canary = 0;
	/* Or one that is ready late would count as one that is back. */
	slot_wait_no_more(s);
	slot_abandon(s);
	if (s->fresh) {
		slot_retire(s);
	} else if (s->gen != m->gen) {
		/* Its old worker drains already. */
		s->gen = m->gen;
		s->stale = 1;
		r->total++;
	} else {
		slot_sockets_trim(s);
	}
}

/* Pools that were only made for this rollout and have no slots. */
void
pools_forget_empty(struct rollout *r)
{
	struct pool *p, *next;

	for (p = TAILQ_FIRST(&r->m->pools.list); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		pool_forget(p);
	}
}

/* For whoever reads the log: who asked may have been a signal or a script. */
static void
rollout_log_errors(const struct rollout *r)
{
	const char *what = rollout_name(r);
	const struct conf_error *e;

	TAILQ_FOREACH (e, &r->errors, entry)
		log_errorx("%s: %s", what, e->text);
	if (r->total == 0)
		event_add(r->m, r->kind < ROLLOUT_SCALE ?
		    EVENT_RELOAD_REFUSED : EVENT_POOL_REFUSED,
		    "%s refused; generation %u goes on serving", what,
		    r->m->gen->n);
	else
		event_add(r->m, EVENT_RELOAD_ROLLED_BACK,
		    "%s of generation %u is rolled back: %s; going back to "
		    "generation %u in %d worker%s", what, r->gen->n,
		    TAILQ_FIRST(&r->errors)->text, r->m->gen->n, r->total,
		    r->total == 1 ? "" : "s");
}

/* What has served for a moment is remembered with what was wrong with it. */
static void
rollout_revert(struct rollout *r)
{
	struct master *m = r->m;
	const char *why = TAILQ_FIRST(&r->errors)->text;

	if (r->total > 0 && r->gen != m->gen) {
		generation_fail(r->gen, why);
		master_mishap(m, r->gen->n, m->gen->n, why);
	}
	r->reverting = 1;
	r->rank = 0;
	r->gen = m->gen;
	atomic_store(&m->board.node->coming, r->gen->n);
	if (r->total > 0)
		rollout_say(r, "back",
		    json_pack("{s:I,s:i}", "generation",
			(json_int_t)r->gen->n, "total", r->total),
		    "%s: going back to generation %u in %d worker%s", why,
		    r->gen->n, r->total, r->total == 1 ? "" : "s");
}

void
rollout_fail(struct rollout *r)
{
	r->pending = r->done = r->total = 0;
	canary_free(r->canary);
	r->canary = NULL;
	if (r->m->gen == NULL) {
		rollout_end(r, ROLLOUT_REFUSED);
		return;
	}
	rollout_slots(r, slot_revert);
	pools_forget_empty(r);
	rollout_log_errors(r);
	rollout_revert(r);
	rollout_roll(r);
}

/* ---- rolling ---- */

/*
 * Slots that are new come after those that stay: their sockets take connections
 * from then on.  Slots that let go of an address come last, when those that
 * take it up have done so.  What is to be judged comes before all others.
 */
static int
slot_rank(const struct slot *s)
{
	if (s->canary)
		return 0;
	if (slot_lets_go(s))
		return 3;
	return 1 + s->fresh;
}

static struct slot *
rollout_next(struct rollout *r)
{
	struct slot *s, *first = NULL;
	struct pool *p;

	TAILQ_FOREACH (p, &r->m->pools.list, link)
		TAILQ_FOREACH (s, &p->slots, link)
			if (s->stale && !s->retiring &&
			    (first == NULL || slot_rank(s) < slot_rank(first)))
				first = s;
	return first;
}

/*
 * One after the other, so that a generation that does not work has cost one
 * worker's time; but at the start all at once, as nobody is served anyway, and
 * a quarter of them when what they come from is known to be bad.
 */
static int
rollout_width(const struct rollout *r)
{
	int n = r->opts.parallel;

	if (r->kind == ROLLOUT_START)
		return r->total;
	if ((r->reverting || r->why != NULL) && r->total / 4 > n)
		n = r->total / 4;
	return n > 1 ? n : 1;
}

/* Ranks wait for each other. */
static int
rollout_may_take(struct rollout *r, const struct slot *s)
{
	if (r->kind == ROLLOUT_START)
		return 1;
	if (r->pending >= rollout_width(r) ||
	    (r->pending > 0 && slot_rank(s) != r->rank))
		return 0;
	if (r->canary != NULL && slot_rank(s) > 0)
		return 0;
	r->rank = slot_rank(s);
	return 1;
}

static void
rollout_canary_judged(void *arg, const char *worse)
{
	struct rollout *r = arg;

	r->canary = NULL;
	if (worse != NULL) {
		conf_error(&r->errors, NULL, "the canary is worse: %s", worse);
		rollout_fail(r);
	} else {
		rollout_roll(r);
	}
}

static void
rollout_canary_said(void *arg, json_t *more, const char *text)
{
	rollout_say(arg, "canary", more, "%s", text);
}

static void
rollout_watch_canary(struct rollout *r)
{
	static const struct canary_ops ops = {
	    rollout_canary_said, rollout_canary_judged};

	event_add(r->m, EVENT_RELOAD_CANARY,
	    "canary of generation %u: %d of %d workers", r->gen->n, r->done,
	    r->total);
	canary_watch(r->canary, &ops, r);
}

void
rollout_roll(struct rollout *r)
{
	struct master *m = r->m;
	uint64_t id = r->id;
	struct slot *s;

	while ((s = rollout_next(r)) != NULL && rollout_may_take(r, s)) {
		s->stale = 0;
		r->pending++;
		slot_replace(s, r->gen);
		/* A failure to start it has told us already, and may even
		 * have ended the rollout; another may have begun since. */
		if (m->rollout == NULL || m->rollout->id != id)
			return;
	}
	if (r->pending > 0)
		return;
	if (r->canary != NULL && !canary_is_watching(r->canary))
		rollout_watch_canary(r);
	else if (r->canary != NULL)
		return;
	else if (!r->reverting)
		rollout_commit(r);
	else
		rollout_end(r, r->total > 0 ? ROLLOUT_ROLLED_BACK :
		    ROLLOUT_REFUSED);
}

void
rollout_slot_ready(struct rollout *r, struct slot *s)
{
	if (r->cancelled || s->gen != r->gen)
		return;
	r->pending--;
	r->done++;
	r->gen->tried = 1;
	rollout_say_slot(r, s);
	rollout_roll(r);
}

void
rollout_slot_failed(struct rollout *r, struct slot *s, const char *cause)
{
	if (r->cancelled)
		return;
	if (r->reverting) {
		log_errorx("worker %s.%u of generation %u did not come back: "
			   "%s; the newer one stays",
		    s->pool->name, s->index, r->gen->n, cause);
		r->pending--;
		rollout_roll(r);
		return;
	}
	conf_error(&r->errors, NULL,
	    "worker %s.%u of generation %u did not get ready: %s",
	    s->pool->name, s->index, r->gen->n, cause);
	rollout_fail(r);
}

/* While it is watched, one is enough; and later too many are. */
void
rollout_slot_crashed(struct rollout *r, struct slot *s, const char *cause)
{
	int most = guard_most(r->gen, s->pool);

	if (r->cancelled || r->reverting || r->kind == ROLLOUT_START ||
	    s->gen != r->gen || r->gen == r->m->gen)
		return;
	s->pool->crashes++;
	if (r->canary == NULL && (most == 0 || s->pool->crashes <= most))
		return;
	conf_error(&r->errors, NULL,
	    "worker %s.%u of generation %u died%s: %s", s->pool->name,
	    s->index, r->gen->n, r->canary == NULL ? ", as others had" : "",
	    cause);
	rollout_fail(r);
}

/* ---- building ---- */

static void
rollout_probed(struct probe *p)
{
	struct rollout *r = p->arg;

	r->probing = 0;
	if (r->cancelled) {
		rollout_free(r);
		return;
	}
	if (!rollout_has_errors(r))
		(void)logs_open(&r->gen->logs, r->gen->conf, &r->errors);
	if (rollout_has_errors(r)) {
		rollout_fail(r);
		return;
	}
	rollout_say(r, "probe", NULL, "configuration and plugins are fine");
	rollout_stage(r);
}

static void
rollout_build(struct rollout *r)
{
	struct master *m = r->m;
	uint32_t n = ++m->last_generation;

	if (r->kind == ROLLOUT_RELOAD)
		event_add(m, EVENT_RELOAD_BEGUN,
		    "reloading, as generation %u", n);
	rollout_say(r, "build",
	    json_pack("{s:I}", "generation", (json_int_t)n),
	    "reading %s as generation %u", m->conf_file, n);
	r->gen = generation_build(m->run_dir, m->conf_file, n, m->gen, 1,
	    &r->errors);
	if (r->gen == NULL) {
		rollout_fail(r);
		return;
	}
	TAILQ_INSERT_TAIL(&m->generations, r->gen, link);
	r->probing = 1;
	r->probe.gen = r->gen;
	r->probe.errors = &r->errors;
	r->probe.done = rollout_probed;
	r->probe.arg = r;
	probe_start(&r->probe, &m->children);
}

/* ---- the ways in ---- */

static struct rollout *
rollout_new(struct master *m, enum rollout_kind kind,
    const struct rollout_opts *opts, const struct watcher *w)
{
	struct rollout *r;

	if (master_busy(m) != NULL)
		return NULL;
	r = xcalloc(1, sizeof(*r));
	r->m = m;
	r->id = ++m->rollouts;
	r->kind = kind;
	r->slot = -1;
	if (opts != NULL)
		r->opts = *opts;
	r->started = uv_now(&m->loop);
	TAILQ_INIT(&r->watchers);
	rollout_watch(r, w);
	conf_errors_init(&r->errors);
	m->rollout = r;
	return r;
}

int
rollout_start(struct master *m, const struct watcher *w)
{
	struct rollout *r = rollout_new(m, ROLLOUT_START, NULL, w);

	if (r == NULL)
		return -1;
	rollout_build(r);
	return 0;
}

int
rollout_reload(struct master *m, const struct rollout_opts *opts,
    const struct watcher *w)
{
	struct rollout *r = rollout_new(m, ROLLOUT_RELOAD, opts, w);

	if (r == NULL)
		return -1;
	if (r->opts.canary.workers > 0)
		r->canary = canary_new(&m->loop, &m->board, &r->opts.canary);
	notify_reloading();
	rollout_build(r);
	return 0;
}

int
rollout_back(struct master *m, struct generation *to, const char *why,
    const struct rollout_opts *opts, const struct watcher *w)
{
	struct rollout *r = rollout_new(m, ROLLOUT_BACK, opts, w);

	if (r == NULL)
		return -1;
	r->gen = to;
	r->why = why != NULL ? xstrdup(why) : NULL;
	notify_reloading();
	event_add(m, why != NULL ? EVENT_RELOAD_ROLLED_BACK :
	    EVENT_RELOAD_BEGUN, "%s%sgoing back from generation %u to %u",
	    why != NULL ? why : "", why != NULL ? "; " : "", m->gen->n, to->n);
	rollout_say(r, "back",
	    json_pack("{s:I}", "generation", (json_int_t)to->n),
	    "going back from generation %u to %u", m->gen->n, to->n);
	/* Nobody used it, so its log files were closed. */
	if (to->users == 0 && to->logs.n == 0)
		(void)logs_open(&to->logs, to->conf, &r->errors);
	if (rollout_has_errors(r))
		rollout_fail(r);
	else
		rollout_stage(r);
	return 0;
}

/* With the generation that is served. */
static int
rollout_change(struct master *m, enum rollout_kind kind, const char *pool,
    int slot, int workers, const struct watcher *w)
{
	struct rollout *r = rollout_new(m, kind, NULL, w);

	if (r == NULL)
		return -1;
	r->pool = pool != NULL ? xstrdup(pool) : NULL;
	r->slot = slot;
	r->workers = workers;
	r->gen = m->gen;
	rollout_stage(r);
	return 0;
}

int
rollout_scale(
    struct master *m, const char *pool, int workers, const struct watcher *w)
{
	return rollout_change(m, ROLLOUT_SCALE, pool, -1, workers, w);
}

int
rollout_undrain(struct master *m, struct pool *p, uint32_t slot,
    const struct watcher *w)
{
	return rollout_change(
	    m, ROLLOUT_SCALE, p->name, (int)slot, p->target + 1, w);
}

int
rollout_stop(struct master *m, const char *pool, const struct watcher *w)
{
	return rollout_change(m, ROLLOUT_STOP, pool, -1, 0, w);
}

int
rollout_delete(
    struct master *m, const char *pool, int slot, const struct watcher *w)
{
	const struct pool *p = pools_get(&m->pools, pool, 0);
	int left = slot == -1 || p == NULL ? 0 : p->target - 1;

	return rollout_change(m, ROLLOUT_DELETE, pool, slot, left, w);
}

int
rollout_restart(
    struct master *m, const char *pool, int slot, const struct watcher *w)
{
	return rollout_change(m, ROLLOUT_RESTART, pool, slot, 0, w);
}

int
rollout_take_back(struct master *m, const char *why, const struct watcher *w)
{
	struct rollout *r = m->rollout;

	if (r == NULL || r->kind != ROLLOUT_RELOAD || r->cancelled)
		return -1;
	rollout_watch(r, w);
	if (r->reverting)
		return 0; /* as it is already, for another reason */
	if (r->probing && r->probe.child != NULL) {
		child_kill(r->probe.child, why);
		return 0;
	}
	conf_error(&r->errors, NULL, "%s", why);
	rollout_fail(r);
	return 0;
}

void
rollout_cancel(struct master *m)
{
	struct rollout *r = m->rollout;

	if (r == NULL)
		return;
	r->cancelled = 1;
	conf_error(&r->errors, NULL, "hostd is stopping");
	canary_free(r->canary);
	r->canary = NULL;
	rollout_tell(r, ROLLOUT_REFUSED);
	if (!r->probing)
		rollout_free(r);
	else if (r->probe.child != NULL)
		child_kill(r->probe.child, "hostd is stopping");
}

const struct generation *
rollout_generation(const struct rollout *r)
{
	return r->gen;
}
