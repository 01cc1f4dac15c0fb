/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.p.sandbox/1: what a plugin needs beyond what every worker may do, where
 * hostd.conf(5) says sandbox = on.  The plugin's table: its get_ext returns it
 * by this id.
 *
 * Workers may read the system's libraries, and what keys of type
 * HOSTD_KEY_PATH name; they may write what is below "$state/", and what keys
 * with HOSTD_KEY_WRITE name.  So a plugin whose files are all named by its keys
 * needs no table.  They may make threads, connect to and wait for sockets, but
 * execute nothing, and look at no other process.
 *
 * A worker in which something else is tried ends at once, and the log has the
 * system call, the path and the plugin.  A thread must not block SIGSYS: that
 * signal is how calls that name a path are looked at, and one that finds it
 * blocked ends the worker as well.
 *
 * What one plugin is granted, all plugins of the same worker may do.
 */
#ifndef HOSTD_SANDBOX_H
#define HOSTD_SANDBOX_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_P_SANDBOX		"hostd.p.sandbox/1"

/* Flags. */
#define HOSTD_SANDBOX_EXEC	0x1u	/* it executes programs: those of the
					   system, and what is below reads.
					   What is not allowed then fails
					   (EACCES, EPERM), and nobody is
					   told */

struct hostd_p_sandbox {
	uint32_t struct_size;
	uint32_t flags;
	const char *const *reads;	/* absolute paths, NULL-ended; they, and
					   what is below them.  NULL: none */
	const char *const *writes;	/* the same; read as well */
	const char *const *calls;	/* names of system calls, NULL-ended:
					   "ptrace".  NULL: none */
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_SANDBOX_H */
