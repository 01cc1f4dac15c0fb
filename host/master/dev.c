/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "master/daemon.h"
#include "master/dev.h"
#include "master/dir.h"
#include "master/master.h"
#include "plugin/module.h"

#define ROUTE_MAX 256

struct dev {
	char *plugin;		/* absolute */
	char *name;
	int port;
	char dir[256];
};

/* What an exit has to remove; over an upgrade it is known by the
 * environment. */
#define DEV_VARIABLE "HOSTD_DEV_DIR"
static char *leaving;
static pid_t leaving_pid;

static int
dev_complain(const char *what)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
	daemon_complain(text);
	return -1;
}

/* ---- where it answers ---- */

/* In a process of its own, for it runs the plugin's constructors.  What is
 * wrong with it is told by the start. */
static void
route_tell(const struct dev *d, int fd)
{
	const char *route = NULL, *scheme = "http";
	struct module *m;
	char why[512];
	size_t i;

	m = module_open(d->plugin, d->name, why, sizeof(why));
	if (m == NULL)
		return;
	if (module_provides(m, HOSTD_KIND_HTTP_ROUTE) == NULL &&
	    module_provides(m, HOSTD_KIND_WS_HANDLER) != NULL)
		scheme = "ws";
	for (i = 0; i < m->nprovides && route == NULL; i++)
		route = m->provides[i].info.route;
	(void)dprintf(fd, "%s://127.0.0.1:%d%s%s", scheme, d->port,
	    route != NULL ? route : "/", route != NULL ? "" : d->name);
}

static void
dev_url(const struct dev *d, char *url, size_t size)
{
	ssize_t n;
	size_t have = 0;
	int fds[2];
	pid_t pid;

	url[0] = '\0';
	if (pipe(fds) == -1 || (pid = fork()) == -1)
		return;
	if (pid == 0) {
		route_tell(d, fds[1]);
		_exit(0);
	}
	(void)close(fds[1]);
	while (have + 1 < size &&
	    ((n = read(fds[0], url + have, size - 1 - have)) > 0 ||
		(n == -1 && errno == EINTR)))
		have += n > 0 ? (size_t)n : 0;
	(void)close(fds[0]);
	(void)waitpid(pid, NULL, 0);
	url[have] = '\0';
}

/* ---- its directory ---- */

static void
dev_leave(void)
{
	if (leaving == NULL || getpid() != leaving_pid)
		return;
	dir_remove(leaving);
	free(leaving);
	leaving = NULL;
}

static void
dev_leave_at_exit(const char *dir)
{
	leaving = xstrdup(dir);
	leaving_pid = getpid();
	(void)atexit(dev_leave);
}

void
dev_resume(void)
{
	const char *dir = getenv(DEV_VARIABLE);

	if (dir != NULL)
		dev_leave_at_exit(dir);
}

static int
dev_make_dir(struct dev *d)
{
	const char *tmp = getenv("TMPDIR");

	if (tmp == NULL || tmp[0] != '/' || strlen(tmp) > 150)
		tmp = "/tmp";
	(void)snprintf(d->dir, sizeof(d->dir), "%s/hostd-dev.XXXXXX", tmp);
	if (mkdtemp(d->dir) == NULL)
		return dev_complain(d->dir);
	dev_leave_at_exit(d->dir);
	return setenv(DEV_VARIABLE, d->dir, 1) == 0 ? 0 :
	    dev_complain(DEV_VARIABLE);
}

/* Paths are below the file's directory, so none has to be quoted. */
static int
dev_write(const struct dev *d, const char *file)
{
	const struct passwd *pw = geteuid() == 0 ? getpwuid(0) : NULL;
	FILE *f = fopen(file, "we");

	if (f == NULL)
		return dev_complain(file);
	/* Whoever tries a plugin as root wants it to be root. */
	if (pw != NULL)
		(void)fprintf(f, "user = \"%s\"\n", pw->pw_name);
	(void)fprintf(f, "run_dir = \"run\"\nstate_dir = \"state\"\n"
	    "conf_dir = \"conf.d\"\n"
	    "watch = on\ndrain_timeout = 5s\n"
	    /* A debugger may stop it for as long as it likes. */
	    "pool \"dev\" { workers = 1  watchdog = 0 }\n"
	    "listen \"dev\" { address = \"127.0.0.1:%d\" }\n", d->port);
	return fclose(f) == 0 ? 0 : dev_complain(file);
}

static int
dev_link(const struct dev *d)
{
	char *dir = xasprintf("%s/conf.d", d->dir);
	char *to = xasprintf("%s/%s.so", dir, d->name);
	int rc = 0;

	if (mkdir(dir, 0755) == -1 || symlink(d->plugin, to) == -1)
		rc = dev_complain(to);
	free(to);
	free(dir);
	return rc;
}

/* ---- all ---- */

/* The file's, as far as a plugin may be called so. */
static char *
dev_name(const char *path)
{
	const char *base = strrchr(path, '/');
	char *name = xstrdup(base != NULL ? base + 1 : path);
	size_t n = strlen(name), i;

	if (n > 3 && strcmp(name + n - 3, ".so") == 0)
		name[n - 3] = '\0';
	for (i = 0; name[i] != '\0'; i++)
		if (strspn(name + i, "abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == 0)
			name[i] = '_';
	return name;
}

static int
dev_serve(struct dev *d, char **argv, const char *exe)
{
	char url[ROUTE_MAX], *file, *text;
	int status = 1;

	dev_url(d, url, sizeof(url));
	if (dev_make_dir(d) == -1)
		return 1;
	file = xasprintf("%s/hostd.conf", d->dir);
	text = xasprintf("%s\n(hostctl -s %s/run/control.sock; rebuild it, and "
	    "it is reloaded)\n", url, d->dir);
	if (dev_write(d, file) == 0 && dev_link(d) == 0) {
		daemon_announce(text);
		status = master_run(argv, file, exe, -1);
	}
	dev_leave();
	free(text);
	free(file);
	return status;
}

int
dev_run(char **argv, const char *plugin, int port, const char *exe)
{
	struct dev d = {.port = port};
	int status = 1;

	d.plugin = realpath(plugin, NULL);
	if (d.plugin == NULL) {
		(void)dev_complain(plugin);
		return 1;
	}
	d.name = dev_name(plugin);
	status = dev_serve(&d, argv, exe);
	free(d.name);
	free(d.plugin);
	return status;
}
