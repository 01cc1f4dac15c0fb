/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>
#include "encoding.h"
#include "weight.h"

#define GZIP_WINDOW	(15 + 16)	/* 32 KiB, with a gzip header */

static int
is_word(const char *p, size_t n, const char *word)
{
	return strlen(word) == n && strncasecmp(p, word, n) == 0;
}

static size_t
trimmed(const char *p, size_t n)
{
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	return n;
}

/* One item "coding;q=w". */
static void
parse_item(const char *p, size_t n, struct accepted *a, int *star)
{
	const char *semi = memchr(p, ';', n), *q;
	size_t name = trimmed(p, semi == NULL ? n : (size_t)(semi - p));
	int weight = 1000;

	if (semi != NULL) {
		for (q = semi + 1; q < p + n && (*q == ' ' || *q == '\t'); q++)
			;
		if (p + n - q >= 2 && (q[0] | 0x20) == 'q' && q[1] == '=')
			weight = weight_parse((hostd_buf){ q + 2,
			    trimmed(q + 2, (size_t)(p + n - q) - 2) });
	}
	if (is_word(p, name, "br"))
		a->br = weight;
	else if (is_word(p, name, "gzip") || is_word(p, name, "x-gzip"))
		a->gzip = weight;
	else if (is_word(p, name, "identity"))
		a->identity = weight;
	else if (is_word(p, name, "*"))
		*star = weight;
}

void
encoding_parse(hostd_buf header, struct accepted *a)
{
	const char *p = header.p == NULL ? "" : header.p;
	const char *end = p + header.n, *comma;
	int star = -1;

	a->br = a->gzip = a->identity = -1;
	while (p < end) {
		while (p < end && (*p == ' ' || *p == '\t' || *p == ','))
			p++;
		for (comma = p; comma < end && *comma != ','; comma++)
			;
		if (comma > p)
			parse_item(p, (size_t)(comma - p), a, &star);
		p = comma;
	}
	if (a->br < 0)
		a->br = star > 0 ? star : 0;
	if (a->gzip < 0)
		a->gzip = star > 0 ? star : 0;
	/* Identity is always fine unless it is ruled out. */
	if (a->identity < 0)
		a->identity = star == 0 ? 0 : 1;
}

void *
encoding_gzip(const void *p, size_t n, size_t *out)
{
	z_stream z;
	size_t room;
	void *dst;
	int rc;

	memset(&z, 0, sizeof(z));
	if (deflateInit2(&z, 6, Z_DEFLATED, GZIP_WINDOW, 8,
	    Z_DEFAULT_STRATEGY) != Z_OK)
		return NULL;
	room = deflateBound(&z, n);
	if ((dst = malloc(room)) == NULL) {
		deflateEnd(&z);
		return NULL;
	}
	z.next_in = (Bytef *)(uintptr_t)p;
	z.avail_in = (uInt)n;
	z.next_out = dst;
	z.avail_out = (uInt)room;
	rc = deflate(&z, Z_FINISH);
	*out = room - z.avail_out;
	deflateEnd(&z);
	if (rc == Z_STREAM_END && *out < n)
		return dst;
	free(dst);
	return NULL;
}
