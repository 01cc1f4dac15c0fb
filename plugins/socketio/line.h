/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one worker has heard by the adapter of late, in its order: numbers that
 * are its own, and ids that are the same in all workers.  Pure.
 */
#ifndef SOCKETIO_LINE_H
#define SOCKETIO_LINE_H

#include <sys/queue.h>
#include <stdint.h>

struct line_entry {
	uint64_t seq, id;
	uint64_t ours;		/* the number of ours that is the same; 0: it
				   has not come */
	uint64_t ms;
	uint64_t before;	/* another whose id may be the same */
};

/* Zeroed memory is an empty one, but for size. */
struct line {
	LIST_ENTRY(line) link;
	uint64_t process;
	struct line_entry *v;	/* a ring */
	uint64_t *heads;	/* by id; counted from 1, as first and end */
	uint64_t first, end;	/* what it has, from the beginning on */
	uint64_t open;		/* the first that has not come to us */
	uint64_t size;		/* a power of 2; then the oldest goes */
};

/* -1: no memory. */
int	line_add(struct line *, uint64_t seq, uint64_t id, uint64_t now_ms);
/* The oldest with this id that has no number of ours gets this; 0: none. */
int	line_match(struct line *, uint64_t id, uint64_t ours);
/* The same for the oldest of ours that has none there. */
void	line_match_last(struct line *, const struct line *ours, uint64_t id);
/* Its number of what is our number; 0: it has not had it. */
uint64_t line_seq(const struct line *, const struct line *ours, uint64_t seq);
int	line_has(const struct line *, uint64_t seq);
/* The number of the first that has not come to us; UINT64_MAX: all have. */
uint64_t line_open(const struct line *);
/* When the first that it has came. */
uint64_t line_began(const struct line *);
void	line_trim(struct line *, uint64_t before_ms);
void	line_free(struct line *);

#endif
