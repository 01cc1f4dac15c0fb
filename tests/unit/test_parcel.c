/* SPDX-License-Identifier: BSD-2-Clause */
/* What workers say to each other of a stream: parcels, heads and records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/pack.h"
#include "http/guard.h"
#include "http/packed.h"
#include "http2/parcel.h"

#define BUF(s) (hostd_buf){ s, sizeof(s) - 1 }

static const struct guard_limits limits = { .request_line = 1000,
	.head = 1000, .headers = 4 };

static void
put(struct buf *b, enum parcel_kind kind, const char *p)
{
	char header[PARCEL_HEADER];

	parcel_header(header, kind, strlen(p));
	buf_append(b, header, sizeof(header));
	buf_puts(b, p);
}

/* What is told of b when it comes in pieces of n bytes, as text. */
static void
tell(const struct buf *b, size_t n, struct buf *told)
{
	struct parcels in = { .nheader = 0 };
	struct parcel next;
	size_t at, k, left;
	const char *p;

	told->len = 0;
	for (at = 0; at < b->len; at += k) {
		k = left = b->len - at < n ? b->len - at : n;
		p = b->p + at;
		while (parcels_next(&in, &p, &left, &next) == 1) {
			if (next.kind != PARCEL_DATA)
				buf_printf(told, "<%d>", (int)next.kind);
			buf_append(told, next.p, next.n);
		}
		assert_int_equal(left, 0);
	}
	buf_append(told, "", 1);
	parcels_free(&in);
}

static void
test_pieces(void **state)
{
	struct buf b = { NULL, 0, 0 }, told = { NULL, 0, 0 };
	size_t n;

	(void)state;
	put(&b, PARCEL_HEAD, "head");
	put(&b, PARCEL_DATA, "some");
	put(&b, PARCEL_DATA, "more");
	put(&b, PARCEL_TRAILERS, "trailers");
	put(&b, PARCEL_END, "");
	put(&b, PARCEL_FIN, "");
	for (n = 1; n <= b.len; n++) {
		tell(&b, n, &told);
		assert_string_equal(told.p,
		    "<1>headsomemore<2>trailers<3><5>");
	}
	buf_free(&b);
	buf_free(&told);
}

static void
test_none(void **state)
{
	static const uint32_t bad[][2] = { { PARCEL_N, 0 },
		{ PARCEL_END, 1 }, { PARCEL_FIN, 1 },
		{ PARCEL_HEAD, PARCEL_MOST + 1 }, { UINT32_MAX, UINT32_MAX } };
	struct parcels in;
	struct parcel next;
	const char *p;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&in, 0, sizeof(in));
		p = (const char *)bad[i];
		n = sizeof(bad[i]);
		assert_int_equal(parcels_next(&in, &p, &n, &next), -1);
		parcels_free(&in);
	}
}

/* Each beginning of a head, and one with more behind it, is none. */
static void
test_heads(void **state)
{
	hostd_hdr h[2] = { { BUF("Name"), BUF("value") },
		{ BUF("x"), { NULL, 0 } } };
	char head[100], *copy;
	size_t i, n = (size_t)(packed_head(head, 200, h, 2) - head);

	(void)state;
	head[n] = 0;
	for (i = 0; i <= n + 1; i++) {
		copy = malloc(i + 1);
		assert_non_null(copy);
		memcpy(copy, head, i);
		assert_int_equal(packed_fits(copy, i), i == n);
		free(copy);
	}
}

static void
test_record(void **state)
{
	struct http_framed f, got;
	struct buf b = { NULL, 0, 0 };
	struct unpack u;
	size_t n;

	(void)state;
	framed_init(&f, limits.headers);
	framed_add(&f, &limits, BUF(":path"), BUF("/a"));
	framed_add(&f, &limits, BUF("one"), BUF("1"));
	framed_add(&f, &limits, BUF("cookie"), BUF("a=b"));
	framed_complete(&f, &limits);
	f.no_body = 1;
	framed_pack(&f, &b);
	for (n = 0; n <= b.len; n++) {
		u = (struct unpack){ b.p, n, 0 };
		framed_init(&got, limits.headers);
		assert_int_equal(framed_unpack(&got, &limits, &u),
		    n < b.len ? -1 : 0);
		if (n < b.len)
			framed_free(&got);
	}
	assert_int_equal(got.nfields, 2);
	assert_int_equal(got.size, f.size);
	assert_int_equal(got.refuse, 0);
	assert_true(got.no_body);
	assert_memory_equal(got.text.p, f.text.p, f.text.len);
	assert_memory_equal(got.pseudo, f.pseudo, sizeof(f.pseudo));
	framed_free(&got);
	framed_free(&f);
	buf_free(&b);
}

/* The limits of the worker that gets it are narrower. */
static void
test_record_above(void **state)
{
	static const struct guard_limits narrow = { .request_line = 1000,
		.head = 1000, .headers = 1 };
	struct http_framed f, got;
	struct buf b = { NULL, 0, 0 };
	struct unpack u;

	(void)state;
	framed_init(&f, limits.headers);
	framed_add(&f, &limits, BUF("one"), BUF("1"));
	framed_add(&f, &limits, BUF("two"), BUF("2"));
	framed_complete(&f, &limits);
	framed_pack(&f, &b);
	u = (struct unpack){ b.p, b.len, 0 };
	framed_init(&got, narrow.headers);
	assert_int_equal(framed_unpack(&got, &narrow, &u), 0);
	assert_int_equal(got.nfields, 1);
	assert_int_equal(got.refuse, 431);
	framed_free(&got);
	/* A field that lies outside of its text. */
	f.fields[1].value_len = 1000;
	b.len = 0;
	framed_pack(&f, &b);
	u = (struct unpack){ b.p, b.len, 0 };
	framed_init(&got, limits.headers);
	assert_int_equal(framed_unpack(&got, &limits, &u), -1);
	framed_free(&got);
	framed_free(&f);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_record_above),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
