/* SPDX-License-Identifier: BSD-2-Clause */
/* sandbox = on: what the filter traps. */
#ifndef SANDBOX_TRAP_H
#define SANDBOX_TRAP_H

#include "sandbox/sandbox.h"

/* Before the filter is loaded. */
void	trap_init(const struct sandbox *, struct board_cell *);

#endif
