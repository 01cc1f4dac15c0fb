/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "master/control.h"
#include "master/events.h"
#include "master/record.h"

static const struct {
	const char *name;
	enum log_level level;
} kinds[EVENT_KINDS] = {
	[EVENT_NODE_STARTED] = { "node.started", LOG_LVL_INFO },
	[EVENT_NODE_STOPPING] = { "node.stopping", LOG_LVL_INFO },
	[EVENT_NODE_DRAINING] = { "node.draining", LOG_LVL_INFO },
	[EVENT_NODE_RESUMED] = { "node.resumed", LOG_LVL_INFO },
	[EVENT_NODE_UPGRADED] = { "node.upgraded", LOG_LVL_INFO },
	/* It says so itself when it has something to say. */
	[EVENT_NODE_SHEDDING] = { "node.shedding", LOG_LVL_WARN },
	[EVENT_WORKER_STARTED] = { "worker.started", LOG_LVL_DEBUG },
	[EVENT_WORKER_READY] = { "worker.ready", LOG_LVL_INFO },
	[EVENT_WORKER_FAILED] = { "worker.failed", LOG_LVL_ERROR },
	[EVENT_WORKER_DRAINING] = { "worker.draining", LOG_LVL_DEBUG },
	[EVENT_WORKER_ENDED] = { "worker.ended", LOG_LVL_INFO },
	[EVENT_WORKER_DIED] = { "worker.died", LOG_LVL_ERROR },
	[EVENT_WORKER_STUCK] = { "worker.stuck", LOG_LVL_WARN },
	[EVENT_WORKER_KILLED] = { "worker.killed", LOG_LVL_WARN },
	[EVENT_WORKER_MEMORY] = { "worker.memory", LOG_LVL_WARN },
	[EVENT_WORKER_RESTART] = { "worker.restart", LOG_LVL_INFO },
	[EVENT_WORKER_GIVEN_UP] = { "worker.given-up", LOG_LVL_ERROR },
	[EVENT_WORKER_SIGNALLED] = { "worker.signalled", LOG_LVL_INFO },
	[EVENT_POOL_SCALED] = { "pool.scaled", LOG_LVL_INFO },
	[EVENT_POOL_STOPPED] = { "pool.stopped", LOG_LVL_INFO },
	[EVENT_POOL_STARTED] = { "pool.started", LOG_LVL_INFO },
	[EVENT_POOL_RESTARTED] = { "pool.restarted", LOG_LVL_INFO },
	[EVENT_POOL_DELETED] = { "pool.deleted", LOG_LVL_INFO },
	[EVENT_POOL_REFUSED] = { "pool.refused", LOG_LVL_ERROR },
	[EVENT_RELOAD_BEGUN] = { "reload.begun", LOG_LVL_INFO },
	[EVENT_RELOAD_CANARY] = { "reload.canary", LOG_LVL_INFO },
	[EVENT_RELOAD_DONE] = { "reload.done", LOG_LVL_INFO },
	[EVENT_RELOAD_REFUSED] = { "reload.refused", LOG_LVL_ERROR },
	[EVENT_RELOAD_ROLLED_BACK] = { "reload.rolled-back", LOG_LVL_ERROR },
	[EVENT_LOGS_REOPENED] = { "logs.reopened", LOG_LVL_INFO },
	[EVENT_LOGS_FLUSHED] = { "logs.flushed", LOG_LVL_INFO },
	[EVENT_UPSTREAM_CHANGED] = { "upstream.changed", LOG_LVL_INFO },
	[EVENT_LIMIT_RESET] = { "limit.reset", LOG_LVL_INFO },
	[EVENT_PLUGIN_COMMAND] = { "plugin.command", LOG_LVL_INFO },
	[EVENT_CONTROL_ASKED] = { "control.asked", LOG_LVL_INFO },
	[EVENT_OTHER] = { "other", LOG_LVL_INFO },
};

const char *
event_kind_name(enum event_kind kind)
{
	return kinds[kind].name;
}

/* ---- the ring ---- */

void
events_free(struct events *all)
{
	size_t i;

	for (i = 0; i < EVENTS_KEPT; i++)
		free(all->ring[i].text);
	memset(all, 0, sizeof(*all));
}

const struct event *
events_get(const struct events *all, uint64_t n)
{
	const struct event *e = &all->ring[n % EVENTS_KEPT];

	return n != 0 && e->n == n ? e : NULL;
}

static void
event_log(const struct event *e)
{
	char line[EVENT_TEXT_MAX + sizeof(e->worker) + 64];

	if (e->worker[0] == '\0')
		(void)snprintf(line, sizeof(line), "%s", e->text);
	else
		(void)snprintf(line, sizeof(line),
		    "worker %s (pid %d, generation %u) %s", e->worker,
		    (int)e->pid, e->generation, e->text);
	log_text(kinds[e->kind].level, NULL, line, strlen(line));
}

static void __attribute__((format(printf, 4, 0)))
events_put(struct master *m, enum event_kind kind, const struct child *c,
    const char *fmt, va_list ap)
{
	struct events *all = &m->events;
	struct event *e = &all->ring[++all->added % EVENTS_KEPT];
	char text[EVENT_TEXT_MAX];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	free(e->text);
	memset(e, 0, sizeof(*e));
	e->n = all->added;
	e->time_ms = board_clock_ms();
	e->kind = kind;
	e->text = xstrdup(text);
	if (c != NULL) {
		(void)snprintf(e->worker, sizeof(e->worker), "%s", c->name);
		e->pid = c->pid;
		e->generation = c->generation;
	}
	event_log(e);
	control_event(m->control, e);
}

void
event_add(struct master *m, enum event_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	events_put(m, kind, NULL, fmt, ap);
	va_end(ap);
}

void
event_worker(struct master *m, enum event_kind kind, const struct child *c,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	events_put(m, kind, c, fmt, ap);
	va_end(ap);
}

/* ---- for hostctl ---- */

static void
event_time(uint64_t ms, char *buf, size_t size)
{
	time_t s = (time_t)(ms / 1000);
	struct tm tm;
	size_t n;

	gmtime_r(&s, &tm);
	n = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(buf + n, size - n, ".%03uZ", (unsigned)(ms % 1000));
}

json_t *
event_json(const struct event *e)
{
	char when[40];
	json_t *o;

	event_time(e->time_ms, when, sizeof(when));
	o = json_pack("{s:I,s:I,s:s,s:s}", "n", (json_int_t)e->n, "time_ms",
	    (json_int_t)e->time_ms, "time", when, "event",
	    event_kind_name(e->kind));
	if (e->worker[0] != '\0') {
		(void)json_object_set_new(o, "worker",
		    json_string(e->worker));
		(void)json_object_set_new(o, "pid", json_integer(e->pid));
		(void)json_object_set_new(o, "generation",
		    json_integer(e->generation));
	}
	(void)json_object_set_new(o, "text", control_text(e->text));
	return o;
}

/* ---- for a master's successor ---- */

json_t *
events_save(const struct events *all)
{
	json_t *list = json_array();
	const struct event *e;
	uint64_t n = all->added >= EVENTS_KEPT ? all->added - EVENTS_KEPT : 0;

	while (n < all->added)
		if ((e = events_get(all, ++n)) != NULL)
			(void)json_array_append_new(list, event_json(e));
	return json_pack(
	    "{s:I,s:o}", "added", (json_int_t)all->added, "kept", list);
}

static enum event_kind
event_kind_find(const char *name)
{
	int i;

	for (i = 0; i < EVENT_OTHER; i++)
		if (strcmp(name, kinds[i].name) == 0)
			break;
	return (enum event_kind)i;
}

static void
event_restore(struct event *e, const json_t *j, uint64_t n)
{
	free(e->text);
	e->n = n;
	e->time_ms = (uint64_t)record_int(j, "time_ms", 0);
	e->kind = event_kind_find(record_text(j, "event", ""));
	(void)snprintf(e->worker, sizeof(e->worker), "%s",
	    record_text(j, "worker", ""));
	e->pid = (pid_t)record_int(j, "pid", 0);
	e->generation = (uint32_t)record_int(j, "generation", 0);
	e->text = xstrdup(record_text(j, "text", ""));
}

void
events_restore(struct events *all, const json_t *o)
{
	const json_t *j;
	uint64_t n;
	size_t i;

	all->added = (uint64_t)record_int(o, "added", 0);
	json_array_foreach(json_object_get(o, "kept"), i, j) {
		n = (uint64_t)record_int(j, "n", 0);
		if (n > 0 && n <= all->added && all->added - n < EVENTS_KEPT)
			event_restore(&all->ring[n % EVENTS_KEPT], j, n);
	}
}
