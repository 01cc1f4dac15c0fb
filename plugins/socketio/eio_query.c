/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "eio_query.h"

#define NAME_MAX_LEN	16
#define VALUE_MAX_LEN	(EIO_ID_LEN + 1)

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 32) >= 'a' && (c | 32) <= 'f')
		return (c | 32) - 'a' + 10;
	return -1;
}

/* Percent-decoded, at most max bytes; what is cut is longer than anything that
 * has a meaning. */
static size_t
decode(const char *p, const char *end, char *out, size_t max)
{
	size_t n;

	for (n = 0; p < end && n < max; p++, n++) {
		out[n] = *p == '+' ? ' ' : *p;
		if (*p == '%' && end - p > 2 && hex(p[1]) >= 0 &&
		    hex(p[2]) >= 0) {
			out[n] = (char)(hex(p[1]) << 4 | hex(p[2]));
			p += 2;
		}
	}
	return n;
}

static int
is(const char *p, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(p, word, n) == 0;
}

static void
take(struct eio_query *q, const char *name, size_t nname, const char *value,
    size_t n)
{
	if (is(name, nname, "EIO")) {
		q->is_revision_4 = is(value, n, "4");
	} else if (is(name, nname, "b64")) {
		q->wants_base64 = n > 0;
	} else if (is(name, nname, "transport")) {
		q->transport = EIO_TRANSPORT_NONE;
		if (is(value, n, "polling"))
			q->transport = EIO_TRANSPORT_POLLING;
		if (is(value, n, "websocket"))
			q->transport = EIO_TRANSPORT_WEBSOCKET;
	} else if (is(name, nname, "sid")) {
		q->nid = n;
		memcpy(q->id, value, n);
	}
}

void
eio_query_parse(hostd_buf query, struct eio_query *q)
{
	const char *p = query.p, *end = p + query.n, *next, *equals;
	char name[NAME_MAX_LEN], value[VALUE_MAX_LEN];
	size_t nname, nvalue;

	memset(q, 0, sizeof(*q));
	while (query.n > 0 && p < end) {
		next = memchr(p, '&', (size_t)(end - p));
		if (next == NULL)
			next = end;
		equals = memchr(p, '=', (size_t)(next - p));
		if (equals == NULL)
			equals = next;
		nname = decode(p, equals, name, sizeof(name));
		nvalue = equals == next ? 0 : decode(equals + 1, next, value,
		    sizeof(value));
		take(q, name, nname, value, nvalue);
		p = next + 1;
	}
}
