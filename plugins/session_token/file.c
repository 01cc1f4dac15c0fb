/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/random.h>
#include <sys/stat.h>

#include <openssl/crypto.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "file.h"

#define LINE	(2 * KEY_BYTES + 1)	/* hexadecimal digits and "\n" */

/* -1, and why. */
static int __attribute__((format(printf, 3, 4)))
fail(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return -1;
}

/* -- reading -- */

static int
check_private(const char *path, int fd, char *why, size_t size)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return fail(why, size, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail(why, size, "%s is not a regular file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return fail(why, size, "%s belongs to user %u, who could "
		    "change it; chown it to root", path, (unsigned)st.st_uid);
	if ((st.st_mode & (S_IWGRP | S_IRWXO)) != 0)
		return fail(why, size, "%s has mode %04o, so others may have "
		    "it; put new keys in it, and chmod 640 or 600 it", path,
		    (unsigned)(st.st_mode & 07777));
	return 0;
}

static ssize_t
read_all(int fd, char *p, size_t room)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, p + len, room - len)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		len += (size_t)n;
		if (len == room) {
			errno = EFBIG;
			return -1;
		}
	}
	return (ssize_t)len;
}

static struct keys *
keys_of(const char *path, int fd, char *text, char *why, size_t size)
{
	struct keys *k;
	char reason[200];
	ssize_t n;

	if (check_private(path, fd, why, size) == -1)
		return NULL;
	if ((n = read_all(fd, text, KEYS_TEXT_MAX)) == -1) {
		(void)fail(why, size, "%s: %s", path, strerror(errno));
		return NULL;
	}
	k = keys_new(text, (size_t)n, reason, sizeof(reason));
	if (k == NULL)
		(void)fail(why, size, "%s: %s", path, reason);
	return k;
}

struct keys *
keys_read(const char *path, char *why, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = malloc(KEYS_TEXT_MAX);
	struct keys *k = NULL;

	if (fd == -1)
		(void)fail(why, size, "%s: %s%s", path, strerror(errno),
		    errno == EACCES ? "; workers read it, as the user that "
		    "they run as" : "");
	else if (text == NULL)
		(void)fail(why, size, "out of memory");
	else
		k = keys_of(path, fd, text, why, size);
	if (text != NULL)
		OPENSSL_cleanse(text, KEYS_TEXT_MAX);
	free(text);
	if (fd != -1)
		(void)close(fd);
	return k;
}

/* -- making one -- */

static int
random_line(char line[LINE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[KEY_BYTES];
	unsigned i;

	if (getrandom(raw, sizeof(raw), 0) != KEY_BYTES)
		return -1;
	for (i = 0; i < KEY_BYTES; i++) {
		line[2 * i] = digits[raw[i] >> 4];
		line[2 * i + 1] = digits[raw[i] & 15];
	}
	line[LINE - 1] = '\n';
	OPENSSL_cleanse(raw, sizeof(raw));
	return 0;
}

static int
write_line(int fd)
{
	char line[LINE];
	int rc = -1, saved;

	if (random_line(line) == 0 && write(fd, line, LINE) == LINE)
		rc = fsync(fd);
	saved = errno;
	OPENSSL_cleanse(line, LINE);
	errno = saved;
	return rc;
}

/* The name lasts when the directory is on the disk, too. */
static void
sync_directory(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd;

	(void)snprintf(dir, sizeof(dir), "%.*s/",
	    slash == NULL ? 1 : (int)(slash - path), slash == NULL ? "." :
	    path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

/* link, not rename: whoever was first has made it. */
static int
make_file(const char *path, char *why, size_t size)
{
	char new[PATH_MAX];
	int fd, rc = 0;

	if ((size_t)snprintf(new, sizeof(new), "%s.XXXXXX", path) >=
	    sizeof(new))
		return fail(why, size, "%s: %s", path, strerror(ENAMETOOLONG));
	if ((fd = mkostemp(new, O_CLOEXEC)) == -1)
		return fail(why, size, "%s, for a key that is made once: %s; "
		    "have its directory writable for workers, or set key_file",
		    path, strerror(errno));
	if (write_line(fd) == -1 || (link(new, path) == -1 && errno != EEXIST))
		rc = fail(why, size, "%s, for a key that is made once: %s",
		    path, strerror(errno));
	(void)close(fd);
	(void)unlink(new);
	if (rc == 0)
		sync_directory(path);
	return rc;
}

struct keys *
keys_make(const char *path, char *why, size_t size)
{
	if (access(path, F_OK) == -1 && errno == ENOENT &&
	    make_file(path, why, size) == -1)
		return NULL;
	return keys_read(path, why, size);
}
