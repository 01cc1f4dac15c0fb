/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WORKER_PRIVILEGE_H
#define WORKER_PRIVILEGE_H

#include <stddef.h>

/*
 * Become user (and group; NULL: the user's own), for good, when we are root;
 * never gain privileges again in any case.  root becomes the root directory,
 * unless it is NULL.  0, or -1 and a reason in why.
 */
int	privilege_drop(const char *user, const char *group, const char *root,
	    char *why, size_t size);

#endif
