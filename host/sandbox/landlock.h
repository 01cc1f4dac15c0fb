/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SANDBOX_LANDLOCK_H
#define SANDBOX_LANDLOCK_H

#include "sandbox/sandbox.h"

/* The version of the kernel's; 0 with errno when it has none. */
int	landlock_version(void);
/* Keep this thread, and those that it makes, to the paths.  0, or -1 with
 * errno. */
int	landlock_enter(const struct sandbox *);

#endif
