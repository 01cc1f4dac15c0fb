/* SPDX-License-Identifier: BSD-2-Clause */
/* Going through the whole directory of a cache, on a pool thread. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cache_disk.h"

#define PIECE	(16u << 20)

struct found {
	struct timespec used;
	uint64_t size;
	char path[DISK_NAME_MAX];
};

struct list {
	struct found *v;
	size_t n, size;
	uint64_t bytes;
};

/* Call fn for each file; it returns nonzero to end it. */
static void
walk_one(int dir, unsigned sub, int (*fn)(int dir, const char *path,
    void *arg), void *arg)
{
	char path[DISK_NAME_MAX];
	struct dirent *e;
	DIR *d;
	int fd, end = 0;

	(void)snprintf(path, sizeof(path), "%02x", sub);
	fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW);
	if (fd == -1)
		return;
	if ((d = fdopendir(fd)) == NULL) {
		close(fd);
		return;
	}
	while (!end && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && (size_t)snprintf(path,
		    sizeof(path), "%02x/%s", sub, e->d_name) < sizeof(path))
			end = fn(dir, path, arg);
	closedir(d);
}

static int
is_part(const char *path)
{
	size_t n = strlen(path);

	return n > 5 && strcmp(path + n - 5, ".part") == 0;
}

/* One that nobody holds was left by somebody who died. */
static void
sweep_part(int dir, const char *path)
{
	struct stat a, b;
	int fd = openat(dir, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd == -1)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &a) == 0 &&
	    fstatat(dir, path, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	    a.st_ino == b.st_ino)
		(void)unlinkat(dir, path, 0);
	close(fd);
}

static int
collect(int dir, const char *path, void *arg)
{
	struct list *l = arg;
	size_t size = l->size == 0 ? 1024 : l->size * 2;
	struct found *v;
	struct stat st;

	if (is_part(path)) {
		sweep_part(dir, path);
		return 0;
	}
	if (fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode))
		return 0;
	if (l->n == l->size) {
		if ((v = realloc(l->v, size * sizeof(*v))) == NULL)
			return -1;
		l->v = v;
		l->size = size;
	}
	v = &l->v[l->n++];
	v->used = st.st_mtim;
	v->size = (uint64_t)st.st_blocks * 512;
	(void)snprintf(v->path, sizeof(v->path), "%s", path);
	l->bytes += v->size;
	return 0;
}

static int
by_use(const void *pa, const void *pb)
{
	const struct found *a = pa, *b = pb;

	if (a->used.tv_sec != b->used.tv_sec)
		return a->used.tv_sec < b->used.tv_sec ? -1 : 1;
	return a->used.tv_nsec < b->used.tv_nsec ? -1 :
	    a->used.tv_nsec > b->used.tv_nsec;
}

/* Some more than is needed, so as not to come again at once. */
static void
make_room(int dir, struct list *l, uint64_t max)
{
	size_t i;

	qsort(l->v, l->n, sizeof(*l->v), by_use);
	for (i = 0; l->bytes > max && i < l->n; i++)
		if (unlinkat(dir, l->v[i].path, 0) == 0)
			l->bytes -= l->v[i].size;
}

void
disk_sweep(int dir, uint64_t max)
{
	struct list l = { NULL, 0, 0, 0 };
	unsigned sub;
	int lock;

	lock = openat(dir, ".sweep", O_RDWR | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (lock == -1)
		return;
	if (flock(lock, LOCK_EX | LOCK_NB) == 0) {
		for (sub = 0; sub < 256; sub++)
			walk_one(dir, sub, collect, &l);
		if (l.bytes > max)
			make_room(dir, &l, max - max / 8);
		free(l.v);
	}
	close(lock);
}

/* -- counting -- */

struct usage {
	uint64_t n, bytes;
};

static int
count_one(int dir, const char *path, void *arg)
{
	struct usage *u = arg;
	struct stat st;

	if (is_part(path) ||
	    fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode))
		return 0;
	u->n++;
	u->bytes += (uint64_t)st.st_blocks * 512;
	return 0;
}

void
disk_usage(int dir, uint64_t *n, uint64_t *bytes)
{
	struct usage u = { 0, 0 };
	unsigned sub;

	for (sub = 0; sub < 256; sub++)
		walk_one(dir, sub, count_one, &u);
	*n = u.n;
	*bytes = u.bytes;
}

/* -- purge -- */

struct purge {
	hostd_buf key;
	int prefix;
	size_t nsame;			/* of path, for a key alone: */
	char path[DISK_NAME_MAX];
	unsigned n;
};

static int
purge_one(int dir, const char *path, void *arg)
{
	struct purge *p = arg;
	struct cache_object *o = NULL;
	struct stat st;
	int fd;

	if (is_part(path) || strncmp(path, p->path, p->nsame) != 0)
		return 0;
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	if (fd == -1)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		o = disk_read_head(fd, (uint64_t)st.st_size);
	if (o != NULL && (p->prefix ? o->key.n >= p->key.n :
	    o->key.n == p->key.n) &&
	    memcmp(o->key.p, p->key.p, p->key.n) == 0 &&
	    unlinkat(dir, path, 0) == 0)
		p->n++;
	object_unref(o);
	close(fd);
	return 0;
}

unsigned
disk_purge(int dir, hostd_buf key, int prefix)
{
	struct purge p = { .key = key, .prefix = prefix };
	struct cache_name name;
	unsigned sub;

	if (prefix) {
		for (sub = 0; sub < 256; sub++)
			walk_one(dir, sub, purge_one, &p);
	} else {
		object_name(key, 0, &name);
		disk_path(&name, "", p.path);
		p.nsame = strcspn(p.path, "-");
		walk_one(dir, (unsigned)(name.a >> 56), purge_one, &p);
	}
	return p.n;
}

/* -- another head for the same body -- */

static int
copy_range(int to, uint64_t at, int fd, uint64_t from, uint64_t len)
{
	off_t in = (off_t)from, out = (off_t)at;
	ssize_t n;

	while (len > 0) {
		n = copy_file_range(fd, &in, to, &out,
		    len < PIECE ? (size_t)len : PIECE, 0);
		if (n <= 0)
			return DISK_ERROR;
		len -= (uint64_t)n;
	}
	return 0;
}

int
disk_copy(const struct disk_part *p, const char *head, size_t nhead, int fd,
    uint64_t from, uint64_t len)
{
	if (disk_rewind(p) == DISK_ERROR ||
	    disk_write(p, head, nhead, 0) == DISK_ERROR)
		return DISK_ERROR;
	return copy_range(p->fd, nhead, fd, from, len);
}
