/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the files that configuration is made of. */
#ifndef CONFIG_FILES_H
#define CONFIG_FILES_H

#include <stddef.h>
#include "config/tree.h"

#define CONF_FILE_MAX	(4u << 20)

/* The whole file, NUL-ended, at most max bytes; NULL with errno (EFBIG). */
char	*conf_read_file(const char *path, size_t max, size_t *len);

/* Read and parse path as name.  0, or -1 and an error was added. */
int	conf_parse_file(struct conf_node *root, const char *name,
	    const char *path, struct conf_errors *);

/* path as written in the main file: relative ones start at its directory. */
char	*conf_path(const char *main_file, const char *path);

#endif
