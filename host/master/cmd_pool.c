/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools and their workers: scale, restart, stop, start, delete, signal.
 *
 * A request names a "pool", or by "name" a pool or a worker ("web.0", or its
 * pid), or nothing for all pools where that makes sense.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "master/command.h"
#include "master/control.h"
#include "master/rollout.h"

#define WORKERS_MAX 256

struct pick {
	const char *pool;	/* NULL: all */
	struct slot *slot;	/* NULL: all of it */
	struct worker *worker;	/* of the slot; NULL: whoever it is */
};

/* ---- who is meant ---- */

static struct worker *
slot_worker(const struct slot *s, pid_t pid)
{
	struct worker *w;

	if (s->current != NULL && s->current->child->pid == pid)
		return s->current;
	if (s->next != NULL && s->next->child->pid == pid)
		return s->next;
	TAILQ_FOREACH (w, &s->old, link)
		if (w->child->pid == pid)
			return w;
	return NULL;
}

static int
pick_pid(struct master *m, struct pick *k, pid_t pid)
{
	struct pool *p;
	struct slot *s;

	TAILQ_FOREACH (p, &m->pools.list, link)
		TAILQ_FOREACH (s, &p->slots, link) {
			k->worker = slot_worker(s, pid);
			if (k->worker == NULL)
				continue;
			k->slot = s;
			k->pool = p->name;
			return 0;
		}
	return -1;
}

/* Pools' names may have dots in them; slots are numbers. */
static int
pick_name(struct master *m, struct pick *k, const char *name)
{
	const char *dot = strrchr(name, '.');
	struct pool *p;
	int64_t n;

	if (dot == NULL || int_parse(dot + 1, &n) == -1 || n < 0)
		return -1;
	TAILQ_FOREACH (p, &m->pools.list, link) {
		if (strlen(p->name) != (size_t)(dot - name) ||
		    strncmp(p->name, name, (size_t)(dot - name)) != 0)
			continue;
		k->pool = p->name;
		k->slot = n <= UINT32_MAX ? pool_slot(p, (uint32_t)n) : NULL;
		if (k->slot != NULL)
			return 0;
	}
	return -1;
}

static void __attribute__((format(printf, 2, 3)))
pick_refuse(struct control_client *c, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	control_error(c, text);
	control_end(c, 0, NULL);
}

static int
pick_worker(struct control_client *c, const char *name, struct pick *k)
{
	struct master *m = c->control->m;
	int64_t pid;

	if (int_parse(name, &pid) == 0 && pid > 0 && pid < INT32_MAX) {
		if (pick_pid(m, k, (pid_t)pid) == 0)
			return 0;
		pick_refuse(c, "there is no worker of pid %.64s", name);
		return -1;
	}
	if (pick_name(m, k, name) == 0)
		return 0;
	pick_refuse(c, "there is no worker \"%.64s\"; see hostctl list", name);
	return -1;
}

static int
is_pool(const struct master *m, const char *name)
{
	return m->gen != NULL && generation_pool(m->gen, name) != NULL;
}

/* 0, or -1: the client has been told. */
static int
pick(struct control_client *c, const json_t *request, struct pick *k)
{
	const char *pool = json_string_value(json_object_get(request, "pool"));
	const char *name = json_string_value(json_object_get(request, "name"));

	memset(k, 0, sizeof(*k));
	if (name != NULL && is_pool(c->control->m, name))
		pool = name;
	else if (name != NULL && strpbrk(name, ".0123456789") != NULL)
		return pick_worker(c, name, k);
	else if (name != NULL)
		pool = name;
	if (pool != NULL && !is_pool(c->control->m, pool)) {
		pick_refuse(c, "there is no pool \"%.64s\"", pool);
		return -1;
	}
	k->pool = pool;
	return 0;
}

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

	if (pick_pool(c, request, &k) == -1)
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

	if (pick_pool(c, request, &k) == -1)
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

	if (pick_pool(c, request, &k) == -1)
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
	if (kill(w->child->pid, sig) == -1)
		return 0;
	event_worker(m, EVENT_WORKER_SIGNALLED, w->child,
	    "has been sent signal %d (SIG%s) by hostctl", sig,
	    sigabbrev_np(sig));
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
	if (sig < 1 || sig >= NSIG || sigabbrev_np((int)sig) == NULL) {
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
