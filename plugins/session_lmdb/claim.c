/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "claim.h"

#define CLAIM_OPENING	((off_t)1 << 40)	/* no process has that number */

static int
lock_byte(int fd, int cmd, short type, off_t at, off_t n)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET,
		.l_start = at, .l_len = n };

	if (fcntl(fd, cmd, &l) == -1)
		return -1;
	return cmd == F_OFD_GETLK && l.l_type != F_UNLCK;
}

static void
stat_into(const char *path, uint64_t *dev, uint64_t *ino)
{
	struct stat st;

	*dev = *ino = 0;
	if (stat(path, &st) == 0) {
		*dev = (uint64_t)st.st_dev;
		*ino = (uint64_t)st.st_ino;
	}
}

void
identity_of(const char *path, struct identity *id)
{
	char lock[PATH_MAX];

	(void)snprintf(lock, sizeof(lock), "%s-lock", path);
	stat_into(path, &id->dev, &id->ino);
	stat_into(lock, &id->lock_dev, &id->lock_ino);
}

/* Others have what is not there any more. */
static int
is_replaced(int fd, const char *path)
{
	struct identity now, then;

	if (lock_byte(fd, F_OFD_GETLK, F_WRLCK, 1, CLAIM_OPENING - 1) != 1 ||
	    pread(fd, &then, sizeof(then), 0) != (ssize_t)sizeof(then))
		return 0;
	identity_of(path, &now);
	return memcmp(&now, &then, sizeof(now)) != 0;
}

static int
claim_process(int fd, const char *path, char *why, size_t size)
{
	if (lock_byte(fd, F_OFD_SETLKW, F_WRLCK, CLAIM_OPENING, 1) == -1) {
		(void)snprintf(why, size, "the file beside it that ends in "
		    "-sweep can't be locked: %s", strerror(errno));
		return -1;
	}
	if (is_replaced(fd, path)) {
		(void)snprintf(why, size, "it, or the file beside it that ends "
		    "in -lock, was removed or replaced while other workers had "
		    "it open; they notice within sweep_interval, so try again");
		return -1;
	}
	if (lock_byte(fd, F_OFD_SETLK, F_WRLCK, 1 + (off_t)getpid(), 1) == -1) {
		(void)snprintf(why, size, "another plugin block has the same "
		    "path");
		return -1;
	}
	return 0;
}

int
claim_open(struct claim *c, const char *path, char *why, size_t size)
{
	char name[PATH_MAX];

	c->sweeps = 0;
	c->fd = -1;
	if (snprintf(name, sizeof(name), "%s-sweep", path) >=
	    (int)sizeof(name)) {
		(void)snprintf(why, size, "the name is too long");
		return -1;
	}
	c->fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (c->fd == -1) {
		(void)snprintf(why, size, "the file beside it that ends in "
		    "-sweep: %s; workers, which run as uid %u, must be able to "
		    "read and write it", strerror(errno), (unsigned)geteuid());
		return -1;
	}
	if (claim_process(c->fd, path, why, size) == 0)
		return 0;
	claim_close(c);
	return -1;
}

void
claim_opened(struct claim *c, const char *path, struct identity *id)
{
	identity_of(path, id);
	/* Where it can't be written nobody compares. */
	if (pwrite(c->fd, id, sizeof(*id), 0) != (ssize_t)sizeof(*id))
		(void)!ftruncate(c->fd, 0);
	(void)lock_byte(c->fd, F_OFD_SETLK, F_UNLCK, CLAIM_OPENING, 1);
}

int
claim_sweep(struct claim *c)
{
	if (!c->sweeps)
		c->sweeps = lock_byte(c->fd, F_OFD_SETLK, F_WRLCK, 0, 1) == 0;
	return c->sweeps;
}

void
claim_close(struct claim *c)
{
	if (c->fd != -1)
		(void)close(c->fd);
	c->fd = -1;
	c->sweeps = 0;
}
