/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "base/version.h"
#include "master/daemon.h"
#include "master/dev.h"
#include "master/master.h"
#include "master/test.h"
#include "master/upgrade.h"
#include "net/loop.h"
#include "worker/worker.h"

#define DEV_PORT 8080

struct options {
	char *conf_file;
	int test, json, daemon;
	char *dev;		/* a plugin */
	int port;
};

static const char usage_text[] =
    "usage: hostd [-t [--json]] [-c FILE | -p PREFIX] [--daemon]\n"
    "       hostd --dev PLUGIN.so [--port N]\n"
    "\n"
    "  -c, --config FILE    read FILE instead of " HOSTD_CONF_FILE "\n"
    "  -p, --prefix PREFIX  use the configuration, plugins and run directory\n"
    "                       below PREFIX\n"
    "  -t, --test           check configuration and plugins, then exit\n"
    "      --json           with -t: what was found, as JSON\n"
    "      --daemon         go into the background when serving\n"
    "      --dev PLUGIN.so  serve this plugin alone, without configuration;\n"
    "                       it is reloaded when it changes\n"
    "      --port N         at this port, instead of 8080\n"
    "  -V, --version        print the version\n"
    "  -h, --help           print this\n";

static void
usage_fail(void)
{
	(void)fputs("Try hostd -h.\n", stderr);
	exit(2);
}

static char *
absolute(const char *path)
{
	char *cwd, *full;

	if (path[0] == '/')
		return xstrdup(path);
	cwd = getcwd(NULL, 0);
	if (cwd == NULL)
		fatal("finding the current directory");
	full = xasprintf("%s/%s", strcmp(cwd, "/") == 0 ? "" : cwd, path);
	free(cwd);
	return full;
}

/* What an upgrade executes: by name, so it may be another program by then. */
static char *
own_path(const char *argv0)
{
	char buf[4096];
	ssize_t n;

	if (strchr(argv0, '/') != NULL)
		return absolute(argv0);
	n = readlink("/proc/self/exe", buf, sizeof(buf) - 1);
	if (n <= 0)
		fatal("finding out what program we are");
	buf[n] = '\0';
	return xstrdup(buf);
}

/* Workers learn it from the environment. */
static void
set_prefix(struct options *o, const char *prefix)
{
	char *path = absolute(prefix);
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		path[--n] = '\0';
	if (setenv("HOSTD_PREFIX", path, 1) == -1)
		fatal("setting the prefix");
	free(o->conf_file);
	o->conf_file = xasprintf("%s/etc/hostd/hostd.conf", path);
	free(path);
}

static int
port_parse(const char *text)
{
	int64_t n;

	if (int_parse(text, &n) == -1 || n < 1 || n > 65535) {
		(void)fprintf(stderr, "hostd: the port is 1 to 65535, not "
		    "\"%s\"\n", text);
		usage_fail();
	}
	return (int)n;
}

/* It brings a configuration of its own. */
static void
options_check_dev(const struct options *o, const char *conf)
{
	if (o->dev == NULL && o->port == 0)
		return;
	if (o->dev != NULL && conf == NULL && o->conf_file == NULL &&
	    !o->test && !o->daemon)
		return;
	(void)fputs(o->dev == NULL ? "hostd: --port goes with --dev\n" :
	    "hostd: --dev goes with --port alone\n", stderr);
	usage_fail();
}

static void
options_settle(struct options *o, const char *conf)
{
	if (o->json && !o->test) {
		(void)fputs("hostd: --json goes with -t\n", stderr);
		usage_fail();
	}
	options_check_dev(o, conf);
	if (conf != NULL) {
		free(o->conf_file);
		o->conf_file = absolute(conf);
	}
	if (o->conf_file == NULL)
		o->conf_file = xstrdup(HOSTD_CONF_FILE);
}

static void
options_parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"prefix", required_argument, NULL, 'p'},
	    {"test", no_argument, NULL, 't'},
	    {"json", no_argument, NULL, 'j'},
	    {"daemon", no_argument, NULL, 'd'},
	    {"dev", required_argument, NULL, 'D'},
	    {"port", required_argument, NULL, 'P'},
	    {"version", no_argument, NULL, 'V'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	const char *conf = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "c:p:tVh", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			conf = optarg;
			break;
		case 'p':
			set_prefix(o, optarg);
			break;
		case 't':
			o->test = 1;
			break;
		case 'j':
			o->json = 1;
			break;
		case 'd':
			o->daemon = 1;
			break;
		case 'D':
			o->dev = optarg;
			break;
		case 'P':
			o->port = port_parse(optarg);
			break;
		case 'V':
			(void)printf("hostd %s\n", version_text);
			exit(0);
		case 'h':
			(void)fputs(usage_text, stdout);
			exit(0);
		default:
			usage_fail();
		}
	}
	if (optind < argc) {
		(void)fprintf(stderr, "hostd: what is \"%s\"?\n", argv[optind]);
		usage_fail();
	}
	options_settle(o, conf);
}

/* Descriptors 0 to 2 must be something, or a socket might become our log. */
static void
stdio_ensure(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd != -1 && fd <= STDERR_FILENO);
	if (fd != -1)
		(void)close(fd);
}

int
main(int argc, char **argv)
{
	struct options o = {0};
	int parent = -1, status;
	char *exe;

	if (argc == 2 && strcmp(argv[1], "--child") == 0)
		loop_exit(worker_main());
	if (argc == 3 && strcmp(argv[1], "--check-upgrade-state") == 0)
		return resume_check(argv[2]);
	if (resume_wanted()) {
		dev_resume();
		return resume_run(argv);
	}
	stdio_ensure();
	(void)umask(022);
	options_parse(&o, argc, argv);
	exe = own_path(argv[0]);
	if (o.dev != NULL) {
		status = dev_run(argv, o.dev, o.port != 0 ? o.port : DEV_PORT,
		    exe);
	} else if (o.test) {
		status = test_run(o.conf_file, exe, o.json);
	} else {
		if (o.daemon)
			parent = daemon_fork();
		status = master_run(argv, o.conf_file, exe, parent);
	}
	free(exe);
	free(o.conf_file);
	return status;
}
