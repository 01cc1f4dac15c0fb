/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A generation on disk: which files its configuration came from, where their
 * copies are, and where the copy of each plugin is.  One JSON file, written
 * once by the master, read by probe and workers.
 */
#ifndef CONFIG_SNAPSHOT_H
#define CONFIG_SNAPSHOT_H

#include <stdint.h>
#include "base/map.h"
#include "config/model.h"

struct snapshot {
	uint32_t generation;
	struct conf_sources sources;
	struct map modules;	/* absolute path as configured -> char * copy */
	struct map files;	/* the same, for error pages */
};

/* 0, or -1 and an error text in why. */
int	snapshot_write(const struct snapshot *, const char *path, char *why,
	    size_t size);
int	snapshot_read(struct snapshot *, const char *path, char *why,
	    size_t size);
void	snapshot_free(struct snapshot *);

#endif
