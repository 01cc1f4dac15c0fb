/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel knows of a process. */
#ifndef CTL_USAGE_H
#define CTL_USAGE_H

#include <jansson.h>
#include <stdint.h>

struct usage {
	int64_t cpu_ms, rss;	/* bytes */
	int threads, nice;
};

/* 0, or -1: it is not there. */
int	usage_read(struct usage *, int64_t pid);
/* Proportional share of memory, in bytes, and open descriptors; -1: not to be
 * seen by us. */
int64_t	usage_pss(int64_t pid);
int64_t	usage_fds(int64_t pid);
/* RLIMIT_NOFILE; -1: none, or not to be seen. */
int64_t	usage_max_fds(int64_t pid);

/* Add "cpu_ms" and "rss" to each worker of a status. */
void	usage_add(json_t *status);

#endif
