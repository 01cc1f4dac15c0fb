/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "master/drain.h"
#include "master/master.h"
#include "master/peers.h"
#include "master/rollout.h"
#include "master/slot.h"

#define BACKOFF_FIRST 100
#define BACKOFF_MAX 15000
#define YIELD_MAX 1000	  /* ms to wait for a worker to stop accepting */
#define UP_WELL 1000	  /* ms: a first crash after this is not waited for */

static void slot_spawn(struct slot *);

struct slot *
slot_new(struct pool *p, uint32_t index)
{
	struct slot *s = xcalloc(1, sizeof(*s)), *after;

	s->pool = p;
	s->index = index;
	TAILQ_INIT(&s->old);
	TAILQ_INIT(&s->sockets);
	(void)uv_timer_init(p->all->children->loop, &s->respawn);
	(void)uv_timer_init(p->all->children->loop, &s->yield);
	s->respawn.data = s->yield.data = s;
	succession_init(s, p->all->children->loop);
	s->handles = 3;
	TAILQ_FOREACH (after, &p->slots, link)
		if (after->index > index)
			break;
	if (after != NULL)
		TAILQ_INSERT_BEFORE(after, s, link);
	else
		TAILQ_INSERT_TAIL(&p->slots, s, link);
	return s;
}

static void
slot_closed(uv_handle_t *h)
{
	struct slot *s = h->data;

	if (--s->handles == 0)
		free(s);
}

static void
slot_free(struct slot *s)
{
	struct pool *p = s->pool;

	slot_sockets_close(s);
	TAILQ_REMOVE(&p->slots, s, link);
	uv_close((uv_handle_t *)&s->respawn, slot_closed);
	uv_close((uv_handle_t *)&s->yield, slot_closed);
	succession_close(s, slot_closed);
	pool_forget(p);
}

static int
slot_is_empty(const struct slot *s)
{
	return s->current == NULL && s->next == NULL && TAILQ_EMPTY(&s->old);
}

/* ---- replacing a worker ---- */

static uint64_t
slot_now(const struct slot *s)
{
	return uv_now(s->pool->all->children->loop);
}

static void
slot_make_old(struct slot *s, struct worker *w)
{
	TAILQ_INSERT_TAIL(&s->old, w, link);
}

/* Drain a worker, or stop it when it has nothing to drain. */
static void
slot_dismiss(struct slot *s, struct worker *w, int64_t drain_timeout)
{
	slot_make_old(s, w);
	slots_lend_anew(s->pool, w);
	event_worker(pools_master(s->pool->all), EVENT_WORKER_DRAINING,
	    w->child, w->child->ready ? "drains" : "is stopped");
	if (!w->child->ready) {
		child_stop(w->child);
		return;
	}
	if (s->pool->target == 0)
		child_send(w->child, CHAN_UNFOLLOWED, NULL, 0, -1);
	child_drain(w->child, drain_timeout, s->pool->all->stopping);
}

static void
slot_cancel_respawn(struct slot *s)
{
	(void)uv_timer_stop(&s->respawn);
	s->respawn_at = 0;
}

void
slot_wait_no_more(struct slot *s)
{
	s->yielding = NULL;
	(void)uv_timer_stop(&s->yield);
}

static void
slot_yielded(struct slot *s)
{
	slot_wait_no_more(s);
	s->pool->all->ops->ready(s->pool->all, s);
}

/* It is busy or stuck; nobody waits for it. */
static void
slot_yield_late(uv_timer_t *t)
{
	slot_yielded(t->data);
}

static void
slot_note_before(struct slot *s, const struct worker *w)
{
	const struct child *c = w != NULL ? w->child : NULL;

	s->before.pid = c != NULL && c->ready ? c->pid : 0;
	s->before.connections = c == NULL ? 0 :
	    atomic_load(&c->all->board->cells[c->cell].active);
}

/*
 * Whoever is told that the new worker is ready may rely on it: so not before
 * the one before has stopped accepting from the same sockets.
 */
static void
slot_promote(struct slot *s)
{
	struct worker *before = s->current;

	succession_done(s);
	s->current = s->next;
	s->next = NULL;
	s->gen = s->current->gen;
	slot_forgive(s);
	s->ready_at = slot_now(s);
	slot_note_before(s, before);
	slot_cancel_respawn(s);
	slot_take_back(s);
	slot_sockets_trim(s);
	if (before != NULL)
		slot_dismiss(s, before, s->gen->conf->drain_timeout);
	if (before != NULL && before->child->ready) {
		s->yielding = before;
		(void)uv_timer_start(&s->yield, slot_yield_late, YIELD_MAX, 0);
	} else {
		slot_yielded(s);
	}
}

/* There is somebody who can take what they have. */
static void
slots_tell_old(struct pool *p)
{
	struct worker *w;
	struct slot *s;

	TAILQ_FOREACH (s, &p->slots, link)
		TAILQ_FOREACH (w, &s->old, link)
			if (w->child->ready)
				child_send(
				    w->child, CHAN_FOLLOWED, NULL, 0, -1);
}

/* Whoever waits for it shall know what for. */
static void
worker_waits(const struct worker *w)
{
	struct master *m = pools_master(w->slot->pool->all);

	if (w->child->held[0] == '\0')
		return;
	log_info("worker %s waits for %s", w->child->name, w->child->held);
	if (w == w->slot->next && m->rollout != NULL)
		rollout_slot_waits(m->rollout, w->slot, w->child->held);
}

static void
worker_message(struct child *c, const struct chan_msg *msg)
{
	struct worker *w = c->owner;
	struct slot *s = w->slot;
	struct master *m = pools_master(s->pool->all);

	if (msg->type == CHAN_READY) {
		event_worker(m, EVENT_WORKER_READY, c, "is ready");
		drain_tell(m, c);
		if (w == s->next)
			slot_promote(s);
		else if (w == s->current)
			slot_take_back(s);
		slots_lend_waiting(s->pool);
		slots_tell_old(s->pool);
	} else if (msg->type == CHAN_CLOSED) {
		if (w == s->yielding)
			slot_yielded(s);
	} else if (msg->type == CHAN_HELD) {
		worker_waits(w);
	} else if (msg->type == CHAN_CREATED) {
		succession_created(s, w);
	} else if (msg->type == CHAN_STATE) {
		succession_state(s, w, msg->fds[0]);
	} else if (msg->type == CHAN_SAVED) {
		succession_saved(s, w);
	} else if (msg->type == CHAN_REPORT) {
		log_errorx("worker %s: %s", c->name, msg->data);
		child_blame(c, msg->data);
	}
}

/* ---- a worker's end ---- */

static void
slot_respawn_due(uv_timer_t *t)
{
	struct slot *s = t->data;

	s->respawn_at = 0;
	slot_spawn(s);
}

void
slot_forgive(struct slot *s)
{
	s->backoff = 0;
	s->crashes = 0;
	s->errored = 0;
	s->cause[0] = '\0';
}

/* How long to wait before the next try, and after that. */
static uint64_t
slot_next_delay(struct slot *s, uint64_t up)
{
	uint64_t delay;

	if (s->backoff == 0 && up >= UP_WELL) {
		s->backoff = BACKOFF_FIRST;
		return 0;
	}
	delay = s->backoff > 0 ? s->backoff : BACKOFF_FIRST;
	s->backoff = delay * 2 < BACKOFF_MAX ? delay * 2 : BACKOFF_MAX;
	return delay;
}

/* It has been tried often enough to see that trying does not help; but what
 * does may come from elsewhere, so it never ends. */
static void
slot_check_errored(struct slot *s, const struct conf_pool *conf)
{
	char name[96];

	s->crashes++;
	if (s->errored || conf->max_restarts == 0 ||
	    s->crashes <= conf->max_restarts)
		return;
	s->errored = 1;
	(void)snprintf(name, sizeof(name), "%s.%u", s->pool->name, s->index);
	event_add(pools_master(s->pool->all), EVENT_WORKER_GIVEN_UP,
	    "worker %s of generation %u has died %d times without staying up "
	    "for %lld ms (max_restarts, min_uptime): errored, tried again "
	    "every %d s only; the last time: %s", name, s->gen->n, s->crashes,
	    (long long)conf->min_uptime, BACKOFF_MAX / 1000, s->cause);
}

/* Whoever has killed it from outside has not shown that it is bad. */
static int
slot_was_killed(const struct child *c)
{
	return c->ready && c->killed;
}

/* After c has died, or, if it is NULL, could not be started. */
static uint64_t
slot_pause(struct slot *s, const struct child *c, const char *cause)
{
	const struct conf_pool *conf = generation_pool(s->gen, s->pool->name);
	uint64_t up = c != NULL ? slot_now(s) - c->started : 0, delay;

	if (conf != NULL && up >= (uint64_t)conf->min_uptime)
		slot_forgive(s);
	(void)snprintf(s->cause, sizeof(s->cause), "%s", cause);
	if (c != NULL && slot_was_killed(c))
		return up >= UP_WELL ? 0 : BACKOFF_FIRST;
	delay = slot_next_delay(s, up);
	if (conf != NULL)
		slot_check_errored(s, conf);
	return s->errored ? BACKOFF_MAX : delay;
}

void
slot_respawn_in(struct slot *s, uint64_t delay)
{
	s->respawn_at = slot_now(s) + delay;
	(void)uv_timer_start(&s->respawn, slot_respawn_due, delay, 0);
}

/* Those who connect need not. */
static void
slot_wait(struct slot *s, uint64_t delay)
{
	slot_respawn_in(s, delay);
	if (delay > 0 && s->borrower == NULL)
		slot_lend(s);
}

static void
slot_crashed(struct slot *s, const struct child *c, const char *cause)
{
	uint64_t delay = slot_pause(s, c, cause);

	s->restarts++;
	board_restarted(&pools_master(s->pool->all)->board, s->pool->name);
	event_worker(pools_master(s->pool->all), EVENT_WORKER_DIED, c,
	    "died: %s; restarting in %llu ms", cause,
	    (unsigned long long)delay);
	slot_wait(s, delay);
}

static void
slot_forget(struct slot *s, struct worker *w)
{
	succession_forget(s, w);
	if (w == s->current)
		s->current = NULL;
	else if (w == s->next)
		s->next = NULL;
	else
		TAILQ_REMOVE(&s->old, w, link);
	slots_lend_anew(s->pool, w);
	w->gen->users--;
	free(w);
}

static void
worker_exited(struct child *c, const char *cause)
{
	struct worker *w = c->owner;
	struct slot *s = w->slot;
	struct pools *all = s->pool->all;
	int was_current = w == s->current, was_next = w == s->next;
	int was_yielding = w == s->yielding, is_crash;

	slot_forget(s, w);
	is_crash = was_current && !all->stopping && !s->retiring;
	if (is_crash)
		slot_crashed(s, c, cause);
	else if (!was_next)
		event_worker(pools_master(all), EVENT_WORKER_ENDED, c,
		    "has ended: %s", cause);
	/* The first two may retire the slot, and that frees it if it can. */
	if (was_next)
		all->ops->failed(all, s, cause);
	else if (is_crash && !slot_was_killed(c))
		all->ops->crashed(all, s, cause);
	else if (was_yielding)
		slot_yielded(s);
	else if (s->retiring && slot_is_empty(s))
		slot_free(s);
	all->ops->ended(all);
}

static void
worker_silent(struct child *c, int is)
{
	struct worker *w = c->owner;
	struct slot *s = w->slot;

	if (is)
		slots_lend_anew(s->pool, w);
	if (is && w == s->current && s->borrower == NULL)
		slot_lend(s);
	else if (!is && w == s->current && s->respawn_at == 0)
		slot_take_back(s);
	if (!is)
		slots_lend_waiting(s->pool);
}

static const struct child_ops worker_ops = {
    .message = worker_message,
    .exited = worker_exited,
    .silent = worker_silent};

struct worker *
slot_adopt(struct slot *s, struct generation *gen, struct child *c)
{
	struct worker *w;

	if (c == NULL)
		return NULL;
	w = xcalloc(1, sizeof(*w));
	w->slot = s;
	w->gen = gen;
	w->child = c;
	c->ops = &worker_ops;
	c->owner = w;
	gen->users++;
	return w;
}

int
pools_settled(const struct pools *all)
{
	const struct pool *p;
	const struct slot *s;

	TAILQ_FOREACH(p, &all->list, link)
		TAILQ_FOREACH(s, &p->slots, link)
			if (s->next != NULL || s->yielding != NULL)
				return 0;
	return 1;
}

/* ---- a worker's start ---- */

static void
worker_send_logs(const struct worker *w)
{
	struct chan_log l = {0};
	size_t i;

	for (i = 0; i < w->gen->logs.n; i++) {
		l.index = (uint32_t)i;
		if (w->gen->logs.fds[i] != -1)
			child_send(w->child, CHAN_LOG, &l, sizeof(l),
			    w->gen->logs.fds[i]);
	}
}

static struct worker *
worker_new(struct slot *s, struct generation *gen, char *why, size_t size)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	struct child_opts o = {
	    .role = CHAN_ROLE_WORKER,
	    .pool = s->pool->name,
	    .slot = s->index,
	    .generation = gen->n,
	    .restarts = s->restarts,
	    .snapshot = gen->snapshot_path,
	    .ready_timeout = gen->conf->ready_timeout,
	    .conf = gen->conf,
	    .given = generation_pool(gen, s->pool->name),
	};

	w->slot = s;
	w->gen = gen;
	w->child =
	    child_spawn(s->pool->all->children, &o, &worker_ops, w, why, size);
	if (w->child == NULL) {
		free(w);
		return NULL;
	}
	gen->users++;
	event_worker(pools_master(s->pool->all), EVENT_WORKER_STARTED, w->child,
	    "has been started");
	if (slot_sockets_pass(s, w, why, size) == -1)
		child_kill(w->child, why);
	worker_send_logs(w);
	peers_connect(w->child);
	child_send(w->child, CHAN_START, NULL, 0, -1);
	return w;
}

/* After a crash: the same again. */
static void
slot_spawn(struct slot *s)
{
	uint64_t delay;
	char why[512];

	s->current = worker_new(s, s->gen, why, sizeof(why));
	if (s->current != NULL)
		return;
	delay = slot_pause(s, NULL, why);
	event_add(pools_master(s->pool->all), EVENT_WORKER_FAILED,
	    "worker %s.%u can't be started: %s; next try in %llu ms",
	    s->pool->name, s->index, why, (unsigned long long)delay);
	slot_wait(s, delay);
}

void
slot_replace(struct slot *s, struct generation *gen)
{
	struct pools *all = s->pool->all;
	char why[512];

	slot_wait_no_more(s);
	slot_abandon(s);
	s->replace_at = slot_now(s);
	s->next = worker_new(s, gen, why, sizeof(why));
	if (s->next == NULL)
		all->ops->failed(all, s, why);
}

void
slot_abandon(struct slot *s)
{
	struct worker *w = s->next;

	if (w == NULL)
		return;
	succession_forget(s, w);
	s->next = NULL;
	slot_make_old(s, w);
	child_kill(w->child, "given up");
}

void
slot_retire(struct slot *s)
{
	struct worker *w = s->current, *o;

	s->retiring = 1;
	slot_wait_no_more(s);
	slot_cancel_respawn(s);
	slot_take_back(s);
	if (!s->pool->all->stopping)
		slot_sockets_bequeath(s);
	slot_sockets_trim(s);
	slot_abandon(s);
	if (s->pool->all->stopping)
		TAILQ_FOREACH (o, &s->old, link)
			child_drain(o->child, 0, 1);
	if (w != NULL) {
		s->current = NULL;
		slot_dismiss(s, w, w->gen->conf->drain_timeout);
	}
	if (slot_is_empty(s))
		slot_free(s);
}

void
slot_stop(struct slot *s)
{
	struct worker *w;

	slot_cancel_respawn(s);
	if (s->current != NULL)
		child_stop(s->current->child);
	if (s->next != NULL)
		child_stop(s->next->child);
	TAILQ_FOREACH (w, &s->old, link)
		child_stop(w->child);
}

static void
worker_reopen(const struct worker *w)
{
	const struct children *all = w->child->all;

	log_tell(w->child, all->error_log_is, all->error_log);
	worker_send_logs(w);
}

void
slot_send_logs(struct slot *s)
{
	struct worker *w;

	if (s->current != NULL)
		worker_reopen(s->current);
	if (s->next != NULL)
		worker_reopen(s->next);
	TAILQ_FOREACH (w, &s->old, link)
		worker_reopen(w);
}
