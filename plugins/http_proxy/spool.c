/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "spool.h"

static int32_t
bytes_put(struct spool_bytes *b, hostd_buf part)
{
	size_t have = b->to - b->from, room = b->room;
	char *p;

	if (part.n > b->room - b->to && b->from > 0) {
		memmove(b->p, b->p + b->from, have);
		b->from = 0;
		b->to = have;
	}
	if (part.n > b->room - b->to) {
		for (room = room > 0 ? room : 4096; room - have < part.n;
		    room *= 2)
			;
		if ((p = realloc(b->p, room)) == NULL)
			return HOSTD_E_NOMEM;
		b->p = p;
		b->room = room;
	}
	memcpy(b->p + b->to, part.p, part.n);
	b->to += part.n;
	return HOSTD_OK;
}

static size_t
bytes_left(const struct spool_bytes *b)
{
	return b->to - b->from;
}

/* A file that nobody else can open, and that ends with us. */
static int
file_make(const char *dir)
{
	char path[4096];
	int fd, n;

	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd != -1 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	n = snprintf(path, sizeof(path), "%s/hostd-proxy-XXXXXX", dir);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((fd = mkostemp(path, O_CLOEXEC)) != -1)
		(void)unlink(path);
	return fd;
}

static int
file_write(struct spool *s, hostd_buf part)
{
	const char *p = part.p;
	uint64_t at = s->to;
	ssize_t n;

	while (part.n > 0) {
		n = pwrite(s->fd - 1, p, part.n, (off_t)at);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0)
				errno = ENOSPC;
			return -1;
		}
		p += n;
		at += (uint64_t)n;
		part.n -= (size_t)n;
	}
	s->to = at;
	return 0;
}

/* 0, or -1: it does not go there. */
static int
file_put(struct spool *s, const struct spool_limits *lim, hostd_buf part,
    int *error)
{
	int fd;

	if (bytes_left(&s->back) > 0 || s->to + part.n > lim->file)
		return -1;
	if (s->fd == 0) {
		if ((fd = file_make(lim->dir)) == -1) {
			*error = errno;
			return -1;
		}
		s->fd = fd + 1;
	}
	if (file_write(s, part) == -1) {
		*error = errno;
		return -1;
	}
	return 0;
}

int32_t
spool_put(struct spool *s, const struct spool_limits *lim, hostd_buf part,
    int *error)
{
	int32_t rc;

	*error = 0;
	if (part.n == 0)
		return HOSTD_OK;
	if (s->from == s->to && bytes_left(&s->back) == 0 &&
	    bytes_left(&s->front) + part.n <= lim->memory)
		rc = bytes_put(&s->front, part);
	else if (file_put(s, lim, part, error) == 0)
		rc = HOSTD_OK;
	else if ((rc = bytes_put(&s->back, part)) == HOSTD_OK)
		rc = HOSTD_AGAIN;
	if (rc >= 0)
		s->size += part.n;
	return rc;
}

static int32_t
file_peek(struct spool *s, char *buf, size_t size, hostd_buf *out)
{
	uint64_t left = s->to - s->from;
	ssize_t n;

	do
		n = pread(s->fd - 1, buf, left < size ? (size_t)left : size,
		    (off_t)s->from);
	while (n == -1 && errno == EINTR);
	if (n <= 0) {
		if (n == 0)
			errno = EIO;
		return HOSTD_E_IO;
	}
	out->p = buf;
	out->n = (size_t)n;
	return HOSTD_OK;
}

int32_t
spool_peek(struct spool *s, char *buf, size_t size, hostd_buf *out)
{
	struct spool_bytes *b = bytes_left(&s->front) > 0 ? &s->front :
	    &s->back;

	if (b == &s->back && s->from < s->to)
		return file_peek(s, buf, size, out);
	out->p = b->p + b->from;
	out->n = bytes_left(b) < size ? bytes_left(b) : size;
	return HOSTD_OK;
}

void
spool_drop(struct spool *s, size_t n)
{
	s->size -= n;
	if (bytes_left(&s->front) > 0) {
		s->front.from += n;
	} else if (s->from < s->to) {
		s->from += n;
		/* Its blocks are free for what comes next. */
		if (s->from == s->to && s->kept == 0 &&
		    ftruncate(s->fd - 1, 0) == 0)
			s->from = s->to = 0;
	} else
		s->back.from += n;
	if (s->size == 0 && s->kept == 0) {
		s->front.from = s->front.to = 0;
		s->back.from = s->back.to = 0;
	}
}

void
spool_keep(struct spool *s)
{
	s->kept = s->size;
}

void
spool_rewind(struct spool *s)
{
	s->front.from = s->back.from = 0;
	s->from = 0;
	s->size = s->kept;
}

int
spool_is_memory(const struct spool *s, hostd_buf *out)
{
	if (bytes_left(&s->front) != s->size)
		return 0;
	out->p = s->front.p + s->front.from;
	out->n = (size_t)s->size;
	return 1;
}

void
spool_free(struct spool *s)
{
	free(s->front.p);
	free(s->back.p);
	if (s->fd != 0)
		close(s->fd - 1);
	memset(s, 0, sizeof(*s));
}
