/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "partial.h"

struct sio_partial *
partial_new(uint64_t handle, hostd_buf text, uint32_t nbins)
{
	size_t bins = nbins * sizeof(hostd_buf);
	struct sio_partial *p = calloc(1, sizeof(*p) + bins + text.n);
	char *copy;

	if (p == NULL)
		return NULL;
	p->handle = handle;
	p->nbins = nbins;
	p->bytes = text.n;
	p->bins = (hostd_buf *)(void *)(p + 1);
	copy = (char *)p->bins + bins;
	memcpy(copy, text.p, text.n);
	p->text.p = copy;
	p->text.n = text.n;
	return p;
}

int
partial_add(struct sio_partial *p, hostd_buf data)
{
	char *copy;

	if (p->n + 1 == p->nbins) {
		p->bins[p->n] = data;
		return 1;
	}
	if ((copy = malloc(data.n + 1)) == NULL)
		return -1;
	if (data.n > 0)
		memcpy(copy, data.p, data.n);
	p->bytes += data.n;
	p->bins[p->n].p = copy;
	p->bins[p->n++].n = data.n;
	return 0;
}

void
partial_free(struct sio_partial *p)
{
	if (p == NULL)
		return;
	while (p->n > 0)
		free((void *)(uintptr_t)p->bins[--p->n].p);
	free(p);
}
