/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"
#include "session/json.h"

#define SAFE	((int64_t)1 << 53)	/* whole numbers that doubles can tell
					   apart */

struct scan {
	const char *p, *end;
	unsigned depth;
};

static int
is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static int
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p;
}

static int
hex_of(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What can't simply be passed over: in strings, in those that nobody has looked
 * at yet, and in lists. */
enum { IN_STRING = 1, IN_NEW = 2, IN_LIST = 4 };
static const char ends[256] = {
	[0 ... 0x1f] = IN_NEW,
	['"'] = IN_STRING | IN_NEW | IN_LIST, ['\\'] = IN_STRING | IN_NEW,
	['{'] = IN_LIST, ['['] = IN_LIST, ['}'] = IN_LIST, [']'] = IN_LIST,
};

static const char *
pass_over(const char *p, const char *end, int in)
{
	while (p < end && (ends[(unsigned char)*p] & in) == 0)
		p++;
	return p;
}

/* -- is it JSON? -- */

static int	scan_value(struct scan *);

/* The next byte, if it is that one. */
static int
take(struct scan *s, char c)
{
	if (s->p == s->end || *s->p != c)
		return 0;
	s->p++;
	return 1;
}

/* p is behind the backslash. */
static int
scan_escape(struct scan *s)
{
	unsigned i;

	if (s->p == s->end || strchr("\"\\/bfnrtu", *s->p) == NULL ||
	    *s->p == '\0')
		return 0;
	if (*s->p++ != 'u')
		return 1;
	for (i = 0; i < 4; i++, s->p++)
		if (s->p == s->end || hex_of(*s->p) == -1)
			return 0;
	return 1;
}

static int
scan_string(struct scan *s)
{
	char c;

	if (!take(s, '"'))
		return 0;
	for (;;) {
		s->p = pass_over(s->p, s->end, IN_NEW);
		if (s->p == s->end)
			return 0;
		c = *s->p++;
		if (c == '"')
			return 1;
		if (c != '\\' || !scan_escape(s))
			return 0;
	}
}

static int
scan_digits(struct scan *s)
{
	const char *from = s->p;

	while (s->p < s->end && is_digit(*s->p))
		s->p++;
	return s->p > from;
}

static int
scan_number(struct scan *s)
{
	(void)take(s, '-');
	if (!take(s, '0') && !scan_digits(s))
		return 0;
	if (take(s, '.') && !scan_digits(s))
		return 0;
	if (!take(s, 'e') && !take(s, 'E'))
		return 1;
	if (!take(s, '+'))
		(void)take(s, '-');
	return scan_digits(s);
}

static int
scan_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
		return 0;
	s->p += n;
	return 1;
}

static int
scan_member(struct scan *s)
{
	s->p = skip_blanks(s->p, s->end);
	if (!scan_string(s))
		return 0;
	s->p = skip_blanks(s->p, s->end);
	return take(s, ':') && scan_value(s);
}

/* An object or array, behind its first bracket. */
static int
scan_list(struct scan *s, char end, int (*element)(struct scan *))
{
	if (++s->depth > JTEXT_DEPTH)
		return 0;
	s->p = skip_blanks(s->p, s->end);
	if (take(s, end)) {
		s->depth--;
		return 1;
	}
	do {
		if (!element(s))
			return 0;
		s->p = skip_blanks(s->p, s->end);
	} while (take(s, ','));
	s->depth--;
	return take(s, end);
}

static int
scan_value(struct scan *s)
{
	s->p = skip_blanks(s->p, s->end);
	if (s->p == s->end)
		return 0;
	switch (*s->p) {
	case '{':
		s->p++;
		return scan_list(s, '}', scan_member);
	case '[':
		s->p++;
		return scan_list(s, ']', scan_value);
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	default:
		return scan_number(s);
	}
}

/* Within so many others. */
static int
is_value(const char *p, size_t n, unsigned depth)
{
	struct scan s = { p, p + n, depth };

	/* What is not in a string can't be but ASCII, so this is of strings. */
	return n > 0 && utf8_is_valid(p, n) && scan_value(&s) &&
	    skip_blanks(s.p, s.end) == s.end;
}

int
jtext_is_value(const char *p, size_t n)
{
	return is_value(p, n, 0);
}

int
jtext_is_member(const char *p, size_t n)
{
	return is_value(p, n, 1);
}

int
jtext_is_object(const char *p, size_t n)
{
	const char *from;

	if (n == 0)
		return 0;
	from = skip_blanks(p, p + n);
	return from < p + n && *from == '{' && jtext_is_value(p, n);
}

/* -- where things are, in what is JSON -- */

/* Behind the string at p. */
static const char *
skip_string(const char *p, const char *end)
{
	p = pass_over(p + 1, end, IN_STRING);
	while (p < end && *p == '\\')
		p = pass_over(p + 2, end, IN_STRING);
	return p < end ? p + 1 : end;
}

static const char *
skip_list(const char *p, const char *end)
{
	unsigned depth = 0;

	for (; p < end; p = pass_over(p, end, IN_LIST)) {
		if (*p == '"') {
			p = skip_string(p, end);
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if (--depth == 0)
			return p + 1;
		p++;
	}
	return end;
}

static const char *
skip_value(const char *p, const char *end)
{
	if (p == end)
		return end;
	if (*p == '"')
		return skip_string(p, end);
	if (*p == '{' || *p == '[')
		return skip_list(p, end);
	while (p < end && *p != ',' && *p != '}' && *p != ']' && !is_blank(*p))
		p++;
	return p;
}

void
jtext_walk_start(struct jtext_walk *w, hostd_buf object)
{
	w->p = w->end = object.p;
	if (object.n == 0)
		return;
	w->end += object.n;
	w->p = skip_blanks(w->p, w->end);
	if (w->p < w->end)
		w->p++;
}

int
jtext_walk_next(struct jtext_walk *w, struct jtext_member *m)
{
	const char *p = skip_blanks(w->p, w->end), *from;

	m->from = w->p;
	if (p < w->end && *p == ',')
		p = skip_blanks(p + 1, w->end);
	if (p == w->end || *p != '"')
		return 0;
	from = p;
	p = skip_string(p, w->end);
	m->key = (hostd_buf){ from, (size_t)(p - from) };
	p = skip_blanks(p, w->end);
	from = skip_blanks(p < w->end ? p + 1 : p, w->end);
	w->p = m->to = skip_value(from, w->end);
	m->value = (hostd_buf){ from, (size_t)(m->to - from) };
	return 1;
}

hostd_buf
jtext_get(hostd_buf object, hostd_buf key)
{
	hostd_buf found = { NULL, 0 };
	struct jtext_member m;
	struct jtext_walk w;

	jtext_walk_start(&w, object);
	while (jtext_walk_next(&w, &m))
		if (jtext_says(m.key, key))
			found = m.value;
	return found;
}

/* -- strings -- */

/* Of the four digits at p. */
static unsigned
unit_at(const char *p, const char *end)
{
	unsigned i, unit = 0;

	for (i = 0; i < 4 && p + i < end; i++)
		unit = unit << 4 | ((unsigned)hex_of(p[i]) & 15);
	return unit;
}

static size_t
put_char(unsigned c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 63));
		out[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 63));
	out[2] = (char)(0x80 | (c >> 6 & 63));
	out[3] = (char)(0x80 | (c & 63));
	return 4;
}

/* What \u at *p (behind the u) says: a half of a pair that has no other half
 * stands for itself. */
static unsigned
take_unit(const char **p, const char *end)
{
	unsigned c = unit_at(*p, end), low;

	*p = end - *p < 4 ? end : *p + 4;
	if ((c & 0xfc00) != 0xd800 || end - *p < 6 || (*p)[0] != '\\' ||
	    (*p)[1] != 'u')
		return c;
	low = unit_at(*p + 2, end);
	if ((low & 0xfc00) != 0xdc00)
		return c;
	*p += 6;
	return 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
}

/* One character of a string, or one byte of what was not escaped; moves *p. */
static size_t
take_char(const char **p, const char *end, char out[4])
{
	static const char names[] = "bfnrt", meant[] = "\b\f\n\r\t";
	const char *at;

	out[0] = *(*p)++;
	if (out[0] != '\\' || *p == end)
		return 1;
	out[0] = *(*p)++;
	if (out[0] == 'u')
		return put_char(take_unit(p, end), out);
	if (out[0] != '\0' && (at = strchr(names, out[0])) != NULL)
		out[0] = meant[at - names];
	return 1;
}

int
jtext_says(hostd_buf string, hostd_buf bytes)
{
	const char *p = (const char *)string.p + 1, *want = bytes.p, *end;
	size_t n, left = bytes.n;
	char out[4];

	/* No escape is shorter than what it says. */
	if (string.n < 2 || string.n - 2 < left)
		return 0;
	end = p + string.n - 2;
	if (left == string.n - 2 && memcmp(p, want, left) == 0 &&
	    memchr(p, '\\', left) == NULL)
		return 1;
	for (; p < end; want += n, left -= n) {
		n = take_char(&p, end, out);
		if (n > left || memcmp(out, want, n) != 0)
			return 0;
	}
	return left == 0;
}

size_t
jtext_unquote(hostd_buf string, char *room)
{
	const char *p = (const char *)string.p + 1, *end;
	char out[4];
	size_t n, len = 0;

	if (string.n < 2)
		return 0;
	end = p + string.n - 2;
	for (; p < end; len += n) {
		n = take_char(&p, end, out);
		memcpy(room + len, out, n);
	}
	return len;
}

void
jtext_quote(struct buf *b, hostd_buf bytes)
{
	static const char names[] = "bfnrt\"\\", meant[] = "\b\f\n\r\t\"\\";
	const char *p = bytes.p, *at;
	size_t i;

	buf_append(b, "\"", 1);
	for (i = 0; i < bytes.n; i++) {
		at = p[i] == '\0' ? NULL : strchr(meant, p[i]);
		if (at != NULL)
			buf_printf(b, "\\%c", names[at - meant]);
		else if ((unsigned char)p[i] < 0x20)
			buf_printf(b, "\\u%04x", (unsigned)p[i]);
		else
			buf_append(b, p + i, 1);
	}
	buf_append(b, "\"", 1);
}

/* -- other values -- */

int
jtext_number(hostd_buf value, int64_t *out)
{
	const char *p = value.p;
	char text[64];
	double d;

	if (value.n == 0 || value.n >= sizeof(text) ||
	    (*p != '-' && !is_digit(*p)))
		return 0;
	memcpy(text, p, value.n);
	text[value.n] = '\0';
	d = strtod(text, NULL);
	if (!(d >= -(double)SAFE && d <= (double)SAFE))
		return 0;
	*out = (int64_t)d;
	return 1;
}

int
jtext_is_word(hostd_buf value, const char *word)
{
	return value.n == strlen(word) && memcmp(value.p, word, value.n) == 0;
}
