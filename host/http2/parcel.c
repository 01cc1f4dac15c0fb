/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "http2/parcel.h"

#define WHOLE_ROOM	4096	/* kept for the next one */

void
parcel_header(char *to, enum parcel_kind kind, size_t n)
{
	uint32_t head[2] = { (uint32_t)kind, (uint32_t)n };

	memcpy(to, head, sizeof(head));
}

static size_t
take(const char **p, size_t *n, size_t most)
{
	size_t k = *n < most ? *n : most;

	*p += k;
	*n -= k;
	return k;
}

/* 1: the header is there, 0: not yet, -1: it is none. */
static int
next_header(struct parcels *ps, const char **p, size_t *n)
{
	const char *from = *p;
	uint32_t head[2];
	size_t k;

	if (ps->nheader == PARCEL_HEADER)
		return 1;
	k = take(p, n, PARCEL_HEADER - ps->nheader);
	memcpy(ps->header + ps->nheader, from, k);
	ps->nheader += (uint32_t)k;
	if (ps->nheader < PARCEL_HEADER)
		return 0;
	memcpy(head, ps->header, sizeof(head));
	if (head[0] >= PARCEL_N || ((head[0] == PARCEL_END ||
	    head[0] == PARCEL_FIN) && head[1] != 0) ||
	    (head[0] != PARCEL_DATA && head[1] > PARCEL_MOST))
		return -1;
	ps->kind = head[0];
	ps->left = head[1];
	if (ps->whole.cap > WHOLE_ROOM)
		buf_free(&ps->whole);
	ps->whole.len = 0;
	return 1;
}

int
parcels_next(struct parcels *ps, const char **p, size_t *n,
    struct parcel *next)
{
	const char *from;
	size_t k;
	int rc;

	if (*n == 0 || (rc = next_header(ps, p, n)) == 0)
		return 0;
	if (rc == -1)
		return -1;
	from = *p;
	k = take(p, n, ps->left);
	ps->left -= (uint32_t)k;
	if (ps->kind == PARCEL_DATA) {
		if (k == 0 && ps->left > 0)
			return 0;
		*next = (struct parcel){ PARCEL_DATA, from, k };
	} else {
		buf_append(&ps->whole, from, k);
		if (ps->left > 0)
			return 0;
		*next = (struct parcel){ (enum parcel_kind)ps->kind,
			ps->whole.p, ps->whole.len };
	}
	if (ps->left == 0)
		ps->nheader = 0;
	return 1;
}

void
parcels_free(struct parcels *ps)
{
	buf_free(&ps->whole);
}
