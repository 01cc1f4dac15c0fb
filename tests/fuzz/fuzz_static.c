/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What http_static reads of a request's headers.  The input is their values,
 * a line each; an empty line is an absent header:
 *
 *	Range, If-Match, If-None-Match, If-Modified-Since,
 *	If-Unmodified-Since, If-Range, Accept-Encoding, a file's name
 *
 * What must hold: ranges lie in the file and are no abuse, weights are
 * thousandths, a date that was read is read again as it is written.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <web/conditional.h>
#include <web/date.h>
#include <web/range.h>
#include <web/encoding.h>
#include "types.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum {
	RANGE,
	IF_MATCH,
	IF_NONE_MATCH,
	IF_MODIFIED,
	IF_UNMODIFIED,
	IF_RANGE,
	ACCEPT_ENCODING,
	NAME,
	NLINES
};

#define YEAR_10000 INT64_C(253402300800)

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* Lines in memory of just their size, NUL-ended only for the name. */
static void
split(const uint8_t *p, size_t n, hostd_buf lines[NLINES])
{
	const uint8_t *end;
	size_t i, len;
	char *copy;

	for (i = 0; i < NLINES; i++) {
		end = n > 0 ? memchr(p, '\n', n) : NULL;
		len = end == NULL ? n : (size_t)(end - p);
		copy = NULL;
		if (len > 0 || i == NAME) {
			if ((copy = malloc(len + (i == NAME))) == NULL)
				abort();
			memcpy(copy, p, len);
			if (i == NAME)
				copy[len] = '\0';
		}
		lines[i] = (hostd_buf){copy, len};
		p += len + (end != NULL);
		n -= len + (end != NULL);
	}
}

static void
try_range(hostd_buf value, uint64_t size)
{
	struct range r[RANGES_MAX];
	uint64_t total = 0;
	int i, n;

	n = range_parse(value.p, value.n, size, r);
	must(n >= RANGE_UNSATISFIABLE && n <= RANGES_MAX);
	for (i = 0; i < n; i++) {
		must(r[i].len > 0 && r[i].from < size);
		must(r[i].len <= size - r[i].from);
		total += r[i].len;
	}
	must(n < 2 || total <= size);
}

static void
try_date(hostd_buf value)
{
	char text[DATE_SIZE];
	time_t t, again;

	if (value.p == NULL || date_parse(value.p, value.n, &t) == -1 ||
	    t < 0 || t >= YEAR_10000)
		return;
	date_format(t, text);
	must(date_parse(text, strlen(text), &again) == 0 && again == t);
}

static void
try_conditions(const hostd_buf *lines)
{
	struct conditions c = {
	    .if_match = lines[IF_MATCH],
	    .if_none_match = lines[IF_NONE_MATCH],
	    .if_modified_since = lines[IF_MODIFIED],
	    .if_unmodified_since = lines[IF_UNMODIFIED],
	    .if_range = lines[IF_RANGE],
	};
	int rc = conditional_check(&c, "\"abc-1\"", 784111777);

	must(rc == 0 || rc == 304 || rc == 412);
	must(rc != 412 || c.if_match.p != NULL ||
	    c.if_unmodified_since.p != NULL);
	must(rc != 304 || c.if_none_match.p != NULL ||
	    c.if_modified_since.p != NULL);
	rc = conditional_range(&c, "\"abc-1\"", 784111777);
	must(rc == 0 || rc == 1);
}

static void
try_encoding(hostd_buf value)
{
	struct accepted a;

	encoding_parse(value, &a);
	must(a.br >= 0 && a.br <= 1000);
	must(a.gzip >= 0 && a.gzip <= 1000);
	must(a.identity >= 0 && a.identity <= 1000);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t sizes[] = {0, 1, 100, UINT64_C(1) << 40};
	hostd_buf lines[NLINES];
	size_t i;

	split(data, size, lines);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (lines[RANGE].p != NULL)
			try_range(lines[RANGE], sizes[i]);
	try_conditions(lines);
	try_date(lines[IF_MODIFIED]);
	try_date(lines[IF_UNMODIFIED]);
	try_date(lines[IF_RANGE]);
	try_encoding(lines[ACCEPT_ENCODING]);
	must(strchr(type_of(lines[NAME].p), '/') != NULL);
	for (i = 0; i < NLINES; i++)
		free((void *)(uintptr_t)lines[i].p);
	return 0;
}
