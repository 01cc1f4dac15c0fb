/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kept answers as files of one directory, for all workers of the machine.
 *
 * A file is a head (cache_object.h) and the body.  It is written as NAME.part,
 * which whoever writes it holds a lock on, and gets its name when it is
 * complete; so that lock is also the right to ask a server for it.  A writer
 * that dies leaves a .part that nobody holds, which the next one takes over, or
 * the next sweep away.
 */
#ifndef HTTP_PROXY_CACHE_DISK_H
#define HTTP_PROXY_CACHE_DISK_H

#include <hostd/abi.h>
#include "cache_object.h"

#define DISK_NAME_MAX	64

struct cache_disk {
	int dir;			/* -1: not in use */
	uint64_t max;			/* bytes */
	uint64_t written;		/* since the last sweep */
	int64_t swept;			/* when that was, unix seconds */
	int sweeping;
};

/* What is being written. */
struct disk_part {
	int fd;				/* -1: none */
	struct cache_name name;		/* without the .part */
};

enum { DISK_BUSY = -1, DISK_ERROR = -2 };

/* Makes the directory when it is not there.  HOSTD_OK, or err filled. */
int32_t	disk_open(struct cache_disk *, const char *path, uint64_t max,
	    struct hostd_err *);
void	disk_close(struct cache_disk *);
/* A reference, or NULL.  What is there but is not sound is removed. */
struct cache_object *disk_get(const struct cache_disk *,
	    const struct cache_name *, hostd_buf key, int64_t now);
/* 0, DISK_BUSY: somebody has it, or DISK_ERROR with errno. */
int	disk_lock(const struct cache_disk *, const struct cache_name *,
	    struct disk_part *);
/* 0 or DISK_ERROR with errno. */
int	disk_write(const struct disk_part *, const void *, size_t, uint64_t at);
/* The file is complete: give it its name.  0 or DISK_ERROR; ends the part. */
int	disk_commit(const struct cache_disk *, struct disk_part *,
	    const struct cache_name *);
/* Begin it anew, still holding it.  0 or DISK_ERROR. */
int	disk_rewind(const struct disk_part *);
void	disk_abort(const struct cache_disk *, struct disk_part *);
void	disk_remove(const struct cache_disk *, const struct cache_name *);

/* -- slow: for a pool thread -- */

/* Write head and the len bytes at from of another file.  0 or DISK_ERROR. */
int	disk_copy(const struct disk_part *, const char *head, size_t nhead,
	    int fd, uint64_t from, uint64_t len);
/* Make room, unless another worker does; removes what dead writers left. */
void	disk_sweep(int dir, uint64_t max);
/* How many files there are, and their bytes. */
void	disk_usage(int dir, uint64_t *n, uint64_t *bytes);
/* Remove a key's files, or those of all keys that begin so.  How many. */
unsigned disk_purge(int dir, hostd_buf key, int prefix);

/* "ab/0123...", as files are called. */
void	disk_path(const struct cache_name *, const char *suffix,
	    char out[DISK_NAME_MAX]);
/* Read and check the head at the start of fd, which *size bytes are behind;
 * NULL: it is not sound. */
struct cache_object *disk_read_head(int fd, uint64_t size);

#endif
