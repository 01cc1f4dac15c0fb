/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <zlib.h>
#include <web/encoding.h>
#include "gzip.h"
#include "settings.h"
#include "text.h"

#define WINDOW	(15 + 16)	/* 32 KiB, with a gzip header */
#define POOL	16		/* that are kept, 256 KiB each */
#define OUT	16384

struct gzip {
	z_stream z;
	struct gzip *next;
	unsigned behind;	/* in the pool */
	int flush;
	char out[OUT];
};

/* -- whether -- */

static int
is_type(const struct settings *s, hostd_buf type)
{
	hostd_buf name;
	uint32_t i;

	if (!text_next(&type, ';', &name))
		return 0;
	for (i = 0; i < s->ngzip_types; i++)
		if (text_same(s->gzip_types[i], name) ||
		    text_is(s->gzip_types[i], "*"))
			return 1;
	return 0;
}

static int
has_no_transform(const hostd_hdr *h, uint32_t n)
{
	hostd_buf rest, token;
	uint32_t i;

	for (i = 0; i < n; i++) {
		if (!text_is(h[i].name, "cache-control"))
			continue;
		rest = h[i].value;
		while (text_next(&rest, ',', &token))
			if (text_is(token, "no-transform"))
				return 1;
	}
	return 0;
}

/* All lines of Accept-Encoding, one after the other. */
static int
takes_gzip(const struct hostd_request *q)
{
	struct accepted a;
	uint32_t i;

	for (i = 0; i < q->nheaders; i++) {
		if (!text_is(q->headers[i].name, "accept-encoding"))
			continue;
		encoding_parse(q->headers[i].value, &a);
		if (a.gzip > 0)
			return (q->flags & HOSTD_REQ_HTTP10) == 0;
	}
	return 0;
}

int
gzip_wanted(const struct settings *s, const struct hostd_request *q,
    const struct hostd_fetch_response *a)
{
	int64_t length = a->content_length;
	hostd_buf text;
	uint64_t n;
	char digits[24];

	if (!s->gzip || (a->status != 200 && a->status != 403 &&
	    a->status != 404))
		return 0;
	text = text_header(a->headers, a->nheaders, "content-length");
	if (q->method == HOSTD_METHOD_HEAD && text.n > 0 &&
	    text.n < sizeof(digits)) {
		memcpy(digits, text.p, text.n);
		digits[text.n] = '\0';
		n = strtoull(digits, NULL, 10);
		length = n > INT64_MAX ? INT64_MAX : (int64_t)n;
	}
	if ((length >= 0 && (uint64_t)length < s->gzip_min) || length == 0 ||
	    text_header(a->headers, a->nheaders, "content-encoding").n > 0 ||
	    !is_type(s, text_header(a->headers, a->nheaders,
	    "content-type")) || has_no_transform(a->headers, a->nheaders))
		return 0;
	return takes_gzip(q) ? 1 : -1;
}

/* -- how -- */

struct gzip *
gzip_new(struct gzip **pool, int level, int flush)
{
	struct gzip *g = *pool;

	if (g != NULL) {
		*pool = g->next;
		(void)deflateReset(&g->z);
	} else {
		if ((g = malloc(sizeof(*g))) == NULL)
			return NULL;
		memset(&g->z, 0, sizeof(g->z));
		if (deflateInit2(&g->z, level, Z_DEFLATED, WINDOW, 8,
		    Z_DEFAULT_STRATEGY) != Z_OK) {
			free(g);
			return NULL;
		}
	}
	g->next = NULL;
	g->flush = flush;
	return g;
}

static void
gzip_destroy(struct gzip *g)
{
	(void)deflateEnd(&g->z);
	free(g);
}

void
gzip_free(struct gzip **pool, struct gzip *g)
{
	if (g == NULL)
		return;
	g->behind = *pool == NULL ? 0 : (*pool)->behind + 1;
	if (g->behind >= POOL) {
		gzip_destroy(g);
		return;
	}
	g->next = *pool;
	*pool = g;
}

void
gzip_pool_free(struct gzip **pool)
{
	struct gzip *g;

	while ((g = *pool) != NULL) {
		*pool = g->next;
		gzip_destroy(g);
	}
}

int32_t
gzip_part(struct gzip *g, hostd_buf part, int fin,
    int32_t (*put)(void *arg, hostd_buf), void *arg)
{
	int mode = fin ? Z_FINISH : g->flush ? Z_SYNC_FLUSH : Z_NO_FLUSH;
	z_stream *z = &g->z;
	hostd_buf out;
	int32_t rc;
	int state;

	if (part.n == 0 && !fin)
		return HOSTD_OK;
	z->next_in = (Bytef *)(uintptr_t)part.p;
	z->avail_in = (uInt)part.n;
	do {
		z->next_out = (Bytef *)g->out;
		z->avail_out = sizeof(g->out);
		state = deflate(z, mode);
		out = text_of(g->out, sizeof(g->out) - z->avail_out);
		if (out.n > 0 && (rc = put(arg, out)) < 0)
			return rc;
	} while (state == Z_OK && (z->avail_in > 0 || z->avail_out == 0 ||
	    fin));
	return state == Z_STREAM_ERROR ? HOSTD_E_INVAL : HOSTD_OK;
}
