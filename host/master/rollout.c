/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "master/notify.h"
#include "master/probe.h"
#include "master/rollout.h"
#include "master/store.h"

struct rollout {
	struct master *m;
	enum rollout_kind kind;
	struct generation *gen;
	struct conf_errors errors;
	struct watcher watcher; /* done == NULL: has been told */
	struct probe probe;
	int probing;
	int reverting;
	int cancelled;
	int pending; /* slots that have a next worker */
	int done, total;
	char *pool; /* to be scaled, or restarted; NULL: all */
	int workers;
	int slot; /* the one of it to be restarted or removed; -1: all */
};

static void rollout_roll(struct rollout *);

static void rollout_progress(struct rollout *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static void
rollout_progress(struct rollout *r, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (r->watcher.done != NULL && r->watcher.progress != NULL)
		r->watcher.progress(r->watcher.arg, text);
}

static void
rollout_tell(struct rollout *r)
{
	struct watcher w = r->watcher;

	r->watcher.done = NULL;
	if (r->kind == ROLLOUT_RELOAD)
		notify("READY=1\nSTATUS=serving generation %u", r->m->gen->n);
	if (w.done != NULL)
		w.done(w.arg, &r->errors);
}

static void
rollout_free(struct rollout *r)
{
	struct master *m = r->m;

	if (m->rollout == r)
		m->rollout = NULL;
	conf_errors_free(&r->errors);
	free(r->pool);
	free(r);
	master_prune(m);
}

/* Whoever is told may stop the master, which cancels the rollout it finds. */
static void
rollout_end(struct rollout *r)
{
	r->m->rollout = NULL;
	rollout_tell(r);
	rollout_free(r);
}

static int
rollout_has_errors(const struct rollout *r)
{
	return !TAILQ_EMPTY(&r->errors);
}

/* ---- over all slots ---- */

static void
slots_each(struct rollout *r, void (*fn)(struct rollout *, struct slot *))
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
	s->stale = s->unwanted = 0;
	if (s->next != NULL)
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
static void
pools_forget_empty(struct rollout *r)
{
	struct pool *p, *next;

	for (p = TAILQ_FIRST(&r->m->pools.list); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		pool_forget(p);
	}
}

static const char *
kind_name(const struct rollout *r)
{
	static const char *const names[] = {
	    [ROLLOUT_START] = "start",
	    [ROLLOUT_RELOAD] = "reload",
	    [ROLLOUT_SCALE] = "scale",
	    [ROLLOUT_STOP] = "stop",
	    [ROLLOUT_DELETE] = "delete",
	    [ROLLOUT_RESTART] = "restart",
	};

	return names[r->kind];
}

/* For whoever reads the log: who asked may have been a signal or a script. */
static void
rollout_log_errors(const struct rollout *r)
{
	const char *what = kind_name(r);
	const struct conf_error *e;

	TAILQ_FOREACH (e, &r->errors, entry)
		log_errorx("%s: %s", what, e->text);
	event_add(r->m, r->kind == ROLLOUT_RELOAD ? EVENT_RELOAD_REFUSED
						  : EVENT_POOL_REFUSED,
	    "%s refused; generation %u goes on serving", what, r->m->gen->n);
}

static void
rollout_fail(struct rollout *r)
{
	r->pending = r->done = r->total = 0;
	if (r->m->gen == NULL) {
		rollout_end(r);
		return;
	}
	rollout_log_errors(r);
	slots_each(r, slot_revert);
	pools_forget_empty(r);
	r->reverting = 1;
	r->gen = r->m->gen;
	rollout_tell(r);
	if (r->total > 0)
		event_add(r->m, EVENT_RELOAD_ROLLED_BACK,
		    "going back to generation %u in %d workers", r->gen->n,
		    r->total);
	rollout_roll(r);
}

/* ---- committing ---- */

static void
slot_commit(struct rollout *r, struct slot *s)
{
	s->staged = NULL;
	s->fresh = 0;
	if (s->unwanted)
		slot_retire(s);
	(void)r;
}

static int
rollout_is_for(const struct rollout *r, const char *pool)
{
	return r->pool == NULL || strcmp(r->pool, pool) == 0;
}

/* Is it this pool's number of workers that changes? */
static int
rollout_counts(const struct rollout *r, const struct pool *p)
{
	return r->kind >= ROLLOUT_SCALE && r->kind != ROLLOUT_RESTART &&
	    rollout_is_for(r, p->name);
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
		p->stopped = r->kind == ROLLOUT_STOP;
		p->deleted = r->kind == ROLLOUT_DELETE && p->next_target == 0;
	} else if (r->kind == ROLLOUT_RELOAD) {
		p->deleted = 0;
	}
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
		event_add(m, EVENT_POOL_SCALED,
		    "pool %s is scaled to %d workers", pool, r->workers);
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

static void
rollout_commit(struct rollout *r)
{
	struct master *m = r->m;
	struct pool *p;

	if (r->kind < ROLLOUT_SCALE) {
		m->previous = m->gen;
		m->gen = r->gen;
		atomic_store(&m->board.node->generation, m->gen->n);
		master_committed(m);
	}
	TAILQ_FOREACH (p, &m->pools.list, link)
		pool_commit(r, p);
	slots_each(r, slot_commit);
	pools_forget_empty(r);
	rollout_log_done(r);
	rollout_end(r);
}

/* ---- rolling ---- */

/*
 * Slots that are new come after those that stay: their sockets take connections
 * from then on.  Slots that let go of an address come last, when those that
 * take it up have done so.
 */
static int
slot_rank(const struct slot *s)
{
	if (slot_lets_go(s))
		return 2;
	return s->fresh;
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
 * worker's time; but at the start all at once, as nobody is served anyway.
 */
static void
rollout_roll(struct rollout *r)
{
	struct master *m = r->m;
	struct slot *s;

	while (r->pending == 0 || r->kind == ROLLOUT_START) {
		s = rollout_next(r);
		if (s == NULL)
			break;
		s->stale = 0;
		r->pending++;
		slot_replace(s, r->gen);
		/* A failure to start it has told us already, and may even
		 * have ended the rollout. */
		if (m->rollout != r || rollout_has_errors(r))
			return;
	}
	if (r->pending > 0)
		return;
	if (r->reverting)
		rollout_free(r);
	else
		rollout_commit(r);
}

void
rollout_slot_ready(struct rollout *r, struct slot *s)
{
	if (r->cancelled || s->gen != r->gen)
		return;
	r->pending--;
	r->done++;
	if (!r->reverting)
		rollout_progress(r, "worker %s.%u is ready (%d of %d)",
		    s->pool->name, s->index, r->done, r->total);
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

/* ---- staging ---- */

static int
rollout_target(
    const struct rollout *r, const struct conf_pool *c, const struct pool *p)
{
	if (rollout_counts(r, p))
		return r->workers;
	if (p->stopped)
		return 0;
	if (p->deleted)
		return r->kind == ROLLOUT_RELOAD ? c->workers : 0;
	/* What was scaled by hand stays, until the configured number changes.
	 */
	return c->workers == p->configured ? p->target : c->workers;
}

/* Does it get another worker?  0: the one it has goes on. */
static int
rollout_touches(const struct rollout *r, const struct slot *s)
{
	if (s->fresh || r->kind < ROLLOUT_SCALE)
		return 1;
	return r->kind == ROLLOUT_RESTART && rollout_is_for(r, s->pool->name) &&
	    (r->slot == -1 || r->slot == (int)s->index);
}

static int
rollout_removes(const struct rollout *r, const struct slot *s)
{
	return r->kind == ROLLOUT_DELETE && r->slot == (int)s->index &&
	    rollout_is_for(r, s->pool->name);
}

static void
rollout_stage_slot(struct rollout *r, struct slot *s)
{
	s->unwanted = 0;
	if (!rollout_touches(r, s))
		return;
	s->staged = r->gen;
	s->stale = 1;
	r->total++;
	(void)slot_sockets_open(
	    s, r->gen, r->kind == ROLLOUT_START, &r->errors);
}

/* As many as are wanted: first those there are, then new ones. */
static void
rollout_stage_pool(struct rollout *r, const struct conf_pool *c)
{
	/* One that was deleted is not there until somebody asks for it. */
	int create = r->kind < ROLLOUT_SCALE ||
	    (r->kind == ROLLOUT_SCALE && rollout_is_for(r, c->name));
	struct pool *p = pools_get(&r->m->pools, c->name, create);
	struct slot *s;
	uint32_t i;
	int n;

	if (p == NULL)
		return;
	p->next_configured = c->workers;
	n = p->next_target = rollout_target(r, c, p);
	TAILQ_FOREACH (s, &p->slots, link) {
		if (n == 0 || rollout_has_errors(r))
			return; /* as would the others' */
		if (s->retiring || rollout_removes(r, s))
			continue;
		rollout_stage_slot(r, s);
		n--;
	}
	for (i = 0; n > 0 && !rollout_has_errors(r); i++) {
		if (pool_slot(p, i) != NULL)
			continue;
		s = slot_new(p, i);
		s->fresh = 1;
		rollout_stage_slot(r, s);
		n--;
	}
}

static void
slot_unwant(struct rollout *r, struct slot *s)
{
	s->unwanted = 1;
	(void)r;
}

static void
rollout_stage(struct rollout *r)
{
	const struct conf_pool *c;
	struct pool *p;

	TAILQ_FOREACH (p, &r->m->pools.list, link)
		p->next_target = p->next_configured = 0;
	slots_each(r, slot_unwant);
	TAILQ_FOREACH (c, &r->gen->conf->pools, entry)
		rollout_stage_pool(r, c);
	if (rollout_has_errors(r))
		rollout_fail(r);
	else
		rollout_roll(r);
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
	rollout_progress(r, "configuration and plugins are fine");
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
	rollout_progress(r, "reading %s as generation %u", m->conf_file, n);
	r->gen = generation_build(m->run_dir, m->conf_file, n, &r->errors);
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

static struct rollout *
rollout_new(struct master *m, enum rollout_kind kind, const struct watcher *w)
{
	struct rollout *r;

	if (m->rollout != NULL || m->stopping)
		return NULL;
	r = xcalloc(1, sizeof(*r));
	r->m = m;
	r->kind = kind;
	r->slot = -1;
	r->watcher = *w;
	conf_errors_init(&r->errors);
	m->rollout = r;
	return r;
}

int
rollout_start(struct master *m, const struct watcher *w)
{
	struct rollout *r = rollout_new(m, ROLLOUT_START, w);

	if (r == NULL)
		return -1;
	rollout_build(r);
	return 0;
}

int
rollout_reload(struct master *m, const struct watcher *w)
{
	struct rollout *r = rollout_new(m, ROLLOUT_RELOAD, w);

	if (r == NULL)
		return -1;
	notify_reloading();
	rollout_build(r);
	return 0;
}

/* With the generation that is served. */
static int
rollout_change(struct master *m, enum rollout_kind kind, const char *pool,
    int slot, int workers, const struct watcher *w)
{
	struct rollout *r = rollout_new(m, kind, w);

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

void
rollout_unwatch(struct master *m, const void *arg)
{
	struct rollout *r = m->rollout;

	if (r != NULL && r->watcher.done != NULL && r->watcher.arg == arg)
		r->watcher.done = NULL;
}

void
rollout_cancel(struct master *m)
{
	struct rollout *r = m->rollout;

	if (r == NULL)
		return;
	r->cancelled = 1;
	conf_error(&r->errors, NULL, "hostd is stopping");
	if (r->watcher.done != NULL)
		r->watcher.done(r->watcher.arg, &r->errors);
	r->watcher.done = NULL;
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
