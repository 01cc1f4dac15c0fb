/* SPDX-License-Identifier: BSD-2-Clause */
/* Pools, slots, their workers and sockets, for a master's successor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "master/generations.h"
#include "master/master.h"

/* ---- saving ---- */

/* Listeners are shared by slots, so each is saved once and named by number. */
struct saving {
	struct record *r;
	json_t *listeners;
	const struct listener **seen;
	size_t n;
};

static json_t *
listener_save(const struct listener *l, struct record *r)
{
	return json_pack("{s:o,s:o,s:b,s:b,s:I,s:I}", "socket",
	    record_fd(r, l->fd), "address",
	    record_bytes(&l->addr.ss, l->addr.len),
	    "listening", l->listening, "shared", l->shared, "device",
	    (json_int_t)l->dev, "inode", (json_int_t)l->ino);
}

static json_t *
listener_number(struct saving *s, const struct listener *l)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->seen[i] == l)
			return json_integer((json_int_t)i);
	s->seen = xrealloc(s->seen, (s->n + 1) * sizeof(*s->seen));
	s->seen[s->n] = l;
	(void)json_array_append_new(s->listeners, listener_save(l, s->r));
	return json_integer((json_int_t)s->n++);
}

static void
worker_save(json_t *list, const struct worker *w, const char *as,
    struct saving *saving)
{
	(void)json_array_append_new(list,
	    json_pack("{s:s,s:I,s:o}", "as", as, "generation",
		(json_int_t)w->gen->n, "process",
		child_save(w->child, saving->r)));
}

static json_t *
workers_save(const struct slot *s, struct saving *saving)
{
	json_t *list = json_array();
	const struct worker *w;

	if (s->current != NULL)
		worker_save(list, s->current, "current", saving);
	TAILQ_FOREACH(w, &s->old, link)
		worker_save(list, w, "old", saving);
	return list;
}

static json_t *
sockets_save(const struct slot *s, struct saving *saving)
{
	json_t *list = json_array();
	const struct slot_socket *k;

	TAILQ_FOREACH(k, &s->sockets, link)
		(void)json_array_append_new(list,
		    json_pack("{s:o,s:I}", "listener",
			listener_number(saving, k->listener), "origin",
			(json_int_t)k->origin));
	return list;
}

static json_int_t
respawn_ms(const struct slot *s)
{
	if (s->respawn_at == 0)
		return -1;
	return (json_int_t)uv_timer_get_due_in(&s->respawn);
}

static uint64_t
pools_now(const struct pools *all)
{
	return uv_now(all->children->loop);
}

/* What its workers have died of, and whether they grow too big. */
static json_t *
slot_history_save(const struct slot *s)
{
	uint64_t now = pools_now(s->pool->all);
	uint64_t wait = s->memory_next > now ? s->memory_next - now : 0;

	return json_pack("{s:I,s:I,s:i,s:b,s:o,s:I,s:I}", "restarts",
	    (json_int_t)s->restarts, "backoff_ms", (json_int_t)s->backoff,
	    "crashes", s->crashes, "errored", s->errored, "cause",
	    record_bytes(s->cause, strlen(s->cause)), "memory_in_ms",
	    (json_int_t)wait, "memory_wait_ms", (json_int_t)s->memory_wait);
}

static json_t *
slot_save(const struct slot *s, struct saving *saving)
{
	return json_pack("{s:I,s:I,s:o,s:I,s:b,s:i,s:o,s:o}", "index",
	    (json_int_t)s->index, "generation",
	    (json_int_t)(s->gen != NULL ? s->gen->n : 0), "history",
	    slot_history_save(s), "respawn_ms", respawn_ms(s), "retiring",
	    s->retiring, "borrower",
	    s->borrower != NULL ? (int)s->borrower->child->pid : 0, "workers",
	    workers_save(s, saving), "sockets", sockets_save(s, saving));
}

static json_t *
drained_save(const struct pool *p)
{
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < POOL_PLACES; i++)
		if (pool_is_drained(p, i))
			(void)json_array_append_new(list, json_integer(i));
	return list;
}

static json_t *
pool_save(const struct pool *p, struct saving *saving)
{
	json_t *slots = json_array();
	const struct slot *s;

	TAILQ_FOREACH(s, &p->slots, link)
		(void)json_array_append_new(slots, slot_save(s, saving));
	return json_pack("{s:s,s:i,s:i,s:i,s:b,s:b,s:I,s:I,s:i,s:o,s:o}",
	    "name", p->name, "configured", p->configured, "target", p->target,
	    "before", p->before, "stopped", p->stopped, "deleted", p->deleted,
	    "restart_due", (json_int_t)p->due, "restart_due_in",
	    (json_int_t)p->due_in, "crashes", p->crashes, "drained",
	    drained_save(p), "slots", slots);
}

json_t *
pools_save(const struct pools *all, struct record *r)
{
	struct saving saving = {.r = r, .listeners = json_array()};
	json_t *list = json_array();
	const struct pool *p;

	TAILQ_FOREACH(p, &all->list, link)
		(void)json_array_append_new(list, pool_save(p, &saving));
	free(saving.seen);
	return json_pack(
	    "{s:o,s:o}", "listeners", saving.listeners, "pools", list);
}

/* ---- restoring ---- */

struct restoring {
	struct pools *all;
	struct record *r;
	const struct master *m;
	struct listener **listeners;
	size_t n;
	char *why;
	size_t size;
};

static struct listener *
listener_restore(const json_t *j, struct record *r)
{
	struct listener *l = xcalloc(1, sizeof(*l));
	struct buf addr = {0};

	l->fd = record_take_fd(r, j, "socket");
	record_get_bytes(j, "address", &addr);
	if (l->fd == -1 || addr.len == 0 || addr.len > sizeof(l->addr.ss)) {
		buf_free(&addr);
		free(l);
		return NULL;
	}
	memcpy(&l->addr.ss, addr.p, addr.len);
	l->addr.len = (socklen_t)addr.len;
	buf_free(&addr);
	l->listening = record_flag(j, "listening");
	l->shared = record_flag(j, "shared");
	l->dev = (dev_t)record_int(j, "device", 0);
	l->ino = (ino_t)record_int(j, "inode", 0);
	return l;
}

static int
listeners_restore(struct restoring *t, const json_t *list)
{
	size_t i, n = json_array_size(list);

	t->listeners = xcalloc(n + 1, sizeof(*t->listeners));
	for (i = 0; i < n; i++) {
		t->listeners[i] =
		    listener_restore(json_array_get(list, i), t->r);
		if (t->listeners[i] == NULL) {
			(void)snprintf(t->why, t->size,
			    "listening socket %zu is missing", i);
			return -1;
		}
		t->n++;
	}
	return 0;
}

static int
sockets_restore(struct slot *s, const json_t *list, struct restoring *t)
{
	struct slot_socket *k;
	const json_t *j;
	int64_t n;
	size_t i;

	json_array_foreach(list, i, j) {
		n = record_int(j, "listener", -1);
		if (n < 0 || (size_t)n >= t->n) {
			(void)snprintf(t->why, t->size,
			    "worker %s.%u has a socket that is not there",
			    s->pool->name, s->index);
			return -1;
		}
		k = xcalloc(1, sizeof(*k));
		k->listener = listener_ref(t->listeners[n]);
		k->origin = (uint32_t)record_int(j, "origin", s->index);
		TAILQ_INSERT_TAIL(&s->sockets, k, link);
	}
	return 0;
}

/* Whoever is not known to be current drains already, or has to. */
static int
worker_restore(struct slot *s, const json_t *j, struct restoring *t)
{
	struct child_opts o = {
	    .role = CHAN_ROLE_WORKER,
	    .pool = s->pool->name,
	    .slot = s->index,
	    .generation = (uint32_t)record_int(j, "generation", 0),
	    .restarts = s->restarts,
	};
	struct generation *g = generations_find(t->m, o.generation);
	struct worker *w = NULL;

	if (g != NULL) {
		o.conf = g->conf;
		o.given = generation_pool(g, s->pool->name);
		w = slot_adopt(s, g, child_restore(t->all->children, &o,
		    json_object_get(j, "process"), t->r));
	}
	if (w == NULL) {
		(void)snprintf(t->why, t->size,
		    "a worker of %s.%u, of generation %u, is not to be found",
		    s->pool->name, s->index, o.generation);
		return -1;
	}
	if (s->current == NULL &&
	    strcmp(record_text(j, "as", "old"), "current") == 0)
		s->current = w;
	else
		TAILQ_INSERT_TAIL(&s->old, w, link);
	return 0;
}

static void
slot_history_restore(struct slot *s, const json_t *j)
{
	char *cause = record_get_text(j, "cause");
	int64_t wait = record_int(j, "memory_in_ms", 0);

	s->restarts = (uint32_t)record_int(j, "restarts", 0);
	s->backoff = (uint64_t)record_int(j, "backoff_ms", 0);
	s->crashes = (int)record_int(j, "crashes", 0);
	s->errored = record_flag(j, "errored");
	if (cause != NULL)
		(void)snprintf(s->cause, sizeof(s->cause), "%s", cause);
	free(cause);
	s->memory_wait = (uint64_t)record_int(j, "memory_wait_ms", 0);
	s->memory_next = pools_now(s->pool->all) + (uint64_t)wait;
}

static int
slot_restore(struct pool *p, const json_t *j, struct restoring *t)
{
	struct slot *s = slot_new(p, (uint32_t)record_int(j, "index", 0));
	const json_t *w;
	size_t i;

	s->gen = generations_find(
	    t->m, (uint32_t)record_int(j, "generation", 0));
	slot_history_restore(s, json_object_get(j, "history"));
	s->retiring = record_flag(j, "retiring");
	if (sockets_restore(s, json_object_get(j, "sockets"), t) == -1)
		return -1;
	json_array_foreach(json_object_get(j, "workers"), i, w)
		if (worker_restore(s, w, t) == -1)
			return -1;
	if (s->gen == NULL && !s->retiring) {
		(void)snprintf(t->why, t->size, "worker %s.%u is of no "
		    "generation that there is", p->name, s->index);
		return -1;
	}
	if (record_int(j, "respawn_ms", -1) >= 0)
		slot_respawn_in(s, (uint64_t)record_int(j, "respawn_ms", 0));
	return 0;
}

/* Only when all of the pool's workers are known. */
static void
borrowers_restore(struct pool *p, const json_t *slots)
{
	struct slot *s = TAILQ_FIRST(&p->slots), *o;
	const json_t *j;
	size_t i;
	pid_t pid;

	json_array_foreach(slots, i, j) {
		pid = (pid_t)record_int(j, "borrower", 0);
		TAILQ_FOREACH (o, &p->slots, link)
			if (pid != 0 && o->current != NULL &&
			    o->current->child->pid == pid)
				s->borrower = o->current;
		s = TAILQ_NEXT(s, link);
	}
}

static int
pool_restore(const json_t *j, struct restoring *t)
{
	const json_t *slots = json_object_get(j, "slots"), *s, *n;
	const char *name = record_text(j, "name", "");
	struct pool *p = pools_get(t->all, name, 1);
	size_t i;

	p->configured = (int)record_int(j, "configured", 0);
	p->target = (int)record_int(j, "target", p->configured);
	p->before = (int)record_int(j, "before", p->configured);
	p->stopped = record_flag(j, "stopped");
	p->deleted = record_flag(j, "deleted");
	p->due = (time_t)record_int(j, "restart_due", -1);
	p->due_in = (uint32_t)record_int(j, "restart_due_in", 0);
	p->crashes = (int)record_int(j, "crashes", 0);
	json_array_foreach(json_object_get(j, "drained"), i, n)
		pool_set_drained(p, (uint32_t)json_integer_value(n), 1);
	json_array_foreach(slots, i, s)
		if (slot_restore(p, s, t) == -1)
			return -1;
	borrowers_restore(p, slots);
	return 0;
}

int
pools_restore(struct pools *all, const json_t *j, struct record *r, char *why,
    size_t size)
{
	struct restoring t = {.all = all, .r = r, .m = pools_master(all),
	    .why = why, .size = size};
	const json_t *p;
	size_t i;
	int rc;

	rc = listeners_restore(&t, json_object_get(j, "listeners"));
	json_array_foreach(json_object_get(j, "pools"), i, p)
		if (rc == 0)
			rc = pool_restore(p, &t);
	free(t.listeners);
	return rc;
}
