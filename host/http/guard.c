/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <string.h>
#include "http/guard.h"

#define ONES	0x0101010101010101ull
#define HIGHS	0x8080808080808080ull

/* ! # $ % & ' * + - . 0-9 A-Z ^ _ ` a-z | ~ */
static const uint8_t tchars[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 0,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0,
	0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0
};

int
is_tchar(unsigned char c)
{
	return tchars[c];
}

int
is_token(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!tchars[(unsigned char)p[i]])
			return 0;
	return n > 0;
}

/* Is any of eight bytes below 0x20 or 0x7f? */
static int
has_control(const char *p)
{
	uint64_t x, del;

	memcpy(&x, p, sizeof(x));
	del = x ^ (ONES * 0x7f);
	return (((x - ONES * 0x20) & ~x) | ((del - ONES) & ~del)) & HIGHS
	    ? 1 : 0;
}

static int
has_bad_byte(const char *p, size_t n)
{
	unsigned char c;
	size_t i;

	for (i = 0; i < n; i++) {
		c = (unsigned char)p[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return 1;
	}
	return 0;
}

int
is_field_value(const char *p, size_t n)
{
	size_t i;

	if (n < 8)
		return !has_bad_byte(p, n);
	for (i = 0; i + 8 < n; i += 8)
		if (has_control(p + i) && has_bad_byte(p + i, 8))
			return 0;
	/* The last eight; some of them for the second time. */
	return !has_control(p + n - 8) || !has_bad_byte(p + n - 8, 8);
}

/* Are eight bytes visible ASCII? */
static int
are_visible(const char *p)
{
	uint64_t x, del;

	memcpy(&x, p, sizeof(x));
	del = x ^ (ONES * 0x7f);
	return ((x | (x - ONES * 0x21) | (del - ONES)) & HIGHS) == 0;
}

/* How many are at the begin. */
static size_t
visible_run(const char *p, size_t n)
{
	size_t i = 0;

	while (n - i >= 8 && are_visible(p + i))
		i += 8;
	while (i < n && p[i] > 0x20 && p[i] < 0x7f)
		i++;
	return i;
}

/* method SP target SP version: visible ASCII with exactly two spaces. */
static int
is_request_line(const char *p, size_t n)
{
	size_t at = 0, word;
	int i;

	for (i = 0; i < 2; i++) {
		word = visible_run(p + at, n - at);
		at += word;
		if (word == 0 || at == n || p[at++] != ' ')
			return 0;
	}
	return at < n && visible_run(p + at, n - at) == n - at &&
	    is_tchar((unsigned char)p[0]);
}

/* HTTP/x.y SP 3DIGIT, and perhaps a SP and a reason.  Some servers leave out
 * that SP when there is no reason; nobody can read that in another way. */
static int
is_status_line(const char *p, size_t n)
{
	size_t i;

	if (n < 12 || memcmp(p, "HTTP/", 5) != 0 || p[6] != '.' ||
	    p[8] != ' ' || (n > 12 && p[12] != ' '))
		return 0;
	for (i = 5; i < 12; i++)
		if (i != 6 && i != 8 && (p[i] < '0' || p[i] > '9'))
			return 0;
	return is_field_value(p + 12, n - 12);
}

static int
is_first_line(const struct guard_limits *lim, const char *p, size_t n)
{
	return lim->answers ? is_status_line(p, n) : is_request_line(p, n);
}

static int
is_header_line(const char *p, size_t n)
{
	const char *colon = memchr(p, ':', n);

	return colon != NULL && is_token(p, (size_t)(colon - p)) &&
	    is_field_value(colon + 1, n - (size_t)(colon - p) - 1);
}

/* A line that is not complete: is it already wrong or too long? */
static int
guard_partial(const struct guard *g, const struct guard_limits *lim,
    const char *p, size_t len)
{
	size_t n = len - g->line;

	/* A CR may only be the last byte so far. */
	if (n > 1 && memchr(p + g->line, '\r', n - 1) != NULL)
		return -400;
	if (g->nlines == 0 && n > 0 && p[0] != '\r' &&
	    !is_tchar((unsigned char)p[0]))
		return -400;
	if (g->nlines == 0 && n > lim->request_line + 1)
		return -414;
	return len > lim->head ? -431 : 0;
}

/* One complete line of n bytes, without its CRLF. */
static int
guard_line(struct guard *g, const struct guard_limits *lim, const char *p,
    size_t n)
{
	if (g->nlines == 0) {
		if (n > lim->request_line)
			return -414;
		if (!is_first_line(lim, p, n))
			return -400;
	} else if (!is_header_line(p, n))
		return -400;
	if (g->nlines > lim->headers)
		return -431;
	g->nlines++;
	return 0;
}

int
guard_head(struct guard *g, const struct guard_limits *lim, const char *p,
    size_t len)
{
	const char *lf;
	size_t end;
	int rc;

	while ((lf = memchr(p + g->pos, '\n', len - g->pos)) != NULL) {
		end = (size_t)(lf - p);
		if (end == g->line || p[end - 1] != '\r')
			return -400;
		end--;
		if (end == g->line) {
			if (g->nlines == 0)
				return -400;
			return end + 2 > lim->head ? -431 : (int)(end + 2);
		}
		if ((rc = guard_line(g, lim, p + g->line, end - g->line)) != 0)
			return rc;
		g->pos = g->line = end + 2;
		if (g->line > lim->head)
			return -431;
	}
	g->pos = len;
	return guard_partial(g, lim, p, len);
}
