/* SPDX-License-Identifier: BSD-2-Clause */
/* sandbox = log: a thread that the kernel asks, and that always says yes. */
#ifndef SANDBOX_NOTIFY_H
#define SANDBOX_NOTIFY_H

#include "sandbox/sandbox.h"

/* Before the filter is loaded, which it is to be free of.  0, or -1 with
 * errno. */
int	notify_start(const struct sandbox *, struct board_cell *);
/* When it is: the filter's descriptor. */
void	notify_begin(int fd);

#endif
