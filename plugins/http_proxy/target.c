/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <sys/types.h>
#include "target.h"
#include "text.h"

hostd_buf
target_prefix(const struct hostd_request *q)
{
	return text_of(q->path.p, q->path.n - q->rest.n);
}

hostd_buf
target_origin(const struct hostd_request *q)
{
	const char *p = q->target.p;
	size_t n = q->target.n, at;

	if (n == 0 || *p == '/' || *p == '*')
		return q->target;
	for (at = 0; at + 2 < n && memcmp(p + at, "://", 3) != 0; at++)
		;
	for (at += 3; at < n && p[at] != '/' && p[at] != '?'; at++)
		;
	return at < n ? text_from(q->target, at) : text_of("/", 1);
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return (c | 0x20) - 'a' + 10;
}

/*
 * How many bytes of the path as sent make the first n of the decoded one?  -1:
 * it is not that one, byte by byte.  The host has checked its escapes.
 */
static ssize_t
raw_length(hostd_buf raw, hostd_buf path, size_t n)
{
	const char *p = raw.p, *want = path.p;
	size_t at = 0, i;
	ssize_t found = n == 0 ? 0 : -1;
	char c;

	for (i = 0; at < raw.n; i++) {
		c = p[at];
		if (c == '%' && raw.n - at >= 3) {
			c = (char)(hex(p[at + 1]) << 4 | hex(p[at + 2]));
			at += 2;
		}
		at++;
		if (i >= path.n || want[i] != c)
			return -1;
		if (i + 1 == n)
			found = (ssize_t)at;
	}
	return i == path.n ? found : -1;
}

static void
put_encoded(hostd_buf b, struct head *out)
{
	static const char plain[] = "/-._~!$&'()*+,;=:@";
	const unsigned char *p = b.p;
	char code[4];
	size_t i;

	for (i = 0; i < b.n; i++)
		if ((p[i] >= '0' && p[i] <= '9') ||
		    ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z') ||
		    (p[i] != '\0' && strchr(plain, p[i]) != NULL))
			head_put(out, text_of(p + i, 1));
		else {
			(void)snprintf(code, sizeof(code), "%%%02X", p[i]);
			head_puts(out, code);
		}
}

hostd_buf
target_make(const struct hostd_request *q, hostd_buf rewrite, struct head *out)
{
	hostd_buf raw = target_origin(q), path, rest = raw;
	ssize_t skip;

	head_open(out);
	if (raw.n == 0 || *(const char *)raw.p == '?')
		head_puts(out, "/");	/* "http://a?b" has no path */
	if (rewrite.p == NULL || raw.n == 0 || *(const char *)raw.p != '/') {
		head_put(out, raw);
		return head_take(out);
	}
	(void)text_next(&rest, '?', &path);
	skip = raw_length(path, q->path, q->path.n - q->rest.n);
	head_put(out, rewrite);
	if (skip >= 0)
		head_put(out, text_from(path, (size_t)skip));
	else
		put_encoded(q->rest, out);
	if (rest.p != NULL) {
		head_puts(out, "?");
		head_put(out, rest);
	}
	return head_take(out);
}
