/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hostctl can ask for, by family.  Each of these calls control_end, now or
 * later.
 */
#ifndef MASTER_COMMAND_H
#define MASTER_COMMAND_H

#include <jansson.h>
#include "master/rollout.h"

struct control_client;

/* ---- cmd_reload.c: a rollout's watcher, and its answer ---- */

void	command_said(void *client, const json_t *step);
void	command_ended(void *client, enum rollout_outcome,
	    const struct conf_errors *);
void	command_busy(struct control_client *);

void	command_reload(struct control_client *, const json_t *request);
void	command_rollback(struct control_client *, const json_t *request);
void	command_generations(struct control_client *, const json_t *request);

/* ---- cmd_status.c ---- */

void	command_status(struct control_client *, const json_t *request);
void	command_describe(struct control_client *, const json_t *request);

/* ---- cmd_node.c ---- */

void	command_node(struct control_client *, const json_t *request);
void	command_log_tail(struct control_client *, const json_t *request);

/* ---- cmd_pool.c ---- */

void	command_scale(struct control_client *, const json_t *request);
void	command_restart(struct control_client *, const json_t *request);
void	command_start(struct control_client *, const json_t *request);
void	command_stop_pool(struct control_client *, const json_t *request);
void	command_delete(struct control_client *, const json_t *request);
void	command_drain(struct control_client *, const json_t *request);
void	command_undrain(struct control_client *, const json_t *request);
void	command_signal(struct control_client *, const json_t *request);

/* ---- cmd_logs.c ---- */

void	command_logs(struct control_client *, const json_t *request);
void	command_logs_reopen(struct control_client *, const json_t *request);
void	command_flush(struct control_client *, const json_t *request);
/* What is behind it: "file", "pipe", ... */
const char *log_kind(int fd);

/* ---- cmd_plugin.c ---- */

void	command_plugin(struct control_client *, const json_t *request);
void	command_plugin_commands(struct control_client *, const json_t *request);
/* It does not wait for an answer any more; what runs goes on. */
void	command_leaves(struct control_client *);
/* Does it wait for one? */
int	command_is_ordered(const struct control_client *);
/* All end without a word: so does the loop. */
void	commands_close(struct master *);

/* ---- cmd_upstream.c ---- */

void	command_upstream(struct control_client *, const json_t *request);
void	command_upstreams(struct control_client *, const json_t *request);

/* ---- cmd_limits.c ---- */

void	command_limits(struct control_client *, const json_t *request);
void	command_limits_reset(struct control_client *, const json_t *request);

/* ---- cmd_events.c ---- */

void	command_events(struct control_client *, const json_t *request);

#endif
