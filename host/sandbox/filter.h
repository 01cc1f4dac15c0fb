/* SPDX-License-Identifier: BSD-2-Clause */
/* The seccomp filter. */
#ifndef SANDBOX_FILTER_H
#define SANDBOX_FILTER_H

#include <stdint.h>
#include "sandbox/sandbox.h"

/* What becomes of what is not allowed, and of calls with paths. */
enum filter {
	FILTER_QUIET,	/* it fails; paths are landlock's alone */
	FILTER_TRAP,	/* SIGSYS, unless with the key as sixth argument */
	FILTER_NOTIFY	/* a descriptor tells of it, and answers it */
};

/* 0, or -1 with a reason in why.  *fd: of FILTER_NOTIFY. */
int	filter_load(const struct sandbox *, enum filter, int *fd, char *why,
	    size_t size);
/* By number; NULL for one that is not known.  When a filter was loaded. */
const char *filter_name(int nr);
/* May it be made with these arguments?  Of calls that are allowed with some
 * only. */
int	filter_permits(int nr, const uint64_t args[6]);

#endif
