/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON as the application says it. */
#include <stdlib.h>
#include <string.h>
#include "app.h"

int
is_same(hostd_buf b, const char *text)
{
	return b.n == strlen(text) && memcmp(b.p, text, b.n) == 0;
}

int
compare(const void *a, const void *b)
{
	const hostd_buf *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int r = memcmp(x->p, y->p, n);

	return r != 0 ? r : (x->n > y->n) - (x->n < y->n);
}

void
put_sorted(struct hostd_json *j, hostd_buf list, hostd_buf but)
{
	struct hostd_json_walk w = hostd_json_walk(list);
	hostd_buf names[NAMES_MAX];
	uint32_t i, n = 0;

	while (n < NAMES_MAX && hostd_json_next(&w, &names[n]))
		if (but.n == 0 || !hostd_json_says(names[n], but))
			n++;
	qsort(names, n, sizeof(names[0]), compare);
	hostd_json_begin(j, '[');
	for (i = 0; i < n; i++)
		hostd_json_raw(j, names[i]);
	hostd_json_end(j, ']');
}

void
put_member(struct hostd_json *j, const char *key, hostd_buf value)
{
	hostd_json_key(j, key);
	hostd_json_raw(j, value.n == 0 ? hostd_str("null") : value);
}

void
put_name(struct hostd_json *j, const char *key, hostd_buf bytes)
{
	hostd_json_key(j, key);
	hostd_json_strn(j, bytes);
}

void
put_flag(struct hostd_json *j, const char *key, int on)
{
	put_member(j, key, hostd_str(on ? "true" : "false"));
}

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* A value of a query. */
static void
put_decoded(struct hostd_json *j, const char *p, const char *end)
{
	char text[256];
	hostd_buf b = {text, 0};

	for (; p < end && b.n < sizeof(text); p++)
		if (*p == '%' && end - p > 2) {
			text[b.n++] = (char)(hex(p[1]) << 4 | hex(p[2]));
			p += 2;
		} else
			text[b.n++] = *p == '+' ? ' ' : *p;
	hostd_json_strn(j, b);
}

void
put_query(struct hostd_json *j, hostd_buf query, const char *name)
{
	const char *p = query.p, *end = p + query.n, *stop;
	size_t n = strlen(name);

	for (; query.n > 0 && p < end; p = stop + 1) {
		if ((stop = memchr(p, '&', (size_t)(end - p))) == NULL)
			stop = end;
		if ((size_t)(stop - p) <= n || memcmp(p, name, n) != 0 ||
		    p[n] != '=')
			continue;
		hostd_json_key(j, name);
		put_decoded(j, p + n + 1, stop);
	}
}

void
put_auth(struct hostd_json *j, hostd_buf auth)
{
	struct hostd_json_walk w = hostd_json_walk(auth);
	hostd_buf key, value;

	hostd_json_key(j, "auth");
	hostd_json_begin(j, '{');
	while (hostd_json_next_member(&w, &key, &value)) {
		if (hostd_json_says(key, hostd_str("pid")) ||
		    hostd_json_says(key, hostd_str("offset")))
			continue;
		hostd_json_raw(j, key);
		hostd_json_bytes(j, ":", 1);
		hostd_json_raw(j, value);
	}
	hostd_json_end(j, '}');
}
