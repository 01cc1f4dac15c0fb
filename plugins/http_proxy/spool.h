/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that wait for a slower side, first in first out: some in memory, the
 * rest in a file without a name.  Zeroed memory is an empty one.
 */
#ifndef HTTP_PROXY_SPOOL_H
#define HTTP_PROXY_SPOOL_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/abi.h>

struct spool_limits {
	const char *dir;	/* where files are made */
	uint64_t memory;	/* bytes, then the file */
	uint64_t file;		/* bytes of it; 0: no file */
};

struct spool_bytes {
	char *p;
	size_t from, to, room;
};

struct spool {
	struct spool_bytes front, back;	/* before and behind what is in fd */
	int fd;				/* + 1; 0: no file */
	uint64_t from, to;		/* in fd */
	uint64_t size;			/* of all that is left */
	uint64_t kept;			/* of all of it; 0: what is dropped is
					   gone */
};

/*
 * Nothing is lost: what the file does not take, for its limit or an error, is
 * kept in memory.
 *   OK     taken
 *   AGAIN  taken, but it is beyond the limits, or there is no memory below
 *          them: no more should come.  *error is an errno, 0 for the limit
 *   E_NOMEM
 */
int32_t	spool_put(struct spool *, const struct spool_limits *, hostd_buf,
	    int *error);
/* The next bytes, at most size: of the spool's own, or read into buf.  OK, or
 * E_IO with errno. */
int32_t	spool_peek(struct spool *, char *buf, size_t size, hostd_buf *out);
void	spool_drop(struct spool *, size_t n);
/* No more comes, and what is dropped from now on is kept to be had again. */
void	spool_keep(struct spool *);
void	spool_rewind(struct spool *);
void	spool_free(struct spool *);

/* Is all of it in memory, in one piece? */
int	spool_is_memory(const struct spool *, hostd_buf *out);

#endif
