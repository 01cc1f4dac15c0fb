/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "auth/dn.h"
#include "base/buf.h"

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind a backslash: a byte in hexadecimal, or a character that would mean
 * something else.  What it stands for, or -1. */
static int
unescape(const char **p)
{
	int high = hex_value(**p), low;

	if (**p == '\0')
		return -1;
	if (high == -1)
		return (unsigned char)*(*p)++;
	if ((low = hex_value((*p)[1])) == -1)
		return -1;
	*p += 2;
	return high << 4 | low;
}

/* A value up to what ends it: 0, or -1: it is not text. */
static int
take_value(const char **p, struct buf *out)
{
	char byte;
	int c;

	if (**p == '#')
		return -1;
	while (**p != '\0' && **p != ',' && **p != '+') {
		c = (unsigned char)*(*p)++;
		if (c == '\\' && (c = unescape(p)) == -1)
			return -1;
		if (c < 0x20 || c == 0x7f)
			return -1;
		byte = (char)c;
		buf_append(out, &byte, 1);
	}
	return 0;
}

/* As take_value, but its bytes are not looked at. */
static void
skip_value(const char **p)
{
	while (**p != '\0' && **p != ',' && **p != '+')
		*p += **p == '\\' && (*p)[1] != '\0' ? 2 : 1;
}

int
dn_find(const char *dn, const char *type, struct buf *out)
{
	size_t n = strlen(type), before = out->len;
	int found = 0, rc = 0;
	const char *p = dn;

	while (*p != '\0' && rc == 0) {
		if (strncasecmp(p, type, n) == 0 && p[n] == '=') {
			p += n + 1;
			rc = found++ > 0 ? -1 : take_value(&p, out);
		} else
			skip_value(&p);
		if (*p != '\0')
			p++;
	}
	if (rc == 0 && found == 1 && out->len > before)
		return 0;
	out->len = before;
	return -1;
}
