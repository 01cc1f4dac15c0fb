/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was lent is taken back when the loop's clock has moved on: that stands
 * still in a turn, and no callback outlives one.
 */
#include <stdlib.h>
#include "app.h"
#include "lend.h"

#define CHUNK 8192
#define ALIGN 16u

struct lend_chunk {
	struct lend_chunk *next;
	size_t n, size;
	_Alignas(ALIGN) char bytes[];
};

struct lend_last {
	struct lend_last *next;
	void *p;
};

static void
take_back(struct apps *apps)
{
	struct lend_chunk *c, *next;

	for (; apps->lent_last != NULL; apps->lent_last =
	    apps->lent_last->next)
		free(apps->lent_last->p);
	/* One of them is kept. */
	for (c = apps->lent, apps->lent = NULL; c != NULL; c = next) {
		next = c->next;
		if (apps->lent != NULL || c->size > CHUNK) {
			free(c);
			continue;
		}
		c->next = NULL;
		c->n = 0;
		apps->lent = c;
	}
}

static struct lend_chunk *
chunk_new(struct apps *apps, size_t n)
{
	size_t size = n > CHUNK ? n : CHUNK;
	struct lend_chunk *c = malloc(sizeof(*c) + size);

	if (c == NULL)
		return NULL;
	c->n = 0;
	c->size = size;
	c->next = apps->lent;
	apps->lent = c;
	return c;
}

void *
lend(struct hostd_inst *in, size_t n)
{
	const struct hostd_host *h = in->easy.host;
	struct apps *apps = in->apps;
	uint64_t now = h->now_ms(h);
	struct lend_chunk *c;
	void *p;

	if (now != apps->lent_at)
		take_back(apps);
	apps->lent_at = now;
	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	c = apps->lent;
	if ((c == NULL || c->size - c->n < n) &&
	    (c = chunk_new(apps, n)) == NULL)
		return NULL;
	p = c->bytes + c->n;
	c->n += n;
	return p;
}

int
lend_last(struct hostd_inst *in, void *p)
{
	struct lend_last *l;

	if (p == NULL)
		return 0;
	if ((l = lend(in, sizeof(*l))) == NULL)
		return -1;
	l->p = p;
	l->next = in->apps->lent_last;
	in->apps->lent_last = l;
	return 0;
}

void
lend_destroy(struct hostd_inst *in)
{
	take_back(in->apps);
	free(in->apps->lent);
	in->apps->lent = NULL;
}
