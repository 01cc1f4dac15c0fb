/* SPDX-License-Identifier: BSD-2-Clause */
/* What those who wait for a rollout are told. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "master/control.h"
#include "master/notify.h"
#include "master/rollout_state.h"

void
rollout_watch(struct rollout *r, const struct watcher *w)
{
	struct watching *x = xcalloc(1, sizeof(*x));

	x->w = *w;
	TAILQ_INSERT_TAIL(&r->watchers, x, link);
}

void
rollout_unwatch(struct master *m, const void *arg)
{
	struct rollout *r = m->rollout;
	struct watching *x, *next;

	if (r == NULL)
		return;
	for (x = TAILQ_FIRST(&r->watchers); x != NULL; x = next) {
		next = TAILQ_NEXT(x, link);
		if (x->w.arg != arg)
			continue;
		TAILQ_REMOVE(&r->watchers, x, link);
		free(x);
	}
}

/* Telling one may make it go, but not another. */
void
rollout_say(struct rollout *r, const char *step, json_t *more, const char *fmt,
    ...)
{
	struct watching *x, *next;
	char text[512];
	json_t *o;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	o = json_pack("{s:o,s:s}", "progress", control_text(text), "step",
	    step);
	if (more != NULL)
		(void)json_object_update(o, more);
	json_decref(more);
	for (x = TAILQ_FIRST(&r->watchers); x != NULL; x = next) {
		next = TAILQ_NEXT(x, link);
		if (x->w.progress != NULL)
			x->w.progress(x->w.arg, o);
	}
	json_decref(o);
}

/* "web.0: 4711 -> 4720 in 63 ms, 12 connections to hand over (1 of 4)" */
void
rollout_say_slot(struct rollout *r, const struct slot *s)
{
	int pid = s->current != NULL ? (int)s->current->child->pid : 0;
	char before[96] = "new", conns[96] = "", name[96];
	json_t *o;

	(void)snprintf(name, sizeof(name), "%s.%u", s->pool->name, s->index);
	o = json_pack("{s:s,s:i,s:I,s:I,s:i,s:i}", "worker", name, "pid", pid,
	    "generation", (json_int_t)s->gen->n, "ms",
	    (json_int_t)(s->ready_at - s->replace_at), "done", r->done,
	    "total", r->total);
	if (s->before.pid != 0) {
		(void)snprintf(before, sizeof(before), "%d",
		    (int)s->before.pid);
		(void)snprintf(conns, sizeof(conns),
		    ", %llu connections to hand over",
		    (unsigned long long)s->before.connections);
		(void)json_object_set_new(o, "before_pid",
		    json_integer(s->before.pid));
		(void)json_object_set_new(o, "connections",
		    json_integer((json_int_t)s->before.connections));
	}
	rollout_say(r, "slot", o, "%s: %s -> %d in %llu ms%s (%d of %d)", name,
	    before, pid, (unsigned long long)(s->ready_at - s->replace_at),
	    conns, r->done, r->total);
}

void
rollout_slot_waits(struct rollout *r, const struct slot *s, const char *reason)
{
	char name[96];

	(void)snprintf(name, sizeof(name), "%s.%u", s->pool->name, s->index);
	rollout_say(r, "waits",
	    json_pack("{s:s,s:o}", "worker", name, "reason",
		control_text(reason)),
	    "%s waits for %s", name, reason);
}

void
rollout_tell(struct rollout *r, enum rollout_outcome outcome)
{
	struct watching *x;
	struct watcher w;

	if (r->kind != ROLLOUT_START && r->kind != ROLLOUT_SCALE &&
	    !r->m->stopping)
		notify("READY=1\nSTATUS=serving generation %u", r->m->gen->n);
	while ((x = TAILQ_FIRST(&r->watchers)) != NULL) {
		TAILQ_REMOVE(&r->watchers, x, link);
		w = x->w;
		free(x);
		if (w.done != NULL)
			w.done(w.arg, outcome, &r->errors);
	}
}
