/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/schema.h"
#include "ctl/ctl.h"

struct command {
	const char *name;
	int (*run)(const struct ctl *, int argc, char **argv);
	const char *args;
	const char *help;
};

static const struct command commands[] = {
    {"status", cmd_status, "", "the node, its traffic and its workers"},
    {"list", cmd_list, " [--names]", "the workers"},
    {"top", cmd_top, " [-d TIME]",
	"what the workers do, live; when piped, once"},
    {"describe", cmd_describe, " W",
	"all about a worker: web.0, or its pid"},
    {"reload", cmd_reload,
	" [--parallel N] [--canary N [--for TIME] [--factor X]] [--wait]",
	"check configuration and plugins, then serve with them"},
    {"rollback", cmd_rollback, " [--parallel N] [--wait] [GENERATION]",
	"back to the generation before, or to one that is kept"},
    {"generations", cmd_generations, "", "those there are to go back to"},
    {"restart", cmd_restart, " [POOL|W]",
	"new processes, one at a time, of the same generation"},
    {"start", cmd_start, " POOL", "bring back a pool that was stopped"},
    {"stop", cmd_stop, " [--now|POOL]",
	"finish what is in flight, then end; or only a pool"},
    {"scale", cmd_scale, " POOL N|+N|-N",
	"run N workers in a pool; N more, N fewer"},
    {"delete", cmd_delete, " POOL|W",
	"a pool until the next reload; one worker less"},
    {"drain", cmd_drain, " [--over TIME] [--wait TIME] [W]",
	"not ready any more, clients leave; or those of a worker"},
    {"undrain", cmd_undrain, " [W]",
	"ready again; or a worker in the place of one"},
    {"signal", cmd_signal, " SIG POOL|W", "send workers a signal"},
    {"events", cmd_events, " [-f] [-n N] [NAME]",
	"what has happened; -f: and what happens"},
    {"upstream", cmd_upstream,
	" list [GROUP] | add|remove|drain|enable|down GROUP SERVER ...",
	"servers behind us: see them, change them"},
    {"limits", cmd_limits, " [--names] [NAME] | reset NAME [VALUE ...]",
	"what they have let through and refused; let clients in again"},
    {"sio", cmd_sio,
	" list|rooms|sockets|disconnect|emit ...",
	"Socket.IO: who is there; put them out, tell them something"},
    {"upgrade", cmd_upgrade, " [--keep-workers]",
	"run the hostd that is installed now, losing nobody"},
    {"logs", cmd_logs, " [-ef] [-n N] [NAME] | reopen",
	"the last lines of the logs; -f: and those to come"},
    {"flush", cmd_flush, "", "empty the log files"},
    {"test", cmd_test, " [-c FILE]", "check configuration and plugins"},
    {"version", cmd_version, "", "hostctl's, and that of what runs"},
    {"plugin", cmd_plugin,
	" call|commands|inspect|schema|check|new ...",
	"their commands; and for their authors"},
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *
command_find(const char *name)
{
	size_t i;

	for (i = 0; i < NCOMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

int
ctl_usage(const char *name)
{
	const struct command *c = command_find(name);

	(void)fprintf(
	    stderr, "usage: hostctl %s%s\n", name, c != NULL ? c->args : "");
	return CTL_USAGE;
}

static void
help_print(FILE *f)
{
	char head[96];
	size_t i;

	(void)fputs(
	    "usage: hostctl [-s SOCKET | -p PREFIX] [--json] COMMAND ...\n\n",
	    f);
	for (i = 0; i < NCOMMANDS; i++) {
		(void)snprintf(head, sizeof(head), "%s%s", commands[i].name,
		    commands[i].args);
		(void)fprintf(f, "  %-20s %s%s\n",
		    strlen(head) <= 20 ? head : commands[i].name,
		    commands[i].help, strlen(head) <= 20 ? "" : ":");
		if (strlen(head) > 20)
			(void)fprintf(
			    f, "%15s%s\n", "", commands[i].args + 1);
	}
	(void)fputs("\n"
		    "  -s, --socket SOCKET  of the running hostd; default: "
		    "$HOSTD_CONTROL or\n"
		    "                       " HOSTD_RUN_DIR "/control.sock\n"
		    "  -p, --prefix PREFIX  the hostd that was started with "
		    "-p PREFIX\n"
		    "  -j, --json           answers as JSON\n"
		    "  -h, --help           print this\n"
		    "\n"
		    "exit status: 0 done, 1 refused or failed, 2 wrong usage, "
		    "3 no hostd is running,\n"
		    "             4 rolled back\n",
	    f);
}

static int
command_unknown(const char *name)
{
	const char *names[NCOMMANDS + 1] = {NULL}, *near;
	size_t i;

	for (i = 0; i < NCOMMANDS; i++)
		names[i] = commands[i].name;
	near = conf_nearest(name, names);
	(void)fprintf(stderr, "hostctl: \"%s\" is not a command", name);
	if (near != NULL)
		(void)fprintf(stderr, "; did you mean \"%s\"?\n", near);
	else
		(void)fprintf(stderr, "; see hostctl -h\n");
	return CTL_USAGE;
}

/* "+": options behind the command are the command's, except --json, which
 * people put there. */
static void
options_parse(struct ctl *ctl, char **path, int argc, char **argv)
{
	static const struct option longs[] = {
	    {"socket", required_argument, NULL, 's'},
	    {"prefix", required_argument, NULL, 'p'},
	    {"json", no_argument, NULL, 'j'},
	    {"version", no_argument, NULL, 'V'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "+s:p:jVh", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			ctl->socket = optarg;
			break;
		case 'p':
			ctl->prefix = optarg;
			free(*path);
			*path =
			    xasprintf("%s/var/run/hostd/control.sock", optarg);
			ctl->socket = *path;
			break;
		case 'j':
			ctl->json = 1;
			break;
		case 'V':
			(void)printf("hostctl %s\n", PACKAGE_VERSION);
			exit(CTL_OK);
		case 'h':
			help_print(stdout);
			exit(CTL_OK);
		default:
			(void)fputs("Try hostctl -h.\n", stderr);
			exit(CTL_USAGE);
		}
	}
}

static int
take_json(struct ctl *ctl, int argc, char **argv)
{
	int i, n = 1;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			ctl->json = 1;
		else
			argv[n++] = argv[i];
	}
	argv[n] = NULL;
	return n;
}

/* What was not written was not told. */
static int
output_end(int rc)
{
	int failed = fflush(stdout) == EOF;

	if (!failed && !ferror(stdout))
		return rc;
	/* Why an earlier part was not is forgotten. */
	(void)fprintf(stderr, "hostctl: the output could not be written: %s\n",
	    failed ? strerror(errno) : "the disk is full, or nobody reads it");
	return rc == CTL_OK ? CTL_FAILED : rc;
}

int
main(int argc, char **argv)
{
	struct ctl ctl = {.socket = getenv("HOSTD_CONTROL")};
	const struct command *c;
	char *path = NULL;
	int rc;

	if (ctl.socket == NULL || ctl.socket[0] == '\0')
		ctl.socket = HOSTD_RUN_DIR "/control.sock";
	options_parse(&ctl, &path, argc, argv);
	argc -= optind;
	argv += optind;
	if (argc == 0) {
		help_print(stderr);
		return CTL_USAGE;
	}
	c = command_find(argv[0]);
	if (c == NULL) {
		rc = command_unknown(argv[0]);
	} else {
		if (c->run != cmd_plugin)
			argc = take_json(&ctl, argc, argv);
		rc = c->run(&ctl, argc, argv);
	}
	free(path);
	return output_end(rc);
}
