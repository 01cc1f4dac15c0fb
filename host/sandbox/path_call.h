/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls that name what they are about by a path. */
#ifndef SANDBOX_PATH_CALL_H
#define SANDBOX_PATH_CALL_H

#include <stddef.h>
#include <stdint.h>
#include "sandbox/sandbox.h"

#define CALLS_MAX	600	/* numbers of system calls are below it */

enum path_kind {
	PATH_OPEN,	/* what for is in its flags */
	PATH_OPEN_HOW,	/* in a struct open_how */
	PATH_EXEC,
	PATH_CHANGE,	/* what is there */
	PATH_ENTRY	/* makes or removes an entry of its directory */
};

/* Which arguments have it; dir -1: the working directory. */
struct path_call {
	int nr;
	enum path_kind kind;
	signed char dir, path;
	signed char flags;	/* of PATH_OPEN; -1: of creat(2) */
	signed char dir2, path2;	/* path2 0: there is only one */
};

extern const struct path_call path_calls[];	/* nr -1 ends them */

const struct path_call *path_call_find(int nr);

/* Copies from the caller's memory, at most size bytes and NUL-ended if text is
 * set.  0, or -1. */
typedef int path_copy(void *to, uint64_t from, size_t size, int text);

/*
 * Is something named that is not allowed?  1, and in what "openat of
 * /etc/passwd for reading".  Safe in a signal handler.
 */
int	path_call_forbidden(const struct sandbox *, const struct path_call *,
	    const char *name, const uint64_t args[6], path_copy *, char *what,
	    size_t size);
/* "execve of /bin/sh", of a call that may not be made at all. */
void	path_call_tell(const struct path_call *, const char *name,
	    const uint64_t args[6], path_copy *, char *what, size_t size);

/* Append to a text, as much as there is room for.  Safe in a signal
 * handler. */
void	text_add(char *text, size_t size, const char *more);

/* The sixth argument of calls that are ours, not trapped. */
extern uint64_t sandbox_key;

#endif
