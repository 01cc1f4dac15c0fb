/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far somebody has heard each worker: numbers of orders rise by process, so
 * one number for each tells old from new.  Pure.
 */
#ifndef SOCKETIO_MARKS_H
#define SOCKETIO_MARKS_H

#include "pack.h"

struct mark {
	uint64_t process, seq;
	uint64_t heard_ms;
};

/* Processes are even; odd is what one has heard by the adapter. */
static inline int
mark_is_foreign(uint64_t process)
{
	return process & 1;
}

/* Zeroed memory has none. */
struct marks {
	struct mark *v;
	uint32_t n, size;
};

/* 0: it was never heard. */
uint64_t marks_get(const struct marks *, uint64_t process);
/* At least seq, and heard just now.  -1: no memory. */
int	marks_raise(struct marks *, uint64_t process, uint64_t seq,
	    uint64_t now_ms);
/* Forget those that were not heard since. */
void	marks_forget(struct marks *, uint64_t before_ms);
void	marks_free(struct marks *);

/* Each; how many is the caller's to say before. */
void	marks_pack_all(struct pack *, const struct marks *);
/* Into an empty one.  -1: it is none, or no memory. */
int	marks_unpack(struct marks *, struct unpack *);

#endif
