/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/stat.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "ctl/check.h"
#include "ctl/check_dir.h"

#define OPEN_MAX_DIRS 8

static char *top;

void
check_dir_make(void)
{
	const char *tmp = getenv("TMPDIR");

	top = xasprintf("%s/hostctl-check.XXXXXX",
	    tmp != NULL && tmp[0] == '/' ? tmp : "/tmp");
	if (mkdtemp(top) == NULL)
		fatal("making a directory in %s", tmp != NULL ? tmp : "/tmp");
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
check_dir_remove(void)
{
	(void)nftw(top, remove_one, OPEN_MAX_DIRS, FTW_DEPTH | FTW_PHYS);
	free(top);
	top = NULL;
}

/* Every case is a process. */
char *
check_dir_path(unsigned number, const char *rest)
{
	char *dir = xasprintf("%s/%d-%u", top, (int)getpid(), number);
	char *path;

	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		check_fail("%s: %s", dir, strerror(errno));
	path = xasprintf("%s/%s", dir, rest);
	free(dir);
	return path;
}
