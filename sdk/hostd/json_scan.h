/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is it JSON (RFC 8259)?  All inline, without allocating.  What comes from
 * outside is asked once, with hostd_json_ok:
 *
 *	if (!hostd_json_ok(body))
 *		return hostd_respond(in, req, 400, "text/plain", "no JSON\n");
 *
 * A text is UTF-8 without a BOM, nested at most HOSTD_JSON_DEPTH deep.  Numbers
 * have any size, and strings any \u: "\u0000" and halves of pairs too.
 *
 * A plugin wants hostd_json_ok, hostd_json_ok_utf8 and hostd_json_is_utf8; the
 * rest is what <hostd/json.h>, which reads, and <hostd/json_write.h>, which
 * makes JSON, stand on.
 */
#ifndef HOSTD_JSON_SCAN_H
#define HOSTD_JSON_SCAN_H

#include <string.h>

#include <hostd/abi.h>

#define HOSTD_JSON_DEPTH	64

/* The bytes from p to end. */
static inline hostd_buf
hostd_json_slice(const char *p, const char *end)
{
	hostd_buf b;

	b.p = p;
	b.n = (size_t)(end - p);
	return b;
}

/* NULL may have no 0 added to it. */
static inline const char *
hostd_json_end_of(hostd_buf b)
{
	return b.n == 0 ? (const char *)b.p : (const char *)b.p + b.n;
}

static inline int
hostd_json_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline int
hostd_json_hex(char c)
{
	if (hostd_json_is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static inline const char *
hostd_json_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' ||
	    *p == '\r'))
		p++;
	return p;
}

#ifdef __GNUC__
typedef unsigned char hostd_json_block __attribute__((vector_size(16)));

/* Over 32 bytes at a time that mean nothing in a string. */
static inline const char *
hostd_json_pass_blocks(const char *p, const char *end)
{
	hostd_json_block x, y;
	uint64_t w[2];

	for (; end - p >= 32; p += 32) {
		memcpy(&x, p, 16);
		memcpy(&y, p + 16, 16);
		x = (hostd_json_block)((x == '"') | (x == '\\') | (x < 0x20) |
		    (y == '"') | (y == '\\') | (y < 0x20));
		memcpy(w, &x, 16);
		if ((w[0] | w[1]) != 0)
			break;
	}
	return p;
}
#else
#define hostd_json_pass_blocks(p, end)	(p)
#endif

/* Over what means nothing in a string: to a quote, a backslash, a control
 * character, or the end.  Eight bytes at a time: a byte below 1 or 32 borrows
 * from its highest bit. */
static inline const char *
hostd_json_pass(const char *p, const char *end)
{
	const uint64_t ones = 0x0101010101010101u;
	uint64_t w;

	for (p = hostd_json_pass_blocks(p, end); end - p >= 8; p += 8) {
		memcpy(&w, p, 8);
		if ((((w ^ ones * '"') - ones) | ((w ^ ones * '\\') - ones) |
		    (w - ones * 0x20)) & ~w & ones * 0x80)
			break;
	}
	while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
		p++;
	return p;
}

/* The bytes of one character that is not ASCII; 0: it is none (RFC 3629). */
static inline size_t
hostd_json_char_size(const unsigned char *p, size_t left)
{
	unsigned low = 0x80, high = 0xbf;
	size_t i, n = *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;

	if (*p < 0xc2 || *p > 0xf4 || left < n)
		return 0;
	if (*p == 0xe0)
		low = 0xa0;
	else if (*p == 0xf0)
		low = 0x90;
	else if (*p == 0xed)
		high = 0x9f;
	else if (*p == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* Is it UTF-8? */
static inline int
hostd_json_is_utf8(hostd_buf text)
{
	const unsigned char *p = (const unsigned char *)text.p;
	size_t n = text.n, size;
	uint64_t w[4];

	for (; n > 0; p += size, n -= size) {
		size = 1;
		if (*p >= 0x80) {
			if ((size = hostd_json_char_size(p, n)) == 0)
				return 0;
		} else if (n >= sizeof(w)) {
			memcpy(w, p, sizeof(w));
			if (((w[0] | w[1] | w[2] | w[3]) &
			    0x8080808080808080u) == 0)
				size = sizeof(w);
		}
	}
	return 1;
}

/* Behind a string whose first quote is before p; NULL: it is none. */
static inline const char *
hostd_json_scan_string(const char *p, const char *end)
{
	int i;

	while ((p = hostd_json_pass(p, end)) < end) {
		if (*p == '"')
			return p + 1;
		if (*p++ != '\\' || p == end || *p == '\0' ||
		    strchr("\"\\/bfnrtu", *p) == NULL)
			return NULL;
		if (*p++ == 'u')
			for (i = 0; i < 4; i++, p++)
				if (p == end || hostd_json_hex(*p) == -1)
					return NULL;
	}
	return NULL;
}

static inline const char *
hostd_json_scan_digits(const char *p, const char *end)
{
	const char *from = p;

	while (p < end && hostd_json_is_digit(*p))
		p++;
	return p > from ? p : NULL;
}

static inline const char *
hostd_json_scan_number(const char *p, const char *end)
{
	if (p < end && *p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else if ((p = hostd_json_scan_digits(p, end)) == NULL)
		return NULL;
	if (p < end && *p == '.' &&
	    (p = hostd_json_scan_digits(p + 1, end)) == NULL)
		return NULL;
	if (p == end || (*p | 0x20) != 'e')
		return p;
	p++;
	if (p < end && (*p == '+' || *p == '-'))
		p++;
	return hostd_json_scan_digits(p, end);
}

/* A string, a number or a word. */
static inline const char *
hostd_json_scan_plain(const char *p, const char *end)
{
	const char *word;
	size_t n;

	if (*p == '"')
		return hostd_json_scan_string(p + 1, end);
	word = *p == 't' ? "true" : *p == 'f' ? "false" : *p == 'n' ? "null" :
	    NULL;
	if (word == NULL)
		return hostd_json_scan_number(p, end);
	n = strlen(word);
	return (size_t)(end - p) >= n && memcmp(p, word, n) == 0 ? p + n :
	    NULL;
}

/* Behind `"key":` and what is blank there. */
static inline const char *
hostd_json_scan_key(const char *p, const char *end)
{
	p = hostd_json_blanks(p, end);
	if (p == end || *p != '"' ||
	    (p = hostd_json_scan_string(p + 1, end)) == NULL)
		return NULL;
	p = hostd_json_blanks(p, end);
	return p < end && *p == ':' ? hostd_json_blanks(p + 1, end) : NULL;
}

/*
 * Behind the value at p, with what is blank before it; NULL: there is none.
 * The text is known to be UTF-8.  depth: within so many others already.
 */
static inline const char *
hostd_json_scan(const char *p, const char *end, unsigned depth)
{
	uint64_t objects = 0;		/* what is open; the innermost lowest */
	unsigned open = 0;

	for (;;) {
		p = hostd_json_blanks(p, end);
		if (p == end)
			return NULL;
		if (*p == '{' || *p == '[') {
			if (depth + ++open > HOSTD_JSON_DEPTH)
				return NULL;
			objects = objects << 1 | (*p == '{');
			p = hostd_json_blanks(p + 1, end);
			if (p == end)
				return NULL;
			if (*p != (objects & 1 ? '}' : ']')) {
				if (objects & 1 && (p = hostd_json_scan_key(p,
				    end)) == NULL)
					return NULL;
				continue;
			}
		} else if ((p = hostd_json_scan_plain(p, end)) == NULL)
			return NULL;
		for (; open > 0; open--, objects >>= 1) {
			p = hostd_json_blanks(p, end);
			if (p == end || *p != (objects & 1 ? '}' : ']'))
				break;
			p++;
		}
		if (open == 0)
			return p;
		if (p == end || *p++ != ',' || (objects & 1 &&
		    (p = hostd_json_scan_key(p, end)) == NULL))
			return NULL;
	}
}

/* Is it one value, with blanks around it at most?  Of what is known to be
 * UTF-8, as a message of a WebSocket that is text. */
static inline int
hostd_json_ok_utf8(hostd_buf text)
{
	const char *end = hostd_json_end_of(text), *p;

	p = hostd_json_scan((const char *)text.p, end, 0);
	return p != NULL && hostd_json_blanks(p, end) == end;
}

/* The same of any bytes. */
static inline int
hostd_json_ok(hostd_buf text)
{
	return hostd_json_is_utf8(text) && hostd_json_ok_utf8(text);
}

#endif /* HOSTD_JSON_SCAN_H */
