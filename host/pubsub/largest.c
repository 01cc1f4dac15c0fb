/* SPDX-License-Identifier: BSD-2-Clause */
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "pubsub/largest.h"

#define HEAD	9	/* bytes in front of a name */

/* -- what a worker tells -- */

struct ranking {
	const struct channel *v[LARGEST_MAX];	/* the largest first */
	size_t n;
};

/* Where one of that size belongs. */
static size_t
ranking_place(const struct ranking *r, uint32_t nsockets)
{
	size_t low = 0, high = r->n, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (r->v[mid]->nsockets >= nsockets)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void
ranking_add(struct ranking *r, const struct channel *ch)
{
	size_t i;

	if (ch->nsockets == 0 || (r->n == LARGEST_MAX &&
	    ch->nsockets <= r->v[r->n - 1]->nsockets))
		return;
	i = ranking_place(r, ch->nsockets);
	if (r->n < LARGEST_MAX)
		r->n++;
	memmove(&r->v[i + 1], &r->v[i], (r->n - 1 - i) * sizeof(r->v[0]));
	r->v[i] = ch;
}

void
largest_write(const struct channels *all, struct buf *out)
{
	struct ranking r = { .n = 0 };
	const struct map_entry *e;
	unsigned char len;
	uint64_t n;
	size_t i, it = 0;

	while ((e = map_next(&all->map, &it)) != NULL)
		ranking_add(&r, e->value);
	for (i = 0; i < r.n; i++) {
		n = htole64(r.v[i]->nsockets);
		len = (unsigned char)r.v[i]->len;
		buf_append(out, &n, sizeof(n));
		buf_append(out, &len, 1);
		buf_append(out, r.v[i]->name, len);
	}
}

/* -- what all have told -- */

static int
name_compare(const void *pa, const void *pb)
{
	const hostd_channel_size *a = pa, *b = pb;
	size_t n = a->channel.n < b->channel.n ? a->channel.n : b->channel.n;
	int d = memcmp(a->channel.p, b->channel.p, n);

	if (d != 0)
		return d;
	return (a->channel.n > b->channel.n) - (a->channel.n < b->channel.n);
}

static int
size_compare(const void *pa, const void *pb)
{
	const hostd_channel_size *a = pa, *b = pb;

	if (a->sockets != b->sockets)
		return a->sockets > b->sockets ? -1 : 1;
	return name_compare(a, b);
}

/* All that is there; v has room for as many as there could be. */
static size_t
parse(const struct buf *told, hostd_channel_size *v)
{
	const unsigned char *p = (const unsigned char *)told->p;
	size_t at, n = 0;
	uint64_t sockets;

	for (at = 0; told->len - at >= HEAD; at += HEAD + p[at + 8]) {
		if (told->len - at - HEAD < p[at + 8])
			break;
		memcpy(&sockets, p + at, sizeof(sockets));
		v[n].sockets = le64toh(sockets);
		v[n++].channel = (hostd_buf){ p + at + HEAD, p[at + 8] };
	}
	return n;
}

size_t
largest_sum(const struct buf *told, hostd_channel_size *out, size_t max)
{
	hostd_channel_size *v = xcalloc(told->len / HEAD + 1, sizeof(*v));
	size_t i, k = 0, n = parse(told, v);

	qsort(v, n, sizeof(*v), name_compare);
	for (i = 0; i < n; i++)
		if (k > 0 && name_compare(&v[k - 1], &v[i]) == 0)
			v[k - 1].sockets += v[i].sockets;
		else
			v[k++] = v[i];
	qsort(v, k, sizeof(*v), size_compare);
	if (k > max)
		k = max;
	if (k > 0)
		memcpy(out, v, k * sizeof(*v));
	free(v);
	return k;
}
