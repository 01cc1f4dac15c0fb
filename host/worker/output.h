/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Standard output and error of a process that runs plugins.  What is written
 * through stdio says which plugin was running, between two bytes that texts
 * don't have, for the master to write into the log (master/output.h):
 *
 *	BEGIN name END text BEGIN END
 *
 * The descriptors do not block.  What is written through stdio waits a moment
 * for a master that is busy; nobody waits for one that does not read.
 */
#ifndef WORKER_OUTPUT_H
#define WORKER_OUTPUT_H

#define OUTPUT_NAME		64	/* bytes, with the NUL */
#define OUTPUT_NAME_BEGIN	'\001'
#define OUTPUT_NAME_END		'\002'

struct board_cell;

/* stdout and stderr are line-buffered from now on, and know who writes. */
void	worker_output_init(const struct board_cell *);
/* A turn of the loop has ended: say what could not be written. */
void	worker_output_turn(void);
/* The cell is about to go. */
void	worker_output_end(void);

#endif
