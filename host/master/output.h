/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a child writes to its standard output and standard error: pipes that
 * the master reads, and lines of the error log that say whose they are,
 *
 *	2026-01-31T12:00:00.123Z info [web.0 gen 3 pid 4711] chat stdout: text
 *
 * with the plugin whose callback has written it, where that is known (see
 * worker/output.h).  Standard error's level is warn.
 *
 * The child never waits for us for long: its ends do not block.  Nobody can
 * fill the log: beyond OUTPUT_RATE lines a second, after a first OUTPUT_BURST,
 * lines are dropped and counted.
 */
#ifndef MASTER_OUTPUT_H
#define MASTER_OUTPUT_H

#define OUTPUT_BURST	2000	/* lines of one stream */
#define OUTPUT_RATE	1000	/* a second */
#define OUTPUT_LINE	2048	/* bytes; longer ones become several */

#include <jansson.h>

struct child;
struct children;
struct output;
struct record;

/* Make the pipes; the child's ends go to fds.  0, or -1 with errno. */
int	output_pipes(int ours[2], int childs[2]);
/* In the forked child: these become its standard output and error, and its
 * standard input is empty. */
void	output_redirect(const int childs[2]);

/* Watch our ends, which are taken, from now on. */
void	output_watch(struct child *, const int ours[2]);
/* Once a second: lines that are not finished, and how many were dropped. */
void	outputs_start(struct children *);
/* It has ended, or we don't listen any more: its last words. */
void	output_close(struct child *);
/* Our end of its standard output (0) or error (1); -1: closed. */
int	output_fd(const struct child *, int which);

/* For a master's successor: who goes on where we have stopped reading. */
json_t *output_save(const struct child *, int which, struct record *);
void	output_restore(struct child *, int which, const json_t *,
	    struct record *);

#endif
