/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "request.h"

static int
lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c == '_' ? '-' : c;
}

static int
is_header(hostd_buf a, hostd_buf b)
{
	const unsigned char *s = a.p, *t = b.p;
	size_t i;

	if (a.n != b.n)
		return 0;
	for (i = 0; i < a.n; i++)
		if (lower(s[i]) != lower(t[i]))
			return 0;
	return 1;
}

int
header_find(const hostd_hdr *hdrs, uint32_t n, hostd_buf name, hostd_buf *value)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (is_header(hdrs[i].name, name)) {
			*value = hdrs[i].value;
			return 1;
		}
	return 0;
}

/* The next one of that name in "a=1; b=2", or with "&" between them; text is
 * what is behind it then. */
static int
pair_next(hostd_buf *text, char between, hostd_buf name, hostd_buf *value)
{
	const char *s = text->p, *end, *stop;

	if (s == NULL)
		return 0;
	for (end = s + text->n; s < end; s = stop + 1) {
		if ((stop = memchr(s, between, (size_t)(end - s))) == NULL)
			stop = end;
		while (s < stop && *s == ' ')
			s++;
		if ((size_t)(stop - s) > name.n && s[name.n] == '=' &&
		    memcmp(s, name.p, name.n) == 0) {
			value->p = s + name.n + 1;
			value->n = (size_t)(stop - s) - name.n - 1;
			text->n = stop == end ? 0 : (size_t)(end - stop) - 1;
			text->p = end - text->n;
			return 1;
		}
		if (stop == end)
			break;
	}
	return 0;
}

int
cookie_next(const struct hostd_request *rq, hostd_buf name,
    struct cookie_place *at, hostd_buf *value)
{
	static const hostd_buf cookie = { "cookie", 6 };

	while (!pair_next(&at->rest, ';', name, value)) {
		for (; at->header < rq->nheaders &&
		    !is_header(rq->headers[at->header].name, cookie);
		    at->header++)
			;
		if (at->header == rq->nheaders)
			return 0;
		at->rest = rq->headers[at->header++].value;
	}
	return 1;
}

int
cookie_find(const struct hostd_request *rq, hostd_buf name, hostd_buf *value)
{
	struct cookie_place at = { 0, { NULL, 0 } };

	return cookie_next(rq, name, &at, value);
}

int
first_pair(hostd_buf line, hostd_buf name, hostd_buf *value)
{
	const char *end = memchr(line.p, ';', line.n);

	if (end != NULL)
		line.n = (size_t)(end - (const char *)line.p);
	if (!pair_next(&line, ';', name, value))
		return 0;
	while (value->n > 0 && ((const char *)value->p)[value->n - 1] == ' ')
		value->n--;
	return 1;
}

int
arg_find(const struct hostd_request *rq, hostd_buf name, hostd_buf *value)
{
	hostd_buf query = rq->query;

	return pair_next(&query, '&', name, value);
}
