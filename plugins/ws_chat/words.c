/* SPDX-License-Identifier: BSD-2-Clause */
#include "chat.h"

/* The character at p, and past it.  The host has checked that it is UTF-8. */
static uint32_t
next_char(const unsigned char **p)
{
	uint32_t c = *(*p)++;
	int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

	if (more > 0)
		c &= 0x3fu >> more;
	while (more-- > 0)
		c = c << 6 | (*(*p)++ & 0x3fu);
	return c;
}

size_t
words_length(hostd_buf s)
{
	const unsigned char *p = s.p, *end = p + s.n;
	size_t n = 0;

	for (; p < end; p++)
		n += (*p & 0xc0) != 0x80;
	return n;
}

/* Of the lines around it these would make something else: controls, line ends,
 * changes of direction, and what can't be seen. */
static int
is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200b ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
	    c == 0xfeff;
}

const char *
words_check_name(hostd_buf s, uint32_t max)
{
	const unsigned char *p = s.p, *end = p + s.n;

	if (s.n == 0)
		return "is empty";
	if (p[0] == ' ' || end[-1] == ' ')
		return "starts or ends with a space";
	if (words_length(s) > max)
		return "is too long";
	while (p < end)
		if (is_control(next_char(&p)))
			return "has control characters";
	return NULL;
}
