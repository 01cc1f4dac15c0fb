/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "sandbox/path_call.h"

uint64_t sandbox_key;

/* Only newer kernels' headers have it. */
#ifndef SYS_fchmodat2
#define SYS_fchmodat2	452
#endif

#define CWD	-1

const struct path_call path_calls[] = {
	{ SYS_openat, PATH_OPEN, 0, 1, 2, 0, 0 },
	{ SYS_openat2, PATH_OPEN_HOW, 0, 1, 2, 0, 0 },
	{ SYS_execve, PATH_EXEC, CWD, 0, 0, 0, 0 },
	{ SYS_execveat, PATH_EXEC, 0, 1, 0, 0, 0 },
	{ SYS_truncate, PATH_CHANGE, CWD, 0, 0, 0, 0 },
	{ SYS_fchmodat, PATH_CHANGE, 0, 1, 0, 0, 0 },
	{ SYS_fchmodat2, PATH_CHANGE, 0, 1, 0, 0, 0 },
	{ SYS_fchownat, PATH_CHANGE, 0, 1, 0, 0, 0 },
	{ SYS_utimensat, PATH_CHANGE, 0, 1, 0, 0, 0 },
	{ SYS_mkdirat, PATH_ENTRY, 0, 1, 0, 0, 0 },
	{ SYS_mknodat, PATH_ENTRY, 0, 1, 0, 0, 0 },
	{ SYS_unlinkat, PATH_ENTRY, 0, 1, 0, 0, 0 },
	{ SYS_symlinkat, PATH_ENTRY, 1, 2, 0, 0, 0 },
	{ SYS_linkat, PATH_ENTRY, 0, 1, 0, 2, 3 },
#ifdef SYS_renameat
	{ SYS_renameat, PATH_ENTRY, 0, 1, 0, 2, 3 },
#endif
	{ SYS_renameat2, PATH_ENTRY, 0, 1, 0, 2, 3 },
#ifdef SYS_open		/* of before the calls with a directory */
	{ SYS_open, PATH_OPEN, CWD, 0, 1, 0, 0 },
	{ SYS_creat, PATH_OPEN, CWD, 0, -1, 0, 0 },
	{ SYS_chmod, PATH_CHANGE, CWD, 0, 0, 0, 0 },
	{ SYS_chown, PATH_CHANGE, CWD, 0, 0, 0, 0 },
	{ SYS_lchown, PATH_CHANGE, CWD, 0, 0, 0, 0 },
	{ SYS_utime, PATH_CHANGE, CWD, 0, 0, 0, 0 },
	{ SYS_utimes, PATH_CHANGE, CWD, 0, 0, 0, 0 },
	{ SYS_mkdir, PATH_ENTRY, CWD, 0, 0, 0, 0 },
	{ SYS_mknod, PATH_ENTRY, CWD, 0, 0, 0, 0 },
	{ SYS_rmdir, PATH_ENTRY, CWD, 0, 0, 0, 0 },
	{ SYS_unlink, PATH_ENTRY, CWD, 0, 0, 0, 0 },
	{ SYS_symlink, PATH_ENTRY, CWD, 1, 0, 0, 0 },
	{ SYS_link, PATH_ENTRY, CWD, 0, 0, CWD, 1 },
	{ SYS_rename, PATH_ENTRY, CWD, 0, 0, CWD, 1 },
#endif
	{ -1, PATH_OPEN, 0, 0, 0, 0, 0 },
};

const struct path_call *
path_call_find(int nr)
{
	const struct path_call *p;

	for (p = path_calls; p->nr != -1; p++)
		if (p->nr == nr)
			return p;
	return NULL;
}

void
text_add(char *text, size_t size, const char *more)
{
	size_t n = strlen(text);

	while (*more != '\0' && n + 1 < size)
		text[n++] = *more++;
	text[n] = '\0';
}

/* -- what is really there -- */

static int
key_open(int dir, const char *path, int flags)
{
	return (int)syscall(SYS_openat, dir, path, flags | O_PATH | O_CLOEXEC,
	    0, 0, sandbox_key);
}

/* The path of an open file. */
static int
name_of(int fd, char *out, size_t size)
{
	char link[32] = "/proc/self/fd/", digits[12];
	size_t i = sizeof(digits) - 1;
	ssize_t n;

	digits[i] = '\0';
	do
		digits[--i] = (char)('0' + fd % 10);
	while ((fd /= 10) > 0);
	text_add(link, sizeof(link), &digits[i]);
	n = readlink(link, out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	return n > 0 ? 0 : -1;
}

static int
name_at(int dir, const char *path, int flags, char *out, size_t size)
{
	int fd = key_open(dir, path, flags), rc;

	if (fd == -1)
		return -1;
	rc = name_of(fd, out, size);
	(void)close(fd);
	return rc;
}

/* The name of an entry that is not there: its directory's, and its own. */
static int
name_of_entry(int dir, const char *path, char *out, size_t size)
{
	const char *slash = strrchr(path, '/');
	const char *own = slash == NULL ? path : slash + 1;
	char parent[PATH_MAX] = "";

	if (slash == NULL)
		text_add(parent, sizeof(parent), ".");
	else if ((size_t)(slash - path) < sizeof(parent) - 1) {
		memcpy(parent, path, (size_t)(slash - path));
		parent[slash - path] = '\0';
		text_add(parent, sizeof(parent), "/");
	}
	if (name_at(dir, parent, O_DIRECTORY, out, size) == -1)
		return -1;
	if (strcmp(out, "/") != 0)
		text_add(out, size, "/");
	text_add(out, size, own);
	return 0;
}

/* As far as permissions let us look; else as it was written. */
static void
name_real(int dir, const char *path, int is_entry, char *out, size_t size)
{
	if (!is_entry && name_at(dir, path, 0, out, size) == 0)
		return;
	if (name_of_entry(dir, path, out, size) == 0)
		return;
	out[0] = '\0';
	text_add(out, size, path);
}

/* -- what it is named for -- */

static unsigned
access_of_flags(uint64_t flags)
{
	unsigned a = 0;

	if (flags & O_PATH)
		return 0;
	if ((flags & O_ACCMODE) != O_WRONLY)
		a |= SANDBOX_READ;
	if ((flags & O_ACCMODE) != O_RDONLY ||
	    (flags & (O_CREAT | O_TRUNC)) != 0)
		a |= SANDBOX_WRITE;
	return a;
}

static unsigned
access_of(const struct path_call *p, const uint64_t args[6], path_copy *copy)
{
	struct open_how how;

	switch (p->kind) {
	case PATH_OPEN:
		return access_of_flags(p->flags == -1 ?
		    O_WRONLY | O_CREAT | O_TRUNC : args[(int)p->flags]);
	case PATH_OPEN_HOW:
		return copy(&how, args[2], sizeof(how), 0) == -1 ? 0 :
		    access_of_flags(how.flags);
	case PATH_EXEC:
		return SANDBOX_EXEC;
	default:
		return SANDBOX_WRITE;
	}
}

static void
tell(const char *name, const char *path, unsigned access, char *what,
    size_t size)
{
	what[0] = '\0';
	text_add(what, size, name);
	text_add(what, size, " of ");
	text_add(what, size, path);
	if (access & SANDBOX_WRITE)
		text_add(what, size, " for writing");
	else if (access & SANDBOX_READ)
		text_add(what, size, " for reading");
}

static int
is_forbidden(const struct sandbox *s, const struct path_call *p,
    const char *name, int dir, uint64_t at, unsigned access, path_copy *copy,
    char *what, size_t size)
{
	char path[PATH_MAX], real[PATH_MAX];

	if (at == 0 || copy(path, at, sizeof(path), 1) == -1 ||
	    path[0] == '\0')
		return 0;
	name_real(dir, path, p->kind == PATH_ENTRY, real, sizeof(real));
	/* Pipes, sockets and memory have no place. */
	if (real[0] != '/' || sandbox_permits(s, real, access))
		return 0;
	tell(name, real, access, what, size);
	return 1;
}

int
path_call_forbidden(const struct sandbox *s, const struct path_call *p,
    const char *name, const uint64_t args[6], path_copy *copy, char *what,
    size_t size)
{
	unsigned access = access_of(p, args, copy);
	int dir = p->dir == CWD ? AT_FDCWD : (int)args[(int)p->dir];

	if (access == 0)
		return 0;
	if (is_forbidden(s, p, name, dir, args[(int)p->path], access, copy,
	    what, size))
		return 1;
	if (p->path2 == 0)
		return 0;
	dir = p->dir2 == CWD ? AT_FDCWD : (int)args[(int)p->dir2];
	return is_forbidden(s, p, name, dir, args[(int)p->path2], access, copy,
	    what, size);
}

void
path_call_tell(const struct path_call *p, const char *name,
    const uint64_t args[6], path_copy *copy, char *what, size_t size)
{
	char path[PATH_MAX];

	if (p != NULL && copy(path, args[(int)p->path], sizeof(path), 1) == 0)
		tell(name, path, 0, what, size);
	else {
		what[0] = '\0';
		text_add(what, size, name);
	}
}
