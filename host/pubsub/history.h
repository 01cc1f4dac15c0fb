/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last messages of a channel, for those who come later.  All histories of a
 * worker share an allowance of bytes; the oldest message of the one that
 * nothing was added to for longest is the first to go.
 */
#ifndef PUBSUB_HISTORY_H
#define PUBSUB_HISTORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "base/buf.h"

struct delivery;
struct envelope;
struct history;

#define HISTORY_MAX	1000
#define HISTORY_BYTES	(4u << 20)	/* of one channel's, as envelopes */

/* All of a worker. */
struct histories {
	TAILQ_HEAD(, history) list;	/* last added to last */
	uint64_t bytes, max;		/* as envelopes */
};

void	histories_init(struct histories *, uint64_t max);
struct history *history_new(struct histories *);
void	history_free(struct history *);
/* What one owner wants kept; max 0: nothing any more. */
void	history_want(struct history *, const void *owner, uint32_t max,
	    uint32_t age_ms);
/* Does anybody want anything? */
int	history_is_wanted(const struct history *);
/* The most that anybody wants. */
void	history_wish(const struct history *, uint32_t *max, uint32_t *age_ms);
/* Is there nothing that is young enough? */
int	history_is_empty(struct history *, uint64_t now);
/* A message, or a gap: whatever comes before it, some may be missing here. */
void	history_add(struct history *, struct delivery *);
/* The same of one that is older than others here, perhaps; twice is once. */
void	history_insert(struct history *, struct delivery *);
/* Append what is not older than its owners want, each as an envelope; a gap as
 * an ENV_GAP. */
void	history_write(struct history *, uint64_t now, struct buf *out);

#endif
