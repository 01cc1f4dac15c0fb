/* SPDX-License-Identifier: BSD-2-Clause */
/* What hostctl can ask for. */
#include <stdio.h>
#include <string.h>

#include "base/board_json.h"
#include "base/log.h"
#include "master/command.h"
#include "master/control.h"
#include "master/rollout.h"
#include "master/upgrade.h"

struct command {
	const char *name;
	void (*run)(struct control_client *, const json_t *request);
};

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
	    json_pack("{s:I,s:I,s:s,s:I,s:I,s:s}", "slot",
		(json_int_t)s->index, "generation", (json_int_t)s->gen->n,
		"state", s->errored ? "errored" : "waiting", "restarts",
		(json_int_t)s->restarts, "retry_in_ms", (json_int_t)in,
		"cause", s->cause));
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

static void
command_status(struct control_client *c, const json_t *request)
{
	struct master *m = c->control->m;
	json_t *status = board_json(&m->board);

	(void)request;
	pools_json(m, status);
	mishap_json(m, status);
	(void)json_object_set_new(
	    status, "conf_file", json_string(m->conf_file));
	(void)json_object_set_new(status, "run_dir", json_string(m->run_dir));
	(void)json_object_set_new(status, "state",
	    json_string(m->stopping	 ? "stopping"
		    : m->rollout != NULL ? "changing"
					 : "serving"));
	control_end(c, 1, json_pack("{s:o}", "status", status));
}

static void
command_version(struct control_client *c, const json_t *request)
{
	(void)request;
	control_end(c, 1,
	    json_pack(
		"{s:s}", "version", c->control->m->board.node->hostd_version));
}

/* ---- the rest ---- */

/* The answer comes from the master that there is then. */
static void
command_upgrade(struct control_client *c, const json_t *request)
{
	int keep = json_is_true(json_object_get(request, "keep_workers"));
	char why[512];

	if (upgrade_start(c->control->m, c, keep, why, sizeof(why)) == 0)
		return;
	control_error(c, why);
	control_end(c, 0, NULL);
}

/* The answer comes when everything has ended, see command_stopped. */
static void
command_stop(struct control_client *c, const json_t *request)
{
	if (json_is_true(json_object_get(request, "now")))
		master_stop(c->control->m);
	control_progress(c, "waiting for workers to finish");
	c->busy = 2;
	master_stop(c->control->m);
}

void
command_stopped(struct control *k)
{
	struct control_client *c, *next;

	for (c = TAILQ_FIRST(&k->clients); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->busy == 2)
			control_end(c, 1, NULL);
	}
}

void
command_forget(struct control_client *c)
{
	json_decref(c->waiting);
	c->waiting = NULL;
	rollout_unwatch(c->control->m, c);
	upgrade_unwatch(c->control->m, c);
}

static const struct command commands[] = {
    {"status", command_status},
    {"reload", command_reload},
    {"rollback", command_rollback},
    {"generations", command_generations},
    {"scale", command_scale},
    {"restart", command_restart},
    {"start-pool", command_start},
    {"stop-pool", command_stop_pool},
    {"delete", command_delete},
    {"signal", command_signal},
    {"logs", command_logs},
    {"logs-reopen", command_logs_reopen},
    {"upgrade", command_upgrade},
    {"flush", command_flush},
    {"stop", command_stop},
    {"events", command_events},
    {"version", command_version},
};

void
command_run(struct control_client *c, const json_t *request)
{
	const char *cmd = json_string_value(json_object_get(request, "cmd"));
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (cmd != NULL && strcmp(commands[i].name, cmd) == 0) {
			commands[i].run(c, request);
			return;
		}
	control_error(c, "the request has no \"cmd\" that is known");
	control_end(c, 0, NULL);
}
