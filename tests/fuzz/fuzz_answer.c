/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a server may answer.  The input is a byte of options, a byte that says
 * in what pieces it comes, and then the bytes of the connection: answers one
 * behind the other, until one of them ends the connection or makes no sense.
 *
 * What must hold: names are tokens, values have no control bytes, lengths are
 * none or not negative, an answer that can't have a body has none; and in
 * whatever pieces the bytes come, what is told is the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "http/answer.h"
#include "http/chunked.h"
#include "http/guard.h"
#include "http/trailers.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define OPT_HEAD	0x01
#define MAX_HEADERS	16

static const struct guard_limits limits = {
	.request_line = 256,
	.head = 4096,
	.headers = MAX_HEADERS,
	.answers = 1,
};

/* One connection, and what was told, in a form that pieces don't change. */
struct witness {
	struct guard guard;
	struct chunked chunked;
	struct trailers trailers;
	struct buf in, told;
	enum { HEAD, BODY, OVER } state;
	enum answer_body body;
	int64_t left;
	int to_head;
};

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
check_head(const struct answer *a)
{
	uint32_t i;

	must(a->status >= 100 && a->status <= 599);
	must(a->nheaders <= MAX_HEADERS);
	must(a->length >= -1);
	must((a->body == ANSWER_LENGTH) == (a->length > 0));
	must(a->body != ANSWER_CLOSE || !a->keepalive);
	if (a->to_head || a->status < 200 || a->status == 204 ||
	    a->status == 304)
		must(a->body == ANSWER_EMPTY && a->length == 0);
	for (i = 0; i < a->nheaders; i++) {
		must(is_token(a->headers[i].name.p, a->headers[i].name.n));
		must(is_field_value(a->headers[i].value.p,
		    a->headers[i].value.n));
	}
}

static size_t
feed_head(struct witness *w, const char *p, size_t n)
{
	hostd_hdr headers[MAX_HEADERS];
	struct answer a = {
		.headers = headers,
		.max = MAX_HEADERS,
		.to_head = w->to_head
	};
	const char *why = NULL;
	int len = guard_head(&w->guard, &limits, p, n);

	if (len == 0)
		return 0;
	if (len < 0 || answer_head(&a, p, (size_t)len, &why) == -1) {
		must(len < 0 || why != NULL);
		buf_puts(&w->told, "!");
		w->state = OVER;
		return 0;
	}
	check_head(&a);
	buf_printf(&w->told, "<%d %d %u>", a.status, (int)a.body, a.nheaders);
	memset(&w->guard, 0, sizeof(w->guard));
	memset(&w->chunked, 0, sizeof(w->chunked));
	trailers_free(&w->trailers);
	w->chunked.trailers = &w->trailers.raw;
	w->body = a.body;
	w->left = a.length;
	if (a.body != ANSWER_EMPTY)
		w->state = BODY;
	else if (!a.keepalive)
		w->state = OVER;
	return (size_t)len;
}

static size_t
feed_chunks(struct witness *w, const char *p, size_t n)
{
	const char *data;
	size_t used, ndata;
	uint32_t i;
	int rc = chunked_feed(&w->chunked, p, n, &used, &data, &ndata);

	buf_append(&w->told, data, ndata);
	if (rc == CHUNKED_BAD) {
		buf_puts(&w->told, "!");
		w->state = OVER;
	} else if (rc == CHUNKED_DONE) {
		trailers_split(&w->trailers);
		for (i = 0; i < w->trailers.n; i++)
			must(is_token(w->trailers.v[i].name.p,
			    w->trailers.v[i].name.n));
		buf_printf(&w->told, "<%u>", w->trailers.n);
		w->state = HEAD;
	}
	return used;
}

static size_t
feed_body(struct witness *w, const char *p, size_t n)
{
	if (w->body == ANSWER_CHUNKED)
		return feed_chunks(w, p, n);
	if (w->body == ANSWER_LENGTH && (uint64_t)w->left < n)
		n = (size_t)w->left;
	buf_append(&w->told, p, n);
	w->left -= (int64_t)n;
	if (w->body == ANSWER_LENGTH && w->left == 0)
		w->state = HEAD;
	return n;
}

static void
feed(struct witness *w, const char *p, size_t n)
{
	size_t k;

	buf_append(&w->in, p, n);
	while (w->in.len > 0 && w->state != OVER) {
		k = w->state == HEAD ? feed_head(w, w->in.p, w->in.len) :
		    feed_body(w, w->in.p, w->in.len);
		must(k <= w->in.len);
		if (k == 0)
			break;
		buf_consume(&w->in, k);
	}
}

static void
run(struct witness *w, const char *p, size_t n, size_t step)
{
	size_t k;

	for (; n > 0; p += k, n -= k) {
		k = n < step ? n : step;
		feed(w, p, k);
	}
}

static void
witness_free(struct witness *w)
{
	buf_free(&w->in);
	buf_free(&w->told);
	trailers_free(&w->trailers);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct witness whole, pieces;

	if (n < 2)
		return 0;
	memset(&whole, 0, sizeof(whole));
	whole.to_head = (data[0] & OPT_HEAD) != 0;
	pieces = whole;
	run(&whole, (const char *)data + 2, n - 2, SIZE_MAX);
	run(&pieces, (const char *)data + 2, n - 2, (size_t)data[1] + 1);
	must(whole.state == pieces.state);
	must(whole.told.len == pieces.told.len);
	must(whole.told.len == 0 || memcmp(whole.told.p, pieces.told.p,
	    whole.told.len) == 0);
	witness_free(&whole);
	witness_free(&pieces);
	return 0;
}
