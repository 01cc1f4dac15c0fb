/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "eio_payload.h"
#include "eio_payload3.h"
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

/* -- as a body -- */

static hostd_buf
body_of_4(struct engine *e, const struct eio_queue *q, const char *last)
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

static int
has_bins(const struct eio_queue *q)
{
	uint32_t i;

	for (i = 0; i < q->n; i++)
		if (q->m[i]->nbins > 0)
			return 1;
	return 0;
}

static hostd_buf
body_of_3(struct engine *e, const struct eio_queue *q, const char *last,
    int of_bytes)
{
	size_t nlast = last != NULL ? strlen(last) : 0;
	hostd_buf body = { NULL, 0 };
	char *p;

	p = eio_scratch(e, payload3_size(q->m, q->n) + nlast *
	    (PAYLOAD3_HEAD + 1));
	body.p = p;
	if (p == NULL)
		return body;
	p = payload3_write(q->m, q->n, of_bytes, p);
	for (; nlast > 0; nlast--, last++)
		if (*last != PAYLOAD_BETWEEN)
			p = payload3_put(p, (hostd_buf){ last, 1 }, of_bytes);
	body.n = (size_t)(p - (const char *)body.p);
	return body;
}

hostd_buf
eio_queue_body(const struct eio *eio, const char *last, int *of_bytes)
{
	struct engine *e = eio->in->engine;

	*of_bytes = eio->revision == 3 && !eio->wants_base64 &&
	    has_bins(&eio->queue);
	return eio->revision == 3 ? body_of_3(e, &eio->queue, last, *of_bytes) :
	    body_of_4(e, &eio->queue, last);
}

/* -- room for it -- */

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
