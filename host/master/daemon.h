/* SPDX-License-Identifier: BSD-2-Clause */
/* Going into the background, and the pid file. */
#ifndef MASTER_DAEMON_H
#define MASTER_DAEMON_H

#include <stddef.h>

/*
 * In the child: a descriptor for daemon_detach.  The parent does not return:
 * it waits, and exits with the status of the start.
 */
int	daemon_fork(void);
/* The start has succeeded: let go of the terminal and of the parent. */
void	daemon_detach(int *parent);
/* Text for the standard output, when the start has succeeded. */
void	daemon_announce(const char *text);
/* A line for whoever has started us: why the start has failed. */
void	daemon_complain(const char *text);

/* 0, or -1 with a reason in why. */
int	pid_file_write(const char *path, char *why, size_t size);
/* Only when it is ours. */
void	pid_file_remove(const char *path);

#endif
