/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "form.h"

static int
digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Into out, which has room for all of it; -1: it is not encoded rightly. */
static int
decode(hostd_buf text, char *out, size_t *n)
{
	const char *p = text.p, *end = p + text.n;
	char *at = out;
	int high, low;

	for (; p < end; p++) {
		if (*p != '%') {
			*at++ = *p == '+' ? ' ' : *p;
			continue;
		}
		if (end - p < 3 || (high = digit_of(p[1])) < 0 ||
		    (low = digit_of(p[2])) < 0)
			return -1;
		*at++ = (char)(high << 4 | low);
		p += 2;
	}
	*n = (size_t)(at - out);
	return 0;
}

/* How many bytes follow the first one of a character, and the range that the
 * next must be in (RFC 3629 section 4); -1: none begins so. */
static int
follow_of(unsigned char c, unsigned char *least, unsigned char *most)
{
	*least = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	*most = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	if (c < 0x80)
		return 0;
	if (c >= 0xc2 && c <= 0xdf)
		return 1;
	if (c >= 0xe0 && c <= 0xef)
		return 2;
	return c >= 0xf0 && c <= 0xf4 ? 3 : -1;
}

int
form_is_utf8(hostd_buf b)
{
	const unsigned char *p = b.p, *end = p + b.n;
	unsigned char least, most;
	int more;

	while (p < end) {
		if ((more = follow_of(*p++, &least, &most)) < 0 ||
		    end - p < more)
			return 0;
		for (; more > 0; more--, p++) {
			if (*p < least || *p > most)
				return 0;
			least = 0x80;
			most = 0xbf;
		}
	}
	return 1;
}

static struct form_field *
find_field(struct form_field *fields, size_t n, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strlen(fields[i].name) == len &&
		    memcmp(fields[i].name, name, len) == 0)
			return &fields[i];
	return NULL;
}

/* "name=value", or a name alone.  *room is moved past what is kept. */
static const char *
read_pair(hostd_buf pair, struct form_field *fields, size_t n, char **room)
{
	const char *p = pair.p, *eq = memchr(p, '=', pair.n);
	hostd_buf name = { p, eq == NULL ? pair.n : (size_t)(eq - p) };
	hostd_buf value = { eq == NULL ? p + pair.n : eq + 1,
		eq == NULL ? 0 : pair.n - name.n - 1 };
	struct form_field *f;
	char *out = *room;
	size_t len;

	if (decode(name, out, &len) == -1)
		return "a percent sign is not followed by two digits";
	f = find_field(fields, n, out, len);
	if (f != NULL && f->value.p != NULL)
		return "a field is there twice";
	if (decode(value, out, &len) == -1)
		return "a percent sign is not followed by two digits";
	if (memchr(out, '\0', len) != NULL)
		return "a field has a NUL";
	if (!form_is_utf8((hostd_buf){ out, len }))
		return "a field is not UTF-8";
	if (f != NULL) {
		f->value = (hostd_buf){ out, len };
		*room += len;
	}
	return NULL;
}

const char *
form_read(hostd_buf text, struct form_field *fields, size_t n, char *room)
{
	const char *p = text.p, *end = p + text.n, *stop, *why = NULL;
	size_t count = 0;

	for (; why == NULL && p < end; p = stop + 1) {
		if ((stop = memchr(p, '&', (size_t)(end - p))) == NULL)
			stop = end;
		if (stop == p)
			continue;
		if (++count > FORM_FIELDS_MAX)
			return "there are too many fields";
		why = read_pair((hostd_buf){ p, (size_t)(stop - p) }, fields,
		    n, &room);
		if (stop == end)
			break;
	}
	return why;
}
