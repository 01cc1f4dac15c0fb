/* SPDX-License-Identifier: BSD-2-Clause */
/* The node and its workers, and one worker in detail. */
#include <string.h>

#include "base/board_json.h"
#include "limit/table_json.h"
#include "master/certificates.h"
#include "master/command.h"
#include "master/control.h"
#include "master/pick.h"

/* ---- status ---- */

static json_t *
pool_json(json_t *status, const char *name)
{
	json_t *pools = json_object_get(status, "pools"), *p;
	const char *s;
	size_t i;

	for (i = 0; i < json_array_size(pools); i++) {
		p = json_array_get(pools, i);
		s = json_string_value(json_object_get(p, "name"));
		if (s != NULL && strcmp(s, name) == 0)
			return p;
	}
	p = json_pack("{s:s,s:[]}", "name", name, "workers");
	(void)json_array_append_new(pools, p);
	return p;
}

/* A slot that waits for its next try has no process, so no cell either. */
static void
slot_waiting_json(json_t *pool, const struct slot *s, uint64_t now)
{
	json_t *workers = json_object_get(pool, "workers");
	uint64_t in = s->respawn_at > now ? s->respawn_at - now : 0;
	size_t i = 0;

	/* Where it belongs: the others are in order. */
	while (i < json_array_size(workers) &&
	    json_integer_value(json_object_get(
		json_array_get(workers, i), "slot")) < (json_int_t)s->index)
		i++;
	(void)json_array_insert_new(workers, i,
	    json_pack("{s:I,s:I,s:s,s:I,s:I,s:o}", "slot",
		(json_int_t)s->index, "generation", (json_int_t)s->gen->n,
		"state", s->errored ? "errored" : "waiting", "restarts",
		(json_int_t)s->restarts, "retry_in_ms", (json_int_t)in,
		"cause", control_text(s->cause)));
}

static void
pools_json(const struct master *m, json_t *status)
{
	const struct pool *p;
	const struct slot *s;
	json_t *o;

	TAILQ_FOREACH (p, &m->pools.list, link) {
		o = pool_json(status, p->name);
		(void)json_object_set_new(
		    o, "configured", json_integer(p->configured));
		(void)json_object_set_new(o, "target", json_integer(p->target));
		(void)json_object_set_new(
		    o, "stopped", json_boolean(p->stopped));
		TAILQ_FOREACH (s, &p->slots, link)
			if (s->respawn_at != 0 && s->gen != NULL)
				slot_waiting_json(o, s, uv_now(&m->loop));
	}
}

static void
mishap_json(const struct master *m, json_t *status)
{
	if (m->mishap.from == 0)
		return;
	(void)json_object_set_new(status, "rolled_back",
	    json_pack("{s:I,s:I,s:I,s:o}", "from",
		(json_int_t)m->mishap.from, "to", (json_int_t)m->mishap.to,
		"at_ms", (json_int_t)m->mishap.at_ms, "why",
		control_text(m->mishap.why)));
}

void
command_status(struct control_client *c, const json_t *request)
{
	struct master *m = c->control->m;
	json_t *status = board_json(&m->board);

	(void)request;
	pools_json(m, status);
	mishap_json(m, status);
	if (m->gen != NULL)
		(void)json_object_set_new(status, "upstreams",
		    up_table_json(&m->servers, m->gen->conf, NULL));
	(void)json_object_set_new(
	    status, "limits", limit_table_json(&m->limits));
	if (m->gen != NULL)
		(void)json_object_set_new(status, "certificates",
		    certificates_json(m->gen->conf));
	(void)json_object_set_new(
	    status, "conf_file", json_string(m->conf_file));
	(void)json_object_set_new(status, "run_dir", json_string(m->run_dir));
	(void)json_object_set_new(status, "state",
	    json_string(master_state(m)));
	control_end(c, 1, json_pack("{s:o}", "status", status));
}

/* ---- describe ---- */

static json_t *
sockets_json(const struct slot *s)
{
	const struct slot_socket *k;
	json_t *list = json_array();
	char at[128];

	TAILQ_FOREACH (k, &s->sockets, link)
		(void)json_array_append_new(list,
		    json_pack("{s:o,s:b,s:I}", "address",
			control_text(addr_format(
			    &k->listener->addr, at, sizeof(at))),
			"listening", k->listener->listening, "made_for_slot",
			(json_int_t)k->origin));
	return list;
}

static json_t *
limits_json(const struct generation *g, const char *pool)
{
	const struct conf_pool *p = generation_pool(g, pool);
	const struct conf *c = g->conf;
	json_t *o = json_pack("{s:I,s:I,s:I,s:I}", "max_connections",
	    (json_int_t)c->http.max_connections, "drain_timeout_ms",
	    (json_int_t)c->drain_timeout, "ready_timeout_ms",
	    (json_int_t)c->ready_timeout, "callback_budget_ms",
	    (json_int_t)c->callback_budget);

	if (p == NULL)
		return o;
	(void)json_object_set_new(
	    o, "max_restarts", json_integer(p->max_restarts));
	(void)json_object_set_new(
	    o, "min_uptime_ms", json_integer(p->min_uptime));
	(void)json_object_set_new(
	    o, "max_memory", json_integer(p->max_memory));
	(void)json_object_set_new(o, "watchdog_ms", json_integer(p->watchdog));
	return o;
}

/* What the board says of a process: as in status. */
static json_t *
cell_json(const struct master *m, const char *pool, pid_t pid)
{
	json_t *status = board_json(&m->board), *found = NULL, *workers, *w;
	size_t i;

	workers = json_object_get(pool_json(status, pool), "workers");
	for (i = 0; i < json_array_size(workers); i++) {
		w = json_array_get(workers, i);
		if (json_integer_value(json_object_get(w, "pid")) == pid)
			found = json_incref(w);
	}
	json_decref(status);
	return found != NULL ? found : json_object();
}

static const char *
worker_role(const struct slot *s, const struct worker *w)
{
	if (w == NULL)
		return s->errored ? "errored" : "waiting";
	if (w == s->next)
		return "to be next";
	return w == s->current ? "current" : "before";
}

static json_t *
describe_json(const struct master *m, const struct slot *s,
    const struct worker *w)
{
	const struct generation *g = w != NULL ? w->gen : s->gen;
	json_t *o = w != NULL ? cell_json(m, s->pool->name, w->child->pid)
			      : json_object();

	(void)json_object_set_new(o, "pool", control_text(s->pool->name));
	(void)json_object_set_new(o, "slot", json_integer(s->index));
	(void)json_object_set_new(
	    o, "role", json_string(worker_role(s, w)));
	(void)json_object_set_new(o, "restarts", json_integer(s->restarts));
	(void)json_object_set_new(
	    o, "crashes_in_a_row", json_integer(s->crashes));
	if (s->cause[0] != '\0')
		(void)json_object_set_new(
		    o, "last_crash", control_text(s->cause));
	(void)json_object_set_new(o, "sockets", sockets_json(s));
	if (g != NULL)
		(void)json_object_set_new(
		    o, "limits", limits_json(g, s->pool->name));
	return o;
}

void
command_describe(struct control_client *c, const json_t *request)
{
	const struct worker *w;
	struct pick k;

	if (pick(c, request, &k) == -1)
		return;
	if (k.slot == NULL) {
		pick_refuse(c, "describe what?  a worker: web.0, or its pid");
		return;
	}
	w = k.worker != NULL ? k.worker : k.slot->current;
	if (w == NULL)
		w = k.slot->next;
	control_end(c, 1,
	    json_pack("{s:o}", "worker",
		describe_json(c->control->m, k.slot, w)));
}
