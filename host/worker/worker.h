/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker or probe process: told by the master over CHAN_FD what to be.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

/* The main of a child process; returns its exit status. */
int	worker_main(void);

#endif
