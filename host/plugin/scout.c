/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/files.h"
#include "config/schema.h"
#include "plugin/module.h"
#include "plugin/scout.h"
#include "sandbox/caps.h"

#define TALE_MAX	(1u << 20)
#define PIPE_FD		3

/* One thing that is needed: this byte, and a text with its NUL. */
enum need {
	NEED_READ = 'r',
	NEED_FILE = 'f',	/* written, as others in its directory; or a
				   directory that is there */
	NEED_DIR = 'd',		/* likewise, made */
	NEED_TREE = 't',	/* written, as it is */
	NEED_PROGRAM = 'p',
	NEED_STATE = 's',	/* by the instance's name */
	NEED_CALL = 'c',
	NEED_UNKNOWN = 'u'	/* why nobody can be asked */
};

static const char state[] = "$state/";

/* -- in the scout -- */

static void
say(enum need need, const char *text)
{
	char line[PATH_MAX + 2];
	int n = snprintf(line, sizeof(line), "%c%s", (char)need, text);

	if (n > 0 && (size_t)n < sizeof(line))
		(void)!write(PIPE_FD, line, (size_t)n + 1);
}

static void
say_list(enum need need, const char *const *list)
{
	for (; list != NULL && *list != NULL; list++)
		say(need, *list);
}

static void
say_key(const struct conf *conf, const struct conf_plugin *cp,
    const struct conf_val *v)
{
	char *path;

	if (v->key->type != HOSTD_KEY_PATH || v->text == NULL ||
	    v->text[0] == '\0')
		return;
	if (strncmp(v->text, state, sizeof(state) - 1) == 0) {
		say(NEED_STATE, cp->name);
		return;
	}
	path = conf_path(conf->file, v->text);
	say(v->key->flags & HOSTD_KEY_DIR ? NEED_DIR :
	    v->key->flags & HOSTD_KEY_WRITE ? NEED_FILE : NEED_READ, path);
	free(path);
}

static void
say_table(const struct hostd_p_sandbox *t)
{
	if (t->flags & HOSTD_SANDBOX_EXEC)
		say(NEED_CALL, "exec");
	say_list(t->flags & HOSTD_SANDBOX_EXEC ? NEED_PROGRAM : NEED_READ,
	    t->reads);
	say_list(NEED_TREE, t->writes);
	say_list(NEED_CALL, t->calls);
}

static void
say_keys(const struct conf *conf, const struct conf_plugin *cp,
    const struct conf_values *values)
{
	const struct conf_val *v;
	size_t i, k;

	for (i = 0; i < values->n; i++) {
		v = &values->vals[i];
		say_key(conf, cp, v);
		for (k = 0; k < v->nblocks; k++)
			say_keys(conf, cp, &v->blocks[k].values);
	}
}

/* Mistakes are for whoever loads it to tell. */
static void
say_needs(const struct conf *conf, const struct conf_plugin *cp,
    const struct module *m)
{
	struct conf_values values = { 0 };
	struct conf_errors errs;

	conf_errors_init(&errs);
	(void)conf_check(cp->node, m->keys, conf_plugin_keys, &values, &errs);
	say_keys(conf, cp, &values);
	conf_values_free(&values);
	conf_errors_free(&errs);
	if (m->sandbox != NULL)
		say_table(m->sandbox);
}

static void
look_at(const struct conf *conf, const struct snapshot *snap,
    const struct conf_plugin *cp)
{
	const char *copy = map_get(&snap->modules, cp->file,
	    strlen(cp->file));
	struct module *m;
	char why[512];

	if (copy == NULL ||
	    (m = module_open(copy, cp->name, why, sizeof(why))) == NULL)
		return;
	say_needs(conf, cp, m);
	module_free(m);
}

/* Whose code runs, should it never return. */
static void
note(struct board_cell *cell, const struct conf_plugin *cp)
{
	if (cp != NULL) {
		(void)snprintf(cell->plugins[0], sizeof(cell->plugins[0]),
		    "%s", cp->name);
		atomic_store(&cell->callback, BOARD_CB_DLOPEN);
	}
	atomic_store(&cell->plugin, cp != NULL);
	if (cp == NULL)
		atomic_store(&cell->callback, BOARD_CB_NONE);
}

static void
give_up(const char *what, const char *why)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%s: %s", what, why);
	say(NEED_UNKNOWN, text);
	_exit(1);
}

/* Nothing of ours is left to it but the pipe. */
static void
strip(int fd, pid_t parent)
{
	int null;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent ||
	    dup2(fd, PIPE_FD) == -1)
		_exit(1);
	if ((null = open("/dev/null", O_RDWR)) == -1)
		give_up("/dev/null", strerror(errno));
	if (dup2(null, STDOUT_FILENO) == -1 ||
	    dup2(null, STDERR_FILENO) == -1 ||
	    close_range(PIPE_FD + 1, ~0u, 0) == -1 || caps_drop_all() == -1)
		give_up("leaving files and capabilities", strerror(errno));
	log_set_fd(STDERR_FILENO);
}

static void
scout(const struct conf *conf, const struct snapshot *snap,
    struct board_cell *cell, const struct sandbox *narrow)
{
	const struct conf_plugin *cp;
	char why[256];

	if (sandbox_enter_quietly(narrow, why, sizeof(why)) == -1)
		give_up("its own sandbox", why);
	TAILQ_FOREACH(cp, &conf->plugins, entry) {
		note(cell, cp);
		look_at(conf, snap, cp);
	}
	note(cell, NULL);
	_exit(0);
}

/* -- and in who has sent it -- */

static void
allow_written(struct sandbox *s, const char *path)
{
	char *dir = xstrdup(path), *slash = strrchr(dir, '/');
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		sandbox_allow(s, path, SANDBOX_READ | SANDBOX_WRITE);
	} else if (slash != NULL && slash != dir) {
		*slash = '\0';
		sandbox_allow(s, dir, SANDBOX_READ | SANDBOX_WRITE);
	}
	free(dir);
}

static void
allow_made(struct sandbox *s, const char *dir)
{
	/* What can't be made is the plugin's to complain about. */
	(void)mkdir(dir, 0700);
	sandbox_allow(s, dir, SANDBOX_READ | SANDBOX_WRITE);
}

static void
allow_state(const struct conf *conf, struct sandbox *s, const char *name)
{
	const struct conf_plugin *cp;
	char *dir;

	TAILQ_FOREACH(cp, &conf->plugins, entry) {
		if (strcmp(cp->name, name) != 0)
			continue;
		dir = xasprintf("%s/%s", conf->plugin_state, name);
		allow_made(s, dir);
		free(dir);
	}
}

static void
allow(const struct conf *conf, struct sandbox *s, char need, const char *text)
{
	switch (need) {
	case NEED_READ:
		sandbox_allow_named(s, text, SANDBOX_READ);
		break;
	case NEED_PROGRAM:
		sandbox_allow(s, text, SANDBOX_READ | SANDBOX_EXEC);
		break;
	case NEED_TREE:
		sandbox_allow(s, text, SANDBOX_READ | SANDBOX_WRITE);
		break;
	case NEED_FILE:
		allow_written(s, text);
		break;
	case NEED_DIR:
		allow_made(s, text);
		break;
	case NEED_STATE:
		allow_state(conf, s, text);
		break;
	case NEED_CALL:
		if (sandbox_allow_call(s, text) == -1)
			log_warnx("a plugin wants to make the system call %s, "
			    "which is not known here", text);
		break;
	case NEED_UNKNOWN:
		log_warnx("plugins can't be asked what they need of the "
		    "sandbox, and get no files by it: %s", text);
		break;
	}
}

static void
listen_to(int fd, const struct conf *conf, struct sandbox *s)
{
	char *tale = xmalloc(TALE_MAX), *p, *end;
	size_t len = 0;
	ssize_t n;

	while (len < TALE_MAX &&
	    ((n = read(fd, tale + len, TALE_MAX - len)) > 0 ||
	    (n == -1 && errno == EINTR)))
		len += n > 0 ? (size_t)n : 0;
	for (p = tale; (end = memchr(p, '\0', len - (size_t)(p - tale))) !=
	    NULL; p = end + 1)
		if (*p != '\0')
			allow(conf, s, *p, p + 1);
	free(tale);
}

void
scout_plugins(const struct conf *conf, const struct snapshot *snap,
    struct board_cell *cell, const struct sandbox *narrow,
    struct sandbox *wide)
{
	pid_t parent = getpid(), pid;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1)
		fatal("asking plugins what they need");
	if ((pid = fork()) == -1)
		fatal("asking plugins what they need");
	if (pid == 0) {
		strip(fds[1], parent);
		scout(conf, snap, cell, narrow);
	}
	(void)close(fds[1]);
	listen_to(fds[0], conf, wide);
	(void)close(fds[0]);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	note(cell, NULL);
}
