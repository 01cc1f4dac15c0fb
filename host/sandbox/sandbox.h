/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process may do: the paths that it may read and write, and the system
 * calls that it may make.  Gathered first, then entered, for good.
 *
 * Landlock keeps to the paths, seccomp to the calls; each alone would do that
 * in silence.  So calls with a path in them are trapped: made by the handler
 * for whoever made them, and if landlock refuses one that is not allowed here,
 * what it was and whose is left on the board, and the process ends.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stddef.h>
#include "base/board.h"

enum sandbox_mode { SANDBOX_OFF, SANDBOX_LOG, SANDBOX_ON };

#define SANDBOX_READ	1u
#define SANDBOX_WRITE	2u
#define SANDBOX_EXEC	4u

struct sandbox_rule {
	char *path;		/* without links in it */
	unsigned access;	/* to it and to all that is below it */
};

struct sandbox {
	struct sandbox_rule *rules;
	size_t nrules;
	char **calls;		/* names, beyond what everybody may */
	size_t ncalls;
	int exec;		/* programs may be executed */
};

/* What every process needs: libraries, the resolver's files, time zones. */
void	sandbox_allow_system(struct sandbox *);
/* What is at path now, and below it.  If there is nothing, what fails there is
 * not a violation. */
void	sandbox_allow(struct sandbox *, const char *path, unsigned access);
/* A file that may be replaced by another one of its name, or a directory.
 * Those beside a file are allowed as well, unless everybody's are there. */
void	sandbox_allow_named(struct sandbox *, const char *path,
	    unsigned access);
/* What may be executed where that is allowed: the system's programs. */
void	sandbox_allow_programs(struct sandbox *);
/* "ptrace"; "exec" stands for several.  -1: there is no such call. */
int	sandbox_allow_call(struct sandbox *, const char *name);
void	sandbox_free(struct sandbox *);

/* Is access to what is really at path allowed?  Safe in a signal handler. */
int	sandbox_permits(const struct sandbox *, const char *path,
	    unsigned access);

/*
 * For all threads that there will be; there are none yet.  The sandbox stays
 * the caller's, and as it is.  0, or -1 with what is missing in why.
 */
int	sandbox_enter(const struct sandbox *, enum sandbox_mode,
	    struct board_cell *, char *why, size_t size);
/* The same for a process that only looks at something: what is not allowed
 * fails, and nobody is told. */
int	sandbox_enter_quietly(const struct sandbox *, char *why, size_t size);

/* Called by the thread that was stopped, to say on the board whose work it
 * did, if it was not the loop's. */
void	sandbox_set_blame(void (*blame)(void));

#endif
