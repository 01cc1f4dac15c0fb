/* SPDX-License-Identifier: BSD-2-Clause */
/* A directory of a test's own, with files in it.  Include after cmocka.h. */
#ifndef UNIT_SCRATCH_H
#define UNIT_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[256];

static inline void
scratch_make(void)
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(scratch, sizeof(scratch), "%s/hostd-unit.XXXXXX",
	    tmp != NULL && tmp[0] == '/' ? tmp : "/tmp");
	assert_non_null(mkdtemp(scratch));
}

static inline int
scratch_unlink(
    const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void
scratch_remove(void)
{
	(void)nftw(scratch, scratch_unlink, 8, FTW_DEPTH | FTW_PHYS);
}

/* The path of name there; good until the next but three calls. */
static inline const char *
scratch_path(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", scratch, name);
	return path;
}

static inline void
scratch_mkdir(const char *name)
{
	assert_int_equal(mkdir(scratch_path(name), 0700), 0);
}

static inline void
scratch_write(const char *name, const void *data, size_t n)
{
	int fd = open(scratch_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, data, n), n);
	assert_int_equal(close(fd), 0);
}

static inline void
scratch_puts(const char *name, const char *text)
{
	scratch_write(name, text, strlen(text));
}

/* text without the directory's name, wherever it stands in it. */
static inline const char *
scratch_strip(const char *text)
{
	static char out[4096];
	size_t n = strlen(scratch), at = 0;

	while (*text != '\0' && at < sizeof(out) - 1)
		if (strncmp(text, scratch, n) == 0 && text[n] == '/')
			text += n + 1;
		else
			out[at++] = *text++;
	out[at] = '\0';
	return out;
}

#endif
