/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SANDBOX_CALLS_H
#define SANDBOX_CALLS_H

/* Names of the system calls that any worker may make, NULL-ended. */
extern const char *const calls_allowed[];
/* That one may make which executes programs, and those programs. */
extern const char *const calls_of_exec[];
/* That libraries try, and do without: they fail with ENOSYS. */
extern const char *const calls_missing[];

#endif
