/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "master/dir.h"

static int
dir_make_one(const char *path, mode_t mode)
{
	if (mkdir(path, mode) == -1)
		return errno == EEXIST ? 0 : -1;
	return chmod(path, mode); /* whatever the umask */
}

int
dir_make(const char *path, mode_t mode, char *why, size_t size)
{
	char part[4096];
	struct stat st;
	char *p;

	if ((size_t)snprintf(part, sizeof(part), "%s", path) >= sizeof(part)) {
		(void)snprintf(why, size, "%.100s...: name too long", path);
		return -1;
	}
	for (p = strchr(part + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (dir_make_one(part, 0755) == -1)
			goto fail;
		*p = '/';
	}
	if (dir_make_one(part, mode) == -1)
		goto fail;
	if (stat(part, &st) == -1)
		goto fail;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		goto fail;
	}
	return 0;
fail:
	(void)snprintf(
	    why, size, "cannot make directory %s: %s", part, strerror(errno));
	return -1;
}

static int
is_self_or_parent(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void
dir_empty_at(int parent, const char *name)
{
	struct dirent *e;
	DIR *d;
	int fd;

	fd = openat(
	    parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return;
	d = fdopendir(fd);
	if (d == NULL) {
		(void)close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (is_self_or_parent(e->d_name))
			continue;
		if (unlinkat(fd, e->d_name, 0) == 0)
			continue;
		dir_empty_at(fd, e->d_name);
		(void)unlinkat(fd, e->d_name, AT_REMOVEDIR);
	}
	(void)closedir(d);
}

void
dir_remove(const char *path)
{
	dir_empty_at(AT_FDCWD, path);
	(void)rmdir(path);
}

void
dir_each(const char *path, void (*fn)(const char *name, void *), void *arg)
{
	struct dirent *e;
	DIR *d = opendir(path);

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (!is_self_or_parent(e->d_name))
			fn(e->d_name, arg);
	(void)closedir(d);
}
