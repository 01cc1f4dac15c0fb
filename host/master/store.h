/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run directory: one master's at a time.
 */
#ifndef MASTER_STORE_H
#define MASTER_STORE_H

#include <stddef.h>
#include "master/generation.h"

/*
 * Make the run directory and what is in it, and lock it.  Returns the lock's
 * descriptor, or -1 with a reason in why: not writable, not safe, in use by
 * another master.
 */
int	store_open(const char *run_dir, char *why, size_t size);
/* Again, what somebody may have removed meanwhile.  0, or -1 and a reason. */
int	store_make_dirs(const char *run_dir, char *why, size_t size);
/* Remove the copies made, and give up the lock. */
void	store_close(const char *run_dir, int lock);
/* Remove directories and plugin copies that none of the generations uses. */
void	store_clean(const char *run_dir, const struct generations *);

#endif
