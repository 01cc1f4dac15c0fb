/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "queue.h"

#define LEAST 16

static int
queue_grow(struct redis_queue *q)
{
	size_t size = q->size > 0 ? q->size * 2 : LEAST, i;
	struct redis_queued *ring = calloc(size, sizeof(*ring));

	if (ring == NULL)
		return -1;
	for (i = 0; i < q->used; i++)
		ring[i] = q->ring[(q->first + i) & (q->size - 1)];
	free(q->ring);
	q->ring = ring;
	q->size = size;
	q->first = 0;
	return 0;
}

int
redis_queue_put(struct redis_queue *q, const struct redis_queued *e)
{
	if (q->used == q->size && queue_grow(q) == -1)
		return -1;
	q->ring[(q->first + q->used++) & (q->size - 1)] = *e;
	q->bytes += e->bytes;
	return 0;
}

const struct redis_queued *
redis_queue_first(const struct redis_queue *q)
{
	return q->used > 0 ? &q->ring[q->first] : NULL;
}

int
redis_queue_take(struct redis_queue *q, struct redis_queued *e)
{
	if (q->used == 0)
		return 0;
	*e = q->ring[q->first];
	q->first = (q->first + 1) & (q->size - 1);
	q->used--;
	q->bytes -= e->bytes;
	return 1;
}

void
redis_queue_unput(struct redis_queue *q)
{
	const struct redis_queued *e;

	e = &q->ring[(q->first + --q->used) & (q->size - 1)];
	q->bytes -= e->bytes;
	free(e->channel);
}

void
redis_queue_free(struct redis_queue *q)
{
	struct redis_queued e;

	while (redis_queue_take(q, &e))
		free(e.channel);
	free(q->ring);
	memset(q, 0, sizeof(*q));
}
