/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "eio_payload.h"
#include "engine.h"

#define QUEUE_FIRST	4
#define SCRATCH_KEPT	(64u << 10)
#define MESSAGE_COST	64	/* what a small one takes besides */

int
eio_queue_add(struct eio_queue *q, struct eio_message *m)
{
	uint32_t size = q->size == 0 ? QUEUE_FIRST : q->size * 2;
	struct eio_message **grown;

	if (q->n == q->size) {
		grown = realloc(q->m, size * sizeof(struct eio_message *));
		if (grown == NULL)
			return -1;
		q->m = grown;
		q->size = size;
	}
	eio_message_ref(m);
	q->m[q->n++] = m;
	q->bytes += eio_message_size(m) + MESSAGE_COST;
	return 0;
}

void
eio_queue_clear(struct eio_queue *q)
{
	uint32_t i;

	for (i = 0; i < q->n; i++)
		eio_message_unref(q->m[i]);
	free(q->m);
	memset(q, 0, sizeof(*q));
}

hostd_buf
eio_queue_body(struct engine *e, const struct eio_queue *q, const char *last)
{
	size_t nlast = last != NULL ? strlen(last) : 0;
	hostd_buf body = { last, nlast };
	char *p;

	if (q->n == 0)
		return body;
	if (q->n == 1 && q->m[0]->nbins == 0 && last == NULL)
		return q->m[0]->text;
	body.n = payload_size(q->m, q->n) + (last != NULL) + nlast;
	body.p = p = eio_scratch(e, body.n);
	if (p == NULL)
		return body;
	p = payload_write(q->m, q->n, p);
	if (last != NULL) {
		*p++ = PAYLOAD_BETWEEN;
		memcpy(p, last, nlast);
	}
	return body;
}

char *
eio_scratch(struct engine *e, size_t n)
{
	char *p;

	if (n <= e->scratch.size)
		return e->scratch.p;
	if ((p = realloc(e->scratch.p, n)) == NULL)
		return NULL;
	e->scratch.p = p;
	e->scratch.size = n;
	return p;
}

void
eio_scratch_done(struct engine *e)
{
	if (e->scratch.size <= SCRATCH_KEPT)
		return;
	free(e->scratch.p);
	e->scratch.p = NULL;
	e->scratch.size = 0;
}
