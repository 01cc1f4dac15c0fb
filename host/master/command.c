/* SPDX-License-Identifier: BSD-2-Clause */
/* What hostctl can ask for. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "master/command.h"
#include "master/control.h"
#include "master/rollout.h"
#include "master/upgrade.h"

struct command {
	const char *name;
	void (*run)(struct control_client *, const json_t *request);
};

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
	int now = json_is_true(json_object_get(request, "now"));
	struct master *m = c->control->m;

	control_progress(c, "waiting for workers to finish");
	c->busy = 2;
	if (!m->stopping)
		master_stop(m);
	/* The second time is what does not wait. */
	if (now)
		master_stop(m);
}

void
command_stopped(struct control *k)
{
	struct control_client *c, *next;

	command_next(k);
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
	command_leaves(c);
	rollout_unwatch(c->control->m, c);
	upgrade_unwatch(c->control->m, c);
}

static const struct command commands[] = {
    {"status", command_status},
    {"describe", command_describe},
    {"reload", command_reload},
    {"rollback", command_rollback},
    {"generations", command_generations},
    {"scale", command_scale},
    {"restart", command_restart},
    {"start-pool", command_start},
    {"stop-pool", command_stop_pool},
    {"delete", command_delete},
    {"signal", command_signal},
    {"drain", command_drain},
    {"undrain", command_undrain},
    {"logs", command_logs},
    {"logs-reopen", command_logs_reopen},
    {"upgrade", command_upgrade},
    {"flush", command_flush},
    {"stop", command_stop},
    {"events", command_events},
    {"plugin", command_plugin},
    {"plugin-commands", command_plugin_commands},
    {"upstream", command_upstream},
    {"upstreams", command_upstreams},
    {"limits", command_limits},
    {"limits-reset", command_limits_reset},
    {"node", command_node},
    {"log-tail", command_log_tail},
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
