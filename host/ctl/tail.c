/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "ctl/tail.h"

#define MARK 64
#define LOOK_MS 1000 /* for what inotify does not tell (NFS, other hosts) */

struct tail {
	const char *path;
	tail_pred counts;
	tail_line told;
	void *arg;
	int fd;		/* -1: not there (yet) */
	int before;	/* renamed: some may still write to it; -1: none */
	off_t at;
	char mark[MARK];	/* the last bytes before that */
	size_t nmark;
	struct buf part, part_before;	/* lines without their end */
};

struct tail *
tail_open(const char *path, tail_pred counts, tail_line told, void *arg)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct tail *t;

	if (fd == -1 && errno != ENOENT)
		return NULL;
	t = xcalloc(1, sizeof(*t));
	t->path = path;
	t->counts = counts;
	t->told = told;
	t->arg = arg;
	t->fd = fd;
	t->before = -1;
	return t;
}

static void
tail_drop(int *fd, struct buf *part)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
	buf_consume(part, part->len);
}

void
tail_close(struct tail *t)
{
	tail_drop(&t->fd, &t->part);
	tail_drop(&t->before, &t->part_before);
	buf_free(&t->part);
	buf_free(&t->part_before);
	free(t);
}

/* ---- lines ---- */

static void
tail_lines(struct tail *t, struct buf *part, tail_line told, void *arg)
{
	size_t from = 0, n;
	const char *nl;

	while (from < part->len &&
	    (nl = memchr(part->p + from, '\n', part->len - from)) != NULL) {
		n = (size_t)(nl - (part->p + from));
		if (t->counts(t->arg, part->p + from, n))
			told(arg, part->p + from, n);
		from += n + 1;
	}
	buf_consume(part, from);
}

static void
tail_mark(struct tail *t, const char *p, size_t n)
{
	size_t keep;

	if (n >= MARK) {
		memcpy(t->mark, p + n - MARK, MARK);
		t->nmark = MARK;
		return;
	}
	keep = t->nmark < MARK - n ? t->nmark : MARK - n;
	memmove(t->mark, t->mark + t->nmark - keep, keep);
	memcpy(t->mark + keep, p, n);
	t->nmark = keep + n;
}

/* It is shorter; or it has grown again meanwhile, but what we have read last is
 * not what stands there. */
static int
tail_is_emptied(const struct tail *t)
{
	char there[MARK];
	struct stat st;

	if (fstat(t->fd, &st) == -1)
		return 0;
	if (st.st_size < t->at)
		return 1;
	return pread(t->fd, there, t->nmark, t->at - (off_t)t->nmark) ==
	    (ssize_t)t->nmark && memcmp(there, t->mark, t->nmark) != 0;
}

static void
tail_restart(struct tail *t)
{
	t->at = 0;
	t->nmark = 0;
}

/* To the end of what is there. */
static void
tail_read(struct tail *t, int fd, struct buf *part, tail_line told, void *arg)
{
	static char space[65536];
	ssize_t n;

	while ((n = read(fd, space, sizeof(space))) > 0) {
		buf_append(part, space, (size_t)n);
		if (fd == t->fd) {
			t->at += n;
			tail_mark(t, space, (size_t)n);
		}
		tail_lines(t, part, told, arg);
	}
}

/* ---- the end of it ---- */

struct last {
	char **lines;
	size_t *lens;
	size_t n, seen;
};

static void
last_add(void *arg, const char *line, size_t n)
{
	struct last *l = arg;
	size_t i = l->seen++ % l->n;

	free(l->lines[i]);
	l->lines[i] = xstrndup(line, n);
	l->lens[i] = n;
}

static void
last_tell(struct last *l, struct tail *t)
{
	size_t i, first = l->seen > l->n ? l->seen - l->n : 0;

	for (i = first; i < l->seen; i++)
		t->told(t->arg, l->lines[i % l->n], l->lens[i % l->n]);
	for (i = 0; i < l->n; i++)
		free(l->lines[i]);
}

/* Where the first whole line begins that is not too far from the end. */
static void
tail_seek(struct tail *t)
{
	struct stat st;
	char byte;

	if (fstat(t->fd, &st) == -1 || st.st_size <= TAIL_BACK)
		return;
	t->at = lseek(t->fd, st.st_size - TAIL_BACK, SEEK_SET);
	while (read(t->fd, &byte, 1) == 1 && ++t->at > 0 && byte != '\n')
		;
}

void
tail_last(struct tail *t, size_t n)
{
	struct last l = {.n = n};

	if (t->fd == -1)
		return;
	if (n == 0) {
		t->at = lseek(t->fd, 0, SEEK_END);
		return;
	}
	tail_seek(t);
	l.lines = xcalloc(n, sizeof(l.lines[0]));
	l.lens = xcalloc(n, sizeof(l.lens[0]));
	tail_read(t, t->fd, &t->part, last_add, &l);
	last_tell(&l, t);
	free(l.lines);
	free(l.lens);
}

/* ---- what comes ---- */

/* Is there another file of that name now?  Writers come one by one, so the old
 * one is read on for as long as there is none yet newer. */
static void
tail_reopen(struct tail *t)
{
	struct stat there, here;
	int fd;

	if (stat(t->path, &there) == -1 || !S_ISREG(there.st_mode))
		return;
	if (t->fd != -1 && fstat(t->fd, &here) == 0 &&
	    here.st_ino == there.st_ino && here.st_dev == there.st_dev)
		return;
	fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1)
		return;
	tail_drop(&t->before, &t->part_before);
	t->before = t->fd;
	buf_append(&t->part_before, t->part.p, t->part.len);
	buf_consume(&t->part, t->part.len);
	t->fd = fd;
	tail_restart(t);
}

void
tail_more(struct tail *t)
{
	if (t->before != -1)
		tail_read(t, t->before, &t->part_before, t->told, t->arg);
	if (t->fd != -1 && tail_is_emptied(t)) {
		(void)lseek(t->fd, 0, SEEK_SET);
		tail_restart(t);
		buf_consume(&t->part, t->part.len);
	}
	if (t->fd != -1)
		tail_read(t, t->fd, &t->part, t->told, t->arg);
	tail_reopen(t);
	if (t->fd != -1 && t->at == 0)
		tail_read(t, t->fd, &t->part, t->told, t->arg);
}

/* The directory tells of the file as well, and of its successor. */
static int
tail_watch(int in, const struct tail *t)
{
	char *dir = xstrdup(t->path), *slash = strrchr(dir, '/');
	int rc;

	if (slash != NULL)
		slash[slash == dir] = '\0';
	rc = inotify_add_watch(in, slash != NULL ? dir : ".",
	    IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM);
	free(dir);
	return rc;
}

int
tail_follow(struct tail *const *all, size_t n)
{
	struct pollfd p = {.events = POLLIN};
	char events[4096];
	ssize_t len;
	size_t i;
	int rc;

	p.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (p.fd == -1)
		return -1;
	for (i = 0; i < n; i++)
		(void)tail_watch(p.fd, all[i]);
	do {
		for (i = 0; i < n; i++)
			tail_more(all[i]);
		(void)fflush(stdout);
		rc = poll(&p, 1, LOOK_MS);
		do
			len = rc > 0 ? read(p.fd, events, sizeof(events)) : 0;
		while (len > 0);
	} while (!ferror(stdout) && (rc >= 0 || errno == EINTR));
	(void)close(p.fd);
	return -1;
}
