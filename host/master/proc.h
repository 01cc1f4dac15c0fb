/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker's process as the kernel has it: what it is given before it starts,
 * and what is known of it.
 */
#ifndef MASTER_PROC_H
#define MASTER_PROC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "config/model.h"

/* In the child: the variables of a pool, or, without one, of all of them. */
void	proc_env(const struct conf *, const char *pool);
/* In the master: priority and cpus.  0, or -1 and a reason in why. */
int	proc_place(pid_t, const struct conf_pool *, uint32_t slot, char *why,
	    size_t size);

/* Resident bytes; -1: not known. */
int64_t	proc_rss(pid_t);
/* By SIGSTOP, a debugger, ... */
int	proc_is_stopped(pid_t);

#endif
