/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signals.h"
#include "ctl/plugin.h"

static const struct subcommand {
	const char *name;
	int (*run)(int, char **);	/* one of these */
	int (*ask)(const struct ctl *, int, char **);
	const char *usage;
} commands[] = {
    {"call", NULL, plugin_call,
	"call [--json] [--timeout TIME]\n"
	"           INSTANCE COMMAND [ARGUMENT...]"},
    {"commands", NULL, plugin_commands,
	"commands [--json] [--names] [INSTANCE]"},
    {"inspect", plugin_inspect, NULL, "inspect [--json] FILE"},
    {"schema", plugin_schema, NULL, "schema [--json] FILE"},
    {"check", plugin_check, NULL,
	"check [--json] [--strict] [--verbose] [--path PATH]\n"
	"           [--set key=value]... "
	"[--message TEXT]... [--subprotocols LIST]\n"
	"           FILE"},
    {"new", plugin_new, NULL, "new KIND NAME [DIR]"},
};
#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
usage(void)
{
	size_t i;

	for (i = 0; i < NCOMMANDS; i++)
		(void)fprintf(stderr, "%s hostctl plugin %s\n",
		    i == 0 ? "usage:" : "      ", commands[i].usage);
}

static int
run_json(int (*run)(int, char **), int argc, char **argv)
{
	static char json[] = "--json";
	char **all = xcalloc((size_t)argc + 2, sizeof(*all));
	int rc;

	all[0] = argv[0];
	all[1] = json;
	memcpy(all + 2, argv + 1, (size_t)(argc - 1) * sizeof(*all));
	rc = run(argc + 1, all);
	free(all);
	return rc;
}

int
ctl_plugin(const struct ctl *ctl, int argc, char **argv)
{
	const struct subcommand *s = NULL;
	size_t i;

	for (i = 0; argc > 1 && i < NCOMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			s = &commands[i];
	if (s == NULL) {
		usage();
		return PLUGIN_USAGE;
	}
	if (s->ask != NULL)
		return s->ask(ctl, argc - 1, argv + 1);
	if (ctl->json && s->run != plugin_new)
		return run_json(s->run, argc - 1, argv + 1);
	return s->run(argc - 1, argv + 1);
}

const char *
plugin_display(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

void
plugin_route(const char *path, char *route, size_t size)
{
	const char *name = plugin_display(path);
	size_t n = strlen(name);

	if (n > 3 && strcmp(name + n - 3, ".so") == 0)
		n -= 3;
	(void)snprintf(route, size, "/%.*s", (int)n, name);
}

int
plugin_fork(int (*fn)(const char *, void *), const char *path, void *arg,
    unsigned seconds, char *why, size_t size)
{
	char sig[SIGNAL_NAME_MAX];
	int status, rc;
	pid_t pid;

	(void)fflush(NULL);
	if ((pid = fork()) == -1) {
		(void)snprintf(why, size, "fork: %s", strerror(errno));
		return -1;
	}
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)alarm(seconds);
		rc = fn(path, arg);
		(void)fflush(NULL);
		_exit(rc);
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (WTERMSIG(status) == SIGALRM)
		(void)snprintf(why, size,
		    "%s: loading it takes more than "
		    "%u s",
		    plugin_display(path), seconds);
	else
		(void)snprintf(why, size, "%s: loading it crashed with %s",
		    plugin_display(path), signal_name(WTERMSIG(status), sig));
	return -1;
}
