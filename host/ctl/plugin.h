/* SPDX-License-Identifier: BSD-2-Clause */
/* `hostctl plugin call|commands`: what plugins do for operators; and `inspect`,
 * `schema`, `check`, `new`: for authors, without a daemon. */
#ifndef CTL_PLUGIN_H
#define CTL_PLUGIN_H

#include <stdint.h>
#include <sys/types.h>
#include "ctl/ctl.h"

/* argv[0] is "plugin", argv[1] the subcommand; json, for those without a
 * daemon: as if there were a --json behind it.  Returns the exit status. */
int	ctl_plugin(const struct ctl *, int argc, char **argv);

/* The subcommands; argv[0] is their name. */
int	plugin_call(const struct ctl *, int argc, char **argv);
int	plugin_commands(const struct ctl *, int argc, char **argv);
int	plugin_inspect(int argc, char **argv);
int	plugin_schema(int argc, char **argv);
int	plugin_check(int argc, char **argv);
int	plugin_new(int argc, char **argv);

/* ---- calling one's commands ---- */

/* words: the instance, the command and its arguments.  ms 0: the usual time.
 * NULL: one is not UTF-8. */
json_t	*plugin_request(int n, char **words, int64_t ms);
/* What workers have put is in "workers", each with "worker" and "result" or
 * "error".  Takes the request; the answer may be NULL. */
int	plugin_ask(const struct ctl *, json_t *request, json_t **answer);
/* On stderr. */
void	plugin_say_errors(const json_t *answer);
/* A list of those that workers have: "instance", "plugin", "commands".  NULL:
 * nobody has answered, which was told. */
int	plugin_instances(const struct ctl *, json_t **all);

/* Exit statuses. */
#define PLUGIN_OK	0
#define PLUGIN_FAILED	1	/* refused, or a check failed */
#define PLUGIN_USAGE	2

struct module;

/*
 * Run fn(path, arg) in a child, since loading a plugin runs its code.  Returns
 * what fn returned (0-125), or -1 and a reason in why when the child crashed or
 * took longer than seconds.
 */
int	plugin_fork(int (*fn)(const char *path, void *arg), const char *path,
	    void *arg, unsigned seconds, char *why, size_t size);

/* What people call the file: its last component. */
const char *plugin_display(const char *path);
/* The route of one that names none: "/<file name without .so>". */
void	plugin_route(const char *path, char *route, size_t size);

#endif
