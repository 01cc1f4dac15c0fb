/* SPDX-License-Identifier: BSD-2-Clause */
/* hiredis' reader, with limits to what a server can make it hold. */
#ifndef REDIS_READER_H
#define REDIS_READER_H

#include <stddef.h>
#include <hiredis/hiredis.h>

/* hiredis 1.0 counts in another type. */
#if HIREDIS_MAJOR >= 1
typedef size_t redis_count;
#else
typedef int redis_count;
#endif

struct redis_reader {
	redisReader *reader;		/* NULL: closed */
	redisReplyObjectFunctions functions;
	void *(*create_array)(const redisReadTask *, redis_count);
	size_t max;			/* bytes of one answer */
	int too_many;			/* elements of a list */
};

/* 0, or -1: out of memory. */
int	redis_reader_open(struct redis_reader *, size_t max);
void	redis_reader_close(struct redis_reader *);
int	redis_reader_feed(struct redis_reader *, const void *, size_t);
/* 1 and an answer, which the caller frees; 0: more is needed; -1: what came is
 * none, and *why says so. */
int	redis_reader_next(struct redis_reader *, redisReply **,
	    const char **why);

#endif
