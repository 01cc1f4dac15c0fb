/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "master/dir.h"
#include "master/store.h"

/* Whoever can write here can have us run any code. */
static int
store_is_safe(const char *dir, char *why, size_t size)
{
	struct stat st;

	if (lstat(dir, &st) == -1) {
		(void)snprintf(why, size, "%s: %s", dir, strerror(errno));
		return 0;
	}
	if (!S_ISDIR(st.st_mode)) {
		(void)snprintf(why, size, "%s: not a directory", dir);
		return 0;
	}
	if (st.st_uid != geteuid()) {
		(void)snprintf(why, size,
		    "%s: belongs to user %u, not to %u; "
		    "remove it, or choose another run_dir",
		    dir, (unsigned)st.st_uid, (unsigned)geteuid());
		return 0;
	}
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		(void)snprintf(why, size,
		    "%s: can be written by others; chmod go-w it", dir);
		return 0;
	}
	return 1;
}

static int
store_make(
    const char *run_dir, const char *name, mode_t mode, char *why, size_t size)
{
	char *path = name[0] == '\0' ? xstrdup(run_dir)
				     : xasprintf("%s/%s", run_dir, name);
	int rc = -1;

	if (dir_make(path, mode, why, size) == 0 &&
	    store_is_safe(path, why, size))
		rc = 0;
	free(path);
	return rc;
}

static int
store_lock(const char *run_dir, char *why, size_t size)
{
	char *path = xasprintf("%s/lock", run_dir), pid[32] = "";
	int fd;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1) {
		(void)snprintf(why, size, "%s: %s", path, strerror(errno));
	} else if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (pread(fd, pid, sizeof(pid) - 1, 0) <= 0)
			pid[0] = '\0';
		pid[strcspn(pid, "\n")] = '\0';
		(void)snprintf(why, size,
		    "another hostd (pid %s) is running in %s",
		    pid[0] != '\0' ? pid : "?", run_dir);
		(void)close(fd);
		fd = -1;
	} else {
		/* Only for the message above. */
		if (ftruncate(fd, 0) == -1 ||
		    dprintf(fd, "%d\n", (int)getpid()) < 0)
			log_warn("%s", path);
	}
	free(path);
	return fd;
}

static void
store_remove(const char *run_dir, const char *name)
{
	char *path = xasprintf("%s/%s", run_dir, name);

	dir_remove(path);
	free(path);
}

int
store_make_dirs(const char *run_dir, char *why, size_t size)
{
	if (store_make(run_dir, "", 0755, why, size) == -1 ||
	    store_make(run_dir, "gen", 0700, why, size) == -1 ||
	    store_make(run_dir, "plugins", 0755, why, size) == -1)
		return -1;
	return 0;
}

int
store_open(const char *run_dir, char *why, size_t size)
{
	int lock;

	if (store_make(run_dir, "", 0755, why, size) == -1)
		return -1;
	lock = store_lock(run_dir, why, size);
	if (lock == -1)
		return -1;
	store_remove(run_dir, "gen");
	store_remove(run_dir, "plugins");
	if (store_make_dirs(run_dir, why, size) == -1) {
		(void)close(lock);
		return -1;
	}
	return lock;
}

/* The lock file itself stays: removing it would let two masters each lock
 * their own. */
void
store_close(const char *run_dir, int lock)
{
	store_remove(run_dir, "gen");
	store_remove(run_dir, "plugins");
	(void)close(lock);
}

/* ---- cleaning ---- */

struct cleaning {
	const char *dir;
	const struct generations *gens;
};

static void
clean_generation(const char *name, void *arg)
{
	const struct cleaning *c = arg;
	const struct generation *g;
	char *path = xasprintf("%s/%s", c->dir, name);

	TAILQ_FOREACH (g, c->gens, link)
		if (strcmp(g->dir, path) == 0)
			break;
	if (g == NULL)
		dir_remove(path);
	free(path);
}

static int
generation_has(const struct generation *g, const char *copy)
{
	const struct map_entry *e;
	size_t it = 0;

	while ((e = map_next(&g->snapshot.modules, &it)) != NULL)
		if (strcmp(e->value, copy) == 0)
			return 1;
	return 0;
}

static void
clean_plugin(const char *name, void *arg)
{
	const struct cleaning *c = arg;
	const struct generation *g;
	char *path = xasprintf("%s/%s", c->dir, name);

	TAILQ_FOREACH (g, c->gens, link)
		if (generation_has(g, path))
			break;
	if (g == NULL)
		(void)unlink(path);
	free(path);
}

void
store_clean(const char *run_dir, const struct generations *gens)
{
	char *gen = xasprintf("%s/gen", run_dir);
	char *plugins = xasprintf("%s/plugins", run_dir);
	struct cleaning c = {.gens = gens};

	c.dir = gen;
	dir_each(gen, clean_generation, &c);
	c.dir = plugins;
	dir_each(plugins, clean_plugin, &c);
	free(gen);
	free(plugins);
}
