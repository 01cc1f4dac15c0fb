/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts of headers: compared, trimmed, taken apart. */
#ifndef HTTP_PROXY_TEXT_H
#define HTTP_PROXY_TEXT_H

#include <string.h>
#include <strings.h>
#include <hostd/abi.h>

static inline hostd_buf
text_of(const void *p, size_t n)
{
	hostd_buf b = { p, n };

	return b;
}

/* For tables of names. */
#define TEXT(s) { s, sizeof(s) - 1 }

/* Case does not matter. */
static inline int
text_same(hostd_buf a, hostd_buf b)
{
	return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static inline int
text_is(hostd_buf a, const char *b)
{
	return a.n == strlen(b) && strncasecmp(a.p, b, a.n) == 0;
}

static inline int
text_among(hostd_buf a, const hostd_buf *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (text_same(a, v[i]))
			return 1;
	return 0;
}

/* Letters, digits, and what is among other. */
static inline int
text_has_only(hostd_buf b, const char *other)
{
	const char *p = (const char *)b.p;
	size_t i;

	for (i = 0; i < b.n; i++)
		if ((p[i] < '0' || p[i] > '9') &&
		    ((p[i] | 0x20) < 'a' || (p[i] | 0x20) > 'z') &&
		    (p[i] == '\0' || strchr(other, p[i]) == NULL))
			return 0;
	return 1;
}

/* As bytes. */
static inline int
text_begins(hostd_buf a, hostd_buf with)
{
	return a.n >= with.n && memcmp(a.p, with.p, with.n) == 0;
}

static inline hostd_buf
text_from(hostd_buf a, size_t skip)
{
	return text_of((const char *)a.p + skip, a.n - skip);
}

/* Without the white space around it. */
static inline hostd_buf
text_trim(hostd_buf b)
{
	const char *p = b.p;
	size_t n = b.n;

	while (n > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		n--;
	}
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	return text_of(p, n);
}

/* The part up to a separator, trimmed; *rest goes on behind it.  0: no more. */
static inline int
text_next(hostd_buf *rest, char separator, hostd_buf *out)
{
	const char *p = rest->p, *at;

	if (p == NULL)
		return 0;
	at = rest->n == 0 ? NULL : memchr(p, separator, rest->n);
	if (at == NULL) {
		*out = text_trim(*rest);
		*rest = text_of(NULL, 0);
	} else {
		*out = text_trim(text_of(p, (size_t)(at - p)));
		*rest = text_from(*rest, (size_t)(at - p) + 1);
	}
	return 1;
}

/* The first header of that name; p NULL: none. */
static inline hostd_buf
text_header(const hostd_hdr *h, uint32_t n, const char *name)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (text_is(h[i].name, name))
			return h[i].value;
	return text_of(NULL, 0);
}

#endif
