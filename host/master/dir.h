/* SPDX-License-Identifier: BSD-2-Clause */
/* Directories that the master keeps its copies in. */
#ifndef MASTER_DIR_H
#define MASTER_DIR_H

#include <stddef.h>
#include <sys/types.h>

/* Make it and its missing parents.  0, or -1 with a reason in why. */
int	dir_make(const char *path, mode_t mode, char *why, size_t size);
/* Remove it with all that is in it; symbolic links are not followed. */
void	dir_remove(const char *path);
/* Call fn for each name in it. */
void	dir_each(const char *path, void (*fn)(const char *name, void *),
	    void *arg);

#endif
