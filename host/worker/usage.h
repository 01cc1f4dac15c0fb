/* SPDX-License-Identifier: BSD-2-Clause */
/* What this process takes of the machine, told on the board. */
#ifndef WORKER_USAGE_H
#define WORKER_USAGE_H

#include <dirent.h>
#include <stdint.h>
#include "base/board.h"

/* What is looked at was opened before the process was confined. */
struct usage {
	int memory;		/* /proc/self/statm; -1: it can't be told */
	int fds;		/* /proc/self/fd; the same */
	DIR *list;		/* of kernels that do not say how many */
	uint64_t next_ms, next_list_ms;
};

void	usage_open(struct usage *);
void	usage_close(struct usage *);
/* At the end of a turn: look about once a second. */
void	usage_turn(struct usage *, struct board_cell *, uint64_t now_ms);
/* Now: the process ends. */
void	usage_last(struct usage *, struct board_cell *);

#endif
