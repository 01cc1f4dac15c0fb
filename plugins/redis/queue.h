/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that wait for their answers, in order.  Zeroed memory is an empty
 * queue. */
#ifndef REDIS_QUEUE_H
#define REDIS_QUEUE_H

#include <stddef.h>
#include "client.h"

struct redis_queued {
	redis_answer_fn fn;
	void *arg;
	size_t bytes;		/* of the command */
	const char *verb;	/* of a subscription; NULL: of none */
	char *channel;		/* its channel; the taker frees it */
	size_t n;
};

struct redis_queue {
	struct redis_queued *ring;
	size_t first, used, size;	/* size: a power of two */
	size_t bytes;			/* of all */
};

/* 0, or -1: out of memory. */
int	redis_queue_put(struct redis_queue *, const struct redis_queued *);
/* The oldest; NULL: there is none. */
const struct redis_queued *redis_queue_first(const struct redis_queue *);
/* 0: there is none. */
int	redis_queue_take(struct redis_queue *, struct redis_queued *);
/* Forget the one that was put last. */
void	redis_queue_unput(struct redis_queue *);
void	redis_queue_free(struct redis_queue *);

#endif
