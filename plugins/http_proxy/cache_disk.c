/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <hostd/easy.h>
#include "cache_disk.h"

#define TOUCH_SECONDS	60	/* how exact "least recently used" is */

void
disk_path(const struct cache_name *n, const char *suffix,
    char out[DISK_NAME_MAX])
{
	(void)snprintf(out, DISK_NAME_MAX, "%02x/%016" PRIx64 "%016" PRIx64
	    "-%016" PRIx64 "%s", (unsigned)(n->a >> 56), n->a, n->b,
	    n->variant, suffix);
}

/* Can files be made there? */
static int
try_out(int dir)
{
	char name[32];
	int fd;

	(void)snprintf(name, sizeof(name), ".try-%ld", (long)getpid());
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd == -1)
		return -1;
	close(fd);
	return unlinkat(dir, name, 0);
}

int32_t
disk_open(struct cache_disk *d, const char *path, uint64_t max,
    struct hostd_err *err)
{
	memset(d, 0, sizeof(*d));
	d->max = max;
	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		goto fail;
	d->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->dir == -1)
		goto fail;
	if (try_out(d->dir) == 0)
		return HOSTD_OK;
	(void)hostd_fail(err, HOSTD_E_IO, "cache_dir %s: no file can be made "
	    "there: %s (it must belong to the user of the workers)", path,
	    strerror(errno));
	close(d->dir);
	d->dir = -1;
	return HOSTD_E_IO;
fail:
	d->dir = -1;
	return hostd_fail(err, HOSTD_E_IO, "cache_dir %s: %s", path,
	    strerror(errno));
}

void
disk_close(struct cache_disk *d)
{
	if (d->dir != -1)
		close(d->dir);
	d->dir = -1;
}

/* -- reading -- */

static int
read_fully(int fd, char *p, size_t n, off_t at)
{
	ssize_t got;

	for (; n > 0; p += got, at += got, n -= (size_t)got)
		if ((got = pread(fd, p, n, at)) <= 0)
			return -1;
	return 0;
}

struct cache_object *
disk_read_head(int fd, uint64_t size)
{
	char head[OBJECT_HEAD_MAX];
	struct cache_object *o;
	size_t n;

	if (read_fully(fd, head, OBJECT_START, 0) == -1 ||
	    (n = object_head_size(head)) == 0 || n > size ||
	    read_fully(fd, head, n, 0) == -1 ||
	    (o = object_unpack(head, n)) == NULL)
		return NULL;
	if (o->body_len != size - n) {
		object_unref(o);
		return NULL;
	}
	return o;
}

struct cache_object *
disk_get(const struct cache_disk *d, const struct cache_name *name,
    hostd_buf key, int64_t now)
{
	char path[DISK_NAME_MAX];
	struct cache_object *o;
	struct stat st;
	int fd;

	disk_path(name, "", path);
	fd = openat(d->dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    (o = disk_read_head(fd, (uint64_t)st.st_size)) == NULL) {
		(void)unlinkat(d->dir, path, 0);
		close(fd);
		return NULL;
	}
	o->fd = fd;
	if (o->key.n != key.n || memcmp(o->key.p, key.p, key.n) != 0) {
		object_unref(o);
		return NULL;
	}
	if (now - st.st_mtim.tv_sec > TOUCH_SECONDS)
		(void)futimens(fd, NULL);
	return o;
}

/* -- writing -- */

/* Is it still the file of that name? */
static int
is_named(int dir, const char *path, int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 &&
	    fstatat(dir, path, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int
open_part(const struct cache_disk *d, char *path)
{
	const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	int fd = openat(d->dir, path, flags, 0600);

	if (fd != -1 || errno != ENOENT)
		return fd;
	path[2] = '\0';
	(void)mkdirat(d->dir, path, 0700);
	path[2] = '/';
	return openat(d->dir, path, flags, 0600);
}

int
disk_lock(const struct cache_disk *d, const struct cache_name *name,
    struct disk_part *out)
{
	char path[DISK_NAME_MAX];
	int fd;

	disk_path(name, ".part", path);
	if ((fd = open_part(d, path)) == -1)
		return DISK_ERROR;
	if (flock(fd, LOCK_EX | LOCK_NB) == -1 ||
	    !is_named(d->dir, path, fd)) {
		/* Somebody has it, or has just ended with it. */
		close(fd);
		return DISK_BUSY;
	}
	out->fd = fd;
	out->name = *name;
	if (disk_rewind(out) == 0)
		return 0;
	disk_abort(d, out);
	return DISK_ERROR;
}

int
disk_rewind(const struct disk_part *p)
{
	return ftruncate(p->fd, 0) == 0 ? 0 : DISK_ERROR;
}

int
disk_write(const struct disk_part *p, const void *bytes, size_t n, uint64_t at)
{
	const char *from = bytes;
	ssize_t done;

	for (; n > 0; from += done, at += (uint64_t)done, n -= (size_t)done) {
		done = pwrite(p->fd, from, n, (off_t)at);
		if (done == -1 && errno == EINTR)
			done = 0;
		else if (done <= 0)
			return DISK_ERROR;
	}
	return 0;
}

int
disk_commit(const struct cache_disk *d, struct disk_part *p,
    const struct cache_name *name)
{
	char from[DISK_NAME_MAX], to[DISK_NAME_MAX];

	disk_path(&p->name, ".part", from);
	disk_path(name, "", to);
	if (renameat(d->dir, from, d->dir, to) == -1) {
		disk_abort(d, p);
		return DISK_ERROR;
	}
	close(p->fd);
	p->fd = -1;
	return 0;
}

void
disk_abort(const struct cache_disk *d, struct disk_part *p)
{
	char path[DISK_NAME_MAX];
	int saved = errno;

	if (p->fd == -1)
		return;
	disk_path(&p->name, ".part", path);
	(void)unlinkat(d->dir, path, 0);
	close(p->fd);
	p->fd = -1;
	errno = saved;
}

void
disk_remove(const struct cache_disk *d, const struct cache_name *name)
{
	char path[DISK_NAME_MAX];

	disk_path(name, "", path);
	(void)unlinkat(d->dir, path, 0);
}
