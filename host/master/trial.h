/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running a program for a moment, to see whether it is what it should be: its
 * output, its exit status, and not for longer than a time limit.
 */
#ifndef MASTER_TRIAL_H
#define MASTER_TRIAL_H

#include <sys/types.h>
#include <uv.h>
#include "master/record.h"

struct trial {
	void (*done)(struct trial *);
	void *arg;
	pid_t pid;		/* 0: none is running */
	int fd;			/* what it writes to stdout and stderr */
	int late;
	int status;		/* as of waitpid(2) */
	char output[1024];	/* its beginning, without the last newline */
	uv_timer_t timer;
};

/* The timer is the caller's to close. */
void	trial_init(struct trial *, uv_loop_t *);
/* It gets stdin as we have it, and the descriptors of the record.  0, or -1
 * with a reason in why. */
int	trial_start(struct trial *, const char *exe, char *const argv[],
	    const struct record *, char *why, size_t size);
/* done() is not called any more. */
void	trial_cancel(struct trial *);
/* Has that been it?  Then done() is called. */
int	trial_reaped(struct trial *, pid_t, int status);

/* Ended with exit status 0? */
int	trial_is_fine(const struct trial *);
/* What it said, or how it ended. */
void	trial_explain(const struct trial *, char *why, size_t size);

#endif
