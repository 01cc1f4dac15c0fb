/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools and their workers: scale, restart, stop, start, delete, signal.
 *
 * Who is meant: see pick.h; nothing means all pools where that makes sense.
 */
#include <signal.h>
#include <string.h>

#include "base/signals.h"
#include "master/command.h"
#include "master/control.h"
#include "master/drain.h"
#include "master/pick.h"
#include "master/rollout.h"

#define WORKERS_MAX POOL_PLACES

/* ---- who is meant ---- */

static int
pick_pool(struct control_client *c, const json_t *request, struct pick *k)
{
	if (pick(c, request, k) == -1)
		return -1;
	if (k->pool != NULL)
		return 0;
	pick_refuse(c, "the request names no pool");
	return -1;
}

/* What is done to all of a pool: who names a worker would not want that. */
static int
pick_whole_pool(
    struct control_client *c, const json_t *request, struct pick *k)
{
	if (pick_pool(c, request, k) == -1)
		return -1;
	if (k->slot == NULL)
		return 0;
	pick_refuse(c, "only whole pools are stopped, started and scaled; "
	    "hostctl delete %.64s.%u does without this worker", k->pool,
	    k->slot->index);
	return -1;
}

/* One that drains already is gone soon, whatever is asked for. */
static int
pick_is_current(struct control_client *c, const struct pick *k)
{
	if (k->worker == NULL || k->worker == k->slot->current)
		return 1;
	pick_refuse(c, "worker %.64s is not in service any more",
	    k->worker->child->name);
	return 0;
}

/* ---- numbers of workers ---- */

/* What + and - count from: a stopped pool has what it had. */
static int
pool_wants(const struct master *m, const char *name)
{
	const struct pool *p = NULL, *i;
	const struct conf_pool *c = generation_pool(m->gen, name);

	TAILQ_FOREACH (i, &m->pools.list, link)
		if (strcmp(i->name, name) == 0)
			p = i;
	if (p == NULL || p->deleted)
		return c->workers;
	return p->stopped ? p->before : p->target;
}

static void
command_scale_to(
    struct control_client *c, const struct pick *k, json_int_t workers)
{
	struct watcher w = {command_said, command_ended, c};

	if (workers < 1 || workers > WORKERS_MAX)
		pick_refuse(
		    c, "the number of workers is 1 to %d", WORKERS_MAX);
	else if (rollout_scale(
		     c->control->m, k->pool, (int)workers, &w) == -1)
		command_busy(c);
}

/* "workers" is how many, "more" how many more (or less). */
void
command_scale(struct control_client *c, const json_t *request)
{
	const json_t *n = json_object_get(request, "workers");
	const json_t *more = json_object_get(request, "more");
	struct pick k;

	if (pick_whole_pool(c, request, &k) == -1)
		return;
	if (json_is_integer(more) && json_integer_value(more) > -WORKERS_MAX &&
	    json_integer_value(more) < WORKERS_MAX)
		command_scale_to(c, &k,
		    pool_wants(c->control->m, k.pool) +
			json_integer_value(more));
	else
		command_scale_to(
		    c, &k, json_is_integer(n) ? json_integer_value(n) : 0);
}

static int
pool_is_stopped(const struct master *m, const char *name)
{
	const struct pool *p;

	TAILQ_FOREACH (p, &m->pools.list, link)
		if (strcmp(p->name, name) == 0)
			return p->stopped || p->deleted;
	return 1;
}

void
command_start(struct control_client *c, const json_t *request)
{
	struct master *m = c->control->m;
	struct pick k;

	if (pick_whole_pool(c, request, &k) == -1)
		return;
	if (pool_is_stopped(m, k.pool))
		command_scale_to(c, &k, pool_wants(m, k.pool));
	else
		pick_refuse(c, "pool \"%.64s\" runs already", k.pool);
}

void
command_stop_pool(struct control_client *c, const json_t *request)
{
	struct watcher w = {command_said, command_ended, c};
	struct pick k;

	if (pick_whole_pool(c, request, &k) == -1)
		return;
	if (pool_is_stopped(c->control->m, k.pool))
		pick_refuse(c, "pool \"%.64s\" is stopped already", k.pool);
	else if (rollout_stop(c->control->m, k.pool, &w) == -1)
		command_busy(c);
}

void
command_delete(struct control_client *c, const json_t *request)
{
	struct watcher w = {command_said, command_ended, c};
	struct pick k;

	if (pick_pool(c, request, &k) == -1 || !pick_is_current(c, &k))
		return;
	if (rollout_delete(c->control->m, k.pool,
		k.slot != NULL ? (int)k.slot->index : -1, &w) == -1)
		command_busy(c);
}

/* ---- leaving ---- */

/* One worker's clients go to the others, and its place is free. */
static void
command_drain_worker(struct control_client *c, const struct pick *k)
{
	struct watcher w = {command_said, command_ended, c};
	struct pool *p = k->slot->pool;
	uint32_t index = k->slot->index;

	if (master_busy(c->control->m) != NULL)
		command_busy(c);
	else if (p->target < 2)
		pick_refuse(c, "it is the only worker of pool \"%.64s\"; "
		    "hostctl stop %.64s does without it", k->pool, k->pool);
	else if (rollout_delete(c->control->m, k->pool, (int)index, &w) == -1)
		command_busy(c);
	else
		pool_set_drained(p, index, 1);
}

/* And back. */
static void
command_undrain_worker(struct control_client *c, const char *name)
{
	struct watcher w = {command_said, command_ended, c};
	struct master *m = c->control->m;
	struct pool *p;
	uint32_t i;

	if (pick_place(c, name, &p, &i) == -1)
		return;
	if (master_busy(m) != NULL)
		command_busy(c);
	else if (p->stopped || p->deleted)
		pick_refuse(c, "pool \"%.64s\" is stopped; hostctl start "
		    "%.64s brings it back", p->name, p->name);
	else if (pool_slot(p, i) != NULL || !pool_is_drained(p, i))
		pick_refuse(c, "worker %.64s has not been drained; "
		    "hostctl scale %.64s +1 adds one", name, p->name);
	else if (rollout_undrain(m, p, i, &w) == -1)
		command_busy(c);
}

/* Of the node: "window_ms", else drain_timeout. */
void
command_drain(struct control_client *c, const json_t *request)
{
	const json_t *window = json_object_get(request, "window_ms");
	struct master *m = c->control->m;
	struct pick k;

	if (pick(c, request, &k) == -1 || !pick_is_current(c, &k))
		return;
	if (k.slot != NULL) {
		command_drain_worker(c, &k);
	} else if (k.pool != NULL) {
		pick_refuse(c, "a pool is stopped, with hostctl stop %.64s",
		    k.pool);
	} else if (m->stopping || m->gen == NULL) {
		command_busy(c);
	} else {
		drain_begin(m, json_is_integer(window) &&
			json_integer_value(window) >= 0 &&
			json_integer_value(window) <= UINT32_MAX
		    ? json_integer_value(window)
		    : m->gen->conf->drain_timeout);
		control_end(c, 1, NULL);
	}
}

void
command_undrain(struct control_client *c, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "name"));
	struct master *m = c->control->m;

	if (name != NULL) {
		command_undrain_worker(c, name);
	} else if (m->stopping) {
		command_busy(c);
	} else if (!drain_is_on(m)) {
		pick_refuse(c, "it is ready already");
	} else {
		drain_end(m);
		control_end(c, 1, NULL);
	}
}

/* ---- the same again ---- */

void
command_restart(struct control_client *c, const json_t *request)
{
	struct watcher w = {command_said, command_ended, c};
	struct master *m = c->control->m;
	struct pick k;

	if (pick(c, request, &k) == -1 || !pick_is_current(c, &k))
		return;
	if (k.pool != NULL && k.slot == NULL && pool_is_stopped(m, k.pool))
		command_scale_to(c, &k, pool_wants(m, k.pool));
	else if (rollout_restart(m, k.pool,
		     k.slot != NULL ? (int)k.slot->index : -1, &w) == -1)
		command_busy(c);
}

/* ---- signals ---- */

static int
worker_signal(struct master *m, const struct worker *w, int sig)
{
	char name[SIGNAL_NAME_MAX];

	if (kill(w->child->pid, sig) == -1)
		return 0;
	event_worker(m, EVENT_WORKER_SIGNALLED, w->child,
	    "has been sent signal %d (%s) by hostctl", sig,
	    signal_name(sig, name));
	return 1;
}

/* Children that have not been waited for keep their pid, so it is theirs. */
static int
slot_signal(struct master *m, const struct slot *s, int sig)
{
	const struct worker *w;
	int n = 0;

	if (s->current != NULL)
		n += worker_signal(m, s->current, sig);
	if (s->next != NULL)
		n += worker_signal(m, s->next, sig);
	TAILQ_FOREACH (w, &s->old, link)
		n += worker_signal(m, w, sig);
	return n;
}

static int
pool_signal(struct master *m, const char *pool, int sig)
{
	const struct pool *p;
	const struct slot *s;
	int n = 0;

	TAILQ_FOREACH (p, &m->pools.list, link)
		if (strcmp(p->name, pool) == 0)
			TAILQ_FOREACH (s, &p->slots, link)
				n += slot_signal(m, s, sig);
	return n;
}

void
command_signal(struct control_client *c, const json_t *request)
{
	json_int_t sig = json_integer_value(json_object_get(request, "signal"));
	struct master *m = c->control->m;
	struct pick k;
	int n;

	if (pick_pool(c, request, &k) == -1)
		return;
	if (!signal_is_usable(sig)) {
		pick_refuse(c, "the request names no signal");
		return;
	}
	if (k.worker != NULL)
		n = worker_signal(m, k.worker, (int)sig);
	else if (k.slot != NULL)
		n = slot_signal(m, k.slot, (int)sig);
	else
		n = pool_signal(m, k.pool, (int)sig);
	if (n == 0) {
		pick_refuse(c, "%s has no process now", k.pool);
		return;
	}
	control_end(c, 1, json_pack("{s:i}", "signalled", n));
}
