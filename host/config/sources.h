/* SPDX-License-Identifier: BSD-2-Clause */
/* Which files configuration comes from, and whether they are to be trusted. */
#ifndef CONFIG_SOURCES_H
#define CONFIG_SOURCES_H

#include <stddef.h>

struct conf_errors;

/*
 * One file that configuration comes from.  name is what errors show; path is
 * what is read (the same, or a generation's copy).
 */
struct conf_source {
	char *name;
	char *path;
	int is_module;		/* a .so dropped into conf_dir */
};

struct conf_sources {
	struct conf_source *v;
	size_t n;
};

/*
 * The main file and, in name order, every *.conf and *.so of its conf_dir.
 * Also checks that each is owned by root or the running user and not
 * writable by others.  Errors are added; what could be found is returned.
 */
void	conf_sources_find(struct conf_sources *, const char *main_file,
	    struct conf_errors *);
void	conf_sources_add(struct conf_sources *, const char *name,
	    const char *path, int is_module);
void	conf_sources_free(struct conf_sources *);
/* Would a file of that name in conf_dir be one? */
int	conf_is_source(const char *name);

/*
 * Owned by root or the effective user, and not writable by group or others?
 * The same for the directory it is in.  0, or -1 with a reason that says what
 * to do in why.  Used for configuration and plugins alike.
 */
int	conf_file_trusted(const char *path, char *why, size_t size);

#endif
