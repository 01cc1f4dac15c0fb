/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "http/path.h"

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes that end what is plain, and those that do so behind a slash. */
enum { ENDS = 1, ENDS_SEGMENT };

static const unsigned char ends[256] = {
	['%'] = ENDS, ['?'] = ENDS, ['#'] = ENDS,
	['.'] = ENDS_SEGMENT, ['/'] = ENDS_SEGMENT,
};

size_t
path_plain(const char *p, size_t n)
{
	size_t i;
	int end;

	if (n == 0 || p[0] != '/')
		return 0;
	for (i = 1; i < n; i++) {
		end = ends[(unsigned char)p[i]];
		if (end != 0 && (end == ENDS || p[i - 1] == '/'))
			break;
	}
	return i;
}

static int
path_unescape(const char *p, size_t n, char *out)
{
	size_t i, len = 0;
	int hi, lo;

	for (i = 0; i < n; i++) {
		if (p[i] != '%') {
			out[len++] = p[i];
			continue;
		}
		if (n - i < 3 || (hi = hex_value(p[i + 1])) < 0 ||
		    (lo = hex_value(p[i + 2])) < 0 || (hi | lo) == 0)
			return -1;
		out[len++] = (char)(hi << 4 | lo);
		i += 2;
	}
	return (int)len;
}

/* Drop the last segment of out[0, len), which ends in "/". */
static int
path_up(const char *out, int len)
{
	if (len <= 1)
		return -1;
	len--;
	while (out[len - 1] != '/')
		len--;
	return len;
}

static int
path_resolve(char *p, int n)
{
	int i = 1, len = 1, end;

	if (n == 0 || p[0] != '/')
		return -1;
	while (i < n) {
		for (end = i; end < n && p[end] != '/'; end++)
			;
		if (end - i == 2 && p[i] == '.' && p[i + 1] == '.') {
			if ((len = path_up(p, len)) < 0)
				return -1;
		} else if (end != i && !(end - i == 1 && p[i] == '.')) {
			memmove(p + len, p + i, (size_t)(end - i));
			len += end - i;
			if (end < n)
				p[len++] = '/';
		}
		i = end + 1;
	}
	return len;
}

int
path_decode(const char *p, size_t n, char *out)
{
	int len = path_unescape(p, n, out);

	return len < 0 ? -1 : path_resolve(out, len);
}
