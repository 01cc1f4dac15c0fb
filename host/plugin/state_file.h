/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The states of a worker's instances, on their way to its successor: a memfd
 * that grows by one record for each.
 *
 * A record counts once it is committed, so that whoever gets the file while
 * another is being written, or after the writer has died, finds those before.
 * The file can't shrink, so it may be mapped whatever the writer does.
 */
#ifndef PLUGIN_STATE_FILE_H
#define PLUGIN_STATE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/abi.h>
#include "base/buf.h"

struct state_file {
	int fd;
	uint64_t start;		/* of the record that is being written */
	uint64_t at;		/* where the next byte of it goes, but for */
	struct buf wait;	/* what is not written yet */
	uint64_t size;		/* of its state, so far */
	uint32_t version, name_len, id_len;
};

/* What an instance has left; the bytes are the map's. */
struct state_record {
	uint32_t version;
	hostd_buf state;
};

struct state_map {
	const char *p;
	size_t n;
};

/* All of these: 0, or -1 with errno. */
int	state_file_open(struct state_file *);
/* Begin a record; one that was not committed is forgotten. */
int	state_file_begin(struct state_file *, const char *name,
	    const char *id, uint32_t version);
int	state_file_add(struct state_file *, const void *, size_t);
int	state_file_commit(struct state_file *);
/* Nothing will be written any more; the descriptor stays the caller's. */
void	state_file_close(struct state_file *);

/* Does not keep fd.  0, or -1 with errno. */
int	state_map_open(struct state_map *, int fd);
void	state_map_close(struct state_map *);
/* The record of the instance of that name, of the plugin of that id.  1; 0:
 * there is none. */
int	state_map_find(const struct state_map *, const char *name,
	    const char *id, struct state_record *);

#endif
