/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "head.h"

void
head_clear(struct head *h)
{
	h->n = 0;
	h->full = 0;
	h->used = h->mark = 0;
}

void
head_add(struct head *h, hostd_buf name, hostd_buf value)
{
	if (h->n == HEAD_FIELDS) {
		h->full = 1;
		return;
	}
	h->v[h->n].name = name;
	h->v[h->n++].value = value;
}

void
head_open(struct head *h)
{
	h->mark = h->used;
}

void
head_put(struct head *h, hostd_buf b)
{
	if (b.n > sizeof(h->text) - h->used) {
		h->full = 1;
		return;
	}
	if (b.n > 0)
		memcpy(h->text + h->used, b.p, b.n);
	h->used += b.n;
}

void
head_puts(struct head *h, const char *s)
{
	hostd_buf b = { s, strlen(s) };

	head_put(h, b);
}

hostd_buf
head_take(struct head *h)
{
	hostd_buf b = { h->text + h->mark, h->used - h->mark };

	h->mark = h->used;
	return b;
}
