/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies of files for a generation.  A copy is whole or not there: it is made
 * under another name first, and an original that changes meanwhile is noticed.
 */
#ifndef MASTER_COPY_H
#define MASTER_COPY_H

#include <stddef.h>
#include <sys/types.h>

#define COPY_NAME_MAX 80

/* Functions return 0, or -1 with a reason that names the failing part. */

/* Copy a regular file to path, which gets mode. */
int	copy_file(const char *from, const char *to, mode_t mode, char *why,
	    size_t size);
/*
 * Copy a regular, non-empty file to dir/<sha256 of its content>suffix,
 * readable by all, unless it is already there.  The name within dir goes to
 * name.
 */
int	copy_hashed(const char *from, const char *dir, const char *suffix,
	    char name[COPY_NAME_MAX], char *why, size_t size);

#endif
