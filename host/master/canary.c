/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "master/canary.h"
#include "master/judge.h"
#include "master/slot.h"

#define LOOKS_MIN 250 /* ms between two looks */
#define TELLS_MIN 1000

/* One worker: what it had done when the watch began. */
struct canary_worker {
	const struct pool *pool;
	int cell;
	uint32_t pid;
	int fresh;
	struct judge_figures then;
};

/* What a pool's only worker had done when its place was taken. */
struct canary_past {
	const struct pool *pool;
	struct judge_figures all;
};

struct canary {
	struct canary_opts opts;
	const struct board *board;
	const struct pools *pools;
	const struct canary_ops *ops;	/* NULL: not watching yet */
	void *arg;
	uv_timer_t timer;
	uint64_t began, told;
	struct canary_worker *workers;
	size_t nworkers;
	struct canary_past *pasts;
	size_t npasts;
};

static void
figures_of(const struct board_cell *cell, struct judge_figures *f)
{
	f->requests = atomic_load(&cell->counters.requests);
	f->errors = atomic_load(&cell->counters.status[5]);
	f->callbacks = atomic_load(&cell->counters.callbacks);
	f->callback_ms = atomic_load(&cell->counters.callback_ms);
}

static void
figures_add(struct judge_figures *sum, const struct judge_figures *f)
{
	sum->requests += f->requests;
	sum->errors += f->errors;
	sum->callbacks += f->callbacks;
	sum->callback_ms += f->callback_ms;
}

static void
figures_subtract(struct judge_figures *f, const struct judge_figures *then)
{
	f->requests -= then->requests;
	f->errors -= then->errors;
	f->callbacks -= then->callbacks;
	f->callback_ms -= then->callback_ms;
}

/* ---- its life ---- */

struct canary *
canary_new(uv_loop_t *loop, const struct board *board,
    const struct canary_opts *opts)
{
	struct canary *c = xcalloc(1, sizeof(*c));

	c->opts = *opts;
	c->board = board;
	(void)uv_timer_init(loop, &c->timer);
	c->timer.data = c;
	return c;
}

static void
canary_closed(uv_handle_t *h)
{
	struct canary *c = h->data;

	free(c->workers);
	free(c->pasts);
	free(c);
}

void
canary_free(struct canary *c)
{
	if (c != NULL)
		uv_close((uv_handle_t *)&c->timer, canary_closed);
}

int
canary_is_watching(const struct canary *c)
{
	return c->ops != NULL;
}

/* ---- choosing ---- */

static int
slot_can_be_canary(const struct slot *s)
{
	return s->stale && !s->fresh && !s->retiring && s->current != NULL &&
	    s->current->child->ready && !slot_lets_go(s);
}

static void
canary_remember(struct canary *c, const struct pool *p, const struct slot *s)
{
	struct canary_past *past;

	c->pasts = xrealloc(c->pasts, (c->npasts + 1) * sizeof(*c->pasts));
	past = &c->pasts[c->npasts++];
	past->pool = p;
	figures_of(&c->board->cells[s->current->child->cell], &past->all);
}

static int
canary_choose_of(struct canary *c, struct pool *p)
{
	struct slot *s;
	int can = 0, n = 0;

	TAILQ_FOREACH (s, &p->slots, link)
		can += slot_can_be_canary(s);
	TAILQ_FOREACH (s, &p->slots, link) {
		if (!slot_can_be_canary(s) || n == c->opts.workers)
			continue;
		if (n > 0 && n == can - 1)
			break;
		s->canary = 1;
		n++;
		if (can == 1)
			canary_remember(c, p, s);
	}
	return n;
}

int
canary_choose(struct canary *c, struct pools *pools)
{
	struct pool *p;
	int n = 0;

	c->pools = pools;
	TAILQ_FOREACH (p, &pools->list, link)
		n += canary_choose_of(c, p);
	return n;
}

/* ---- comparing ---- */

static void
canary_note(struct canary *c, const struct slot *s)
{
	struct canary_worker *w;

	if (s->current == NULL || !s->current->child->ready)
		return;
	c->workers =
	    xrealloc(c->workers, (c->nworkers + 1) * sizeof(*c->workers));
	w = &c->workers[c->nworkers++];
	w->pool = s->pool;
	w->cell = s->current->child->cell;
	w->pid = (uint32_t)s->current->child->pid;
	w->fresh = s->canary;
	figures_of(&c->board->cells[w->cell], &w->then);
}

/* Since the watch began; of one that has ended since, nothing is known. */
static void
canary_sum(const struct canary *c, const struct pool *p, int fresh,
    struct judge_figures *sum)
{
	const struct canary_worker *w;
	const struct board_cell *cell;
	struct judge_figures now;
	size_t i;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < c->nworkers; i++) {
		w = &c->workers[i];
		cell = &c->board->cells[w->cell];
		if (w->pool != p || w->fresh != fresh || cell->pid != w->pid)
			continue;
		figures_of(cell, &now);
		figures_subtract(&now, &w->then);
		figures_add(sum, &now);
	}
	for (i = 0; i < c->npasts && !fresh; i++)
		if (c->pasts[i].pool == p)
			figures_add(sum, &c->pasts[i].all);
}

static json_t *
figures_json(const struct judge_figures *f)
{
	return json_pack("{s:I,s:I,s:I,s:I}", "requests",
	    (json_int_t)f->requests, "errors", (json_int_t)f->errors,
	    "callbacks", (json_int_t)f->callbacks, "callback_ms",
	    (json_int_t)f->callback_ms);
}

static json_t *
canary_json(const struct pool *p, const struct judge_figures *fresh,
    const struct judge_figures *old)
{
	return json_pack("{s:s,s:o,s:o}", "pool", p->name, "canary",
	    figures_json(fresh), "others", figures_json(old));
}

static int
pool_has_canary(const struct pool *p)
{
	const struct slot *s;

	TAILQ_FOREACH (s, &p->slots, link)
		if (s->canary)
			return 1;
	return 0;
}

/* Whoever is told frees it. */
static void
canary_end(struct canary *c, const char *worse)
{
	const struct canary_ops *ops = c->ops;
	void *arg = c->arg;

	(void)uv_timer_stop(&c->timer);
	canary_free(c);
	ops->judged(arg, worse);
}

/* Is a pool worse?  why then names it.  last: the time is over. */
static int
canary_compare(struct canary *c, int last, int tell, char *why, size_t size)
{
	struct judge_figures fresh, old;
	const struct pool *p;
	char text[320], line[480];
	int worse;

	TAILQ_FOREACH (p, &c->pools->list, link) {
		if (!pool_has_canary(p))
			continue;
		canary_sum(c, p, 1, &fresh);
		canary_sum(c, p, 0, &old);
		worse = judge(&fresh, &old, c->opts.factor, text,
		    sizeof(text)) == JUDGE_WORSE;
		if (worse && (last ||
		    judge_hopeless(&fresh, &old, c->opts.factor))) {
			(void)snprintf(why, size, "pool %s: %s", p->name, text);
			return 1;
		}
		(void)snprintf(line, sizeof(line), "canary of pool %s%s: %s",
		    p->name, last ? "" : " so far", text);
		if (last || tell)
			c->ops->said(c->arg, canary_json(p, &fresh, &old),
			    line);
	}
	return 0;
}

static void
canary_look(uv_timer_t *t)
{
	struct canary *c = t->data;
	uint64_t now = uv_now(t->loop), each = (uint64_t)c->opts.ms / 5;
	int last = now - c->began >= (uint64_t)c->opts.ms, tell;
	char why[480];

	tell = now - c->told >= (each > TELLS_MIN ? each : TELLS_MIN);
	if (tell)
		c->told = now;
	if (canary_compare(c, last, tell, why, sizeof(why)))
		canary_end(c, why);
	else if (last)
		canary_end(c, NULL);
}

void
canary_watch(struct canary *c, const struct canary_ops *ops, void *arg)
{
	uint64_t each = LOOKS_MIN;
	const struct pool *p;
	const struct slot *s;
	char text[160];

	c->ops = ops;
	c->arg = arg;
	c->began = c->told = uv_now(c->timer.loop);
	TAILQ_FOREACH (p, &c->pools->list, link)
		TAILQ_FOREACH (s, &p->slots, link)
			canary_note(c, s);
	if ((uint64_t)c->opts.ms < each)
		each = (uint64_t)c->opts.ms;
	(void)snprintf(text, sizeof(text), "canary: comparing for %lld ms",
	    (long long)c->opts.ms);
	(void)uv_timer_start(&c->timer, canary_look, each, each);
	ops->said(arg, json_pack("{s:I}", "ms", (json_int_t)c->opts.ms), text);
}
