/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON (RFC 8259), all inline: reading it where it lies, without converting or
 * allocating, and making it.
 *
 * A value is a hostd_buf, a slice of the text that it was found in.  Reading
 * starts with hostd_json_ok of what comes from outside; what the host or
 * another plugin gives as JSON is JSON.  The other functions are for what is:
 * of what is not they say something, but never look behind its end.
 *
 *	static int32_t
 *	on_event(struct hostd_inst *in, hostd_sio s, void *d,
 *	    const struct hostd_sio_event *ev)
 *	{
 *		char room[64];
 *		int64_t n;
 *
 *		n = ev->args->n == 0 ? -1 : hostd_json_text(
 *		    hostd_json_get(ev->args->v[0], "room"), room,
 *		    sizeof(room));
 *		...
 *
 * A text is UTF-8 without a BOM, nested at most HOSTD_JSON_DEPTH deep.  Numbers
 * have any size, and strings any \u: "\u0000" and halves of pairs too.
 */
#ifndef HOSTD_JSON_H
#define HOSTD_JSON_H

#include <stdio.h>
#include <stdlib.h>
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

/* The first byte of a value, or 0: '{', '[', '"', 't', 'f', 'n', or that of a
 * number. */
static inline char
hostd_json_first(hostd_buf value)
{
	const char *end = hostd_json_end_of(value), *p;

	p = hostd_json_blanks((const char *)value.p, end);
	return p < end ? *p : '\0';
}

static inline int
hostd_json_is_object(hostd_buf value)
{
	return hostd_json_first(value) == '{';
}

static inline int
hostd_json_is_array(hostd_buf value)
{
	return hostd_json_first(value) == '[';
}

static inline int
hostd_json_is_string(hostd_buf value)
{
	return hostd_json_first(value) == '"';
}

static inline int
hostd_json_is_number(hostd_buf value)
{
	char c = hostd_json_first(value);

	return c == '-' || hostd_json_is_digit(c);
}

/* Is it written like this: "true", "null"? */
static inline int
hostd_json_is(hostd_buf value, const char *word)
{
	return value.n == strlen(word) && value.n > 0 &&
	    memcmp(value.p, word, value.n) == 0;
}

/* A number; 0: it is none. */
static inline int
hostd_json_number(hostd_buf value, double *out)
{
	char text[64];

	if (value.n == 0 || value.n >= sizeof(text) ||
	    !hostd_json_is_number(value))
		return 0;
	memcpy(text, value.p, value.n);
	text[value.n] = '\0';
	*out = strtod(text, NULL);
	return 1;
}

/* The same, cut to a whole one; 0 also: beyond +-2^53. */
static inline int
hostd_json_int(hostd_buf value, int64_t *out)
{
	double d;

	if (!hostd_json_number(value, &d) || !(d >= -9007199254740992.0 &&
	    d <= 9007199254740992.0))
		return 0;
	*out = (int64_t)d;
	return 1;
}

/* Of the four digits at p. */
static inline unsigned
hostd_json_unit(const char *p, const char *end)
{
	unsigned i, unit = 0;

	for (i = 0; i < 4 && p < end; i++)
		unit = unit << 4 | ((unsigned)hostd_json_hex(*p++) & 15);
	return unit;
}

static inline size_t
hostd_json_put_char(unsigned c, char *out)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;

	if (n == 1) {
		out[0] = (char)c;
		return n;
	}
	for (i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 63));
	out[0] = (char)((0xf00u >> n & 0xf0) | c);
	return n;
}

/* What \u at *p (behind the u) says: a half of a pair that has no other half
 * stands for itself. */
static inline unsigned
hostd_json_take_unit(const char **p, const char *end)
{
	unsigned c = hostd_json_unit(*p, end), low;

	*p = end - *p < 4 ? end : *p + 4;
	if ((c & 0xfc00) != 0xd800 || end - *p < 6 || (*p)[0] != '\\' ||
	    (*p)[1] != 'u')
		return c;
	low = hostd_json_unit(*p + 2, end);
	if ((low & 0xfc00) != 0xdc00)
		return c;
	*p += 6;
	return 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
}

/* One character of a string, or one byte of what was not escaped; moves *p. */
static inline size_t
hostd_json_take_char(const char **p, const char *end, char out[4])
{
	static const char names[] = "bfnrt", meant[] = "\b\f\n\r\t";
	const char *at;

	out[0] = *(*p)++;
	if (out[0] != '\\' || *p == end)
		return 1;
	out[0] = *(*p)++;
	if (out[0] == 'u')
		return hostd_json_put_char(hostd_json_take_unit(p, end), out);
	if (out[0] != '\0' && (at = strchr(names, out[0])) != NULL)
		out[0] = meant[at - names];
	return 1;
}

/* What is between the quotes; p NULL: it is no string. */
static inline hostd_buf
hostd_json_inner(hostd_buf string)
{
	const char *p = (const char *)string.p;

	if (string.n < 2 || *p != '"')
		return hostd_json_slice(NULL, NULL);
	return hostd_json_slice(p + 1, p + string.n - 1);
}

/* A string without escapes is its bytes: 1 and those. */
static inline int
hostd_json_plain(hostd_buf string, hostd_buf *bytes)
{
	*bytes = hostd_json_inner(string);
	return bytes->p != NULL && (bytes->n == 0 ||
	    memchr(bytes->p, '\\', bytes->n) == NULL);
}

/* What a string says, with a NUL behind it.  Returns its length; -1: it is no
 * string, or longer than size - 1.  string.n bytes are enough. */
static inline int64_t
hostd_json_text(hostd_buf string, char *room, size_t size)
{
	hostd_buf in = hostd_json_inner(string);
	const char *p = (const char *)in.p, *end = hostd_json_end_of(in);
	const char *stop;
	size_t n, len = 0;
	char out[4];

	if (p == NULL)
		return -1;
	while (p < end) {
		stop = (const char *)memchr(p, '\\', (size_t)(end - p));
		n = (size_t)((stop == NULL ? end : stop) - p);
		if (n >= size - len)
			return -1;
		memcpy(room + len, p, n);
		len += n;
		if ((p += n) == end)
			break;
		n = hostd_json_take_char(&p, end, out);
		if (n >= size - len)
			return -1;
		memcpy(room + len, out, n);
		len += n;
	}
	if (size == 0)
		return -1;
	room[len] = '\0';
	return (int64_t)len;
}

/* Does a string say these bytes? */
static inline int
hostd_json_says(hostd_buf string, hostd_buf bytes)
{
	const char *p, *end, *want = (const char *)bytes.p;
	size_t n, left = bytes.n;
	hostd_buf in;
	char out[4];

	if (hostd_json_plain(string, &in))
		return in.n == left && (left == 0 ||
		    memcmp(in.p, want, left) == 0);
	/* No escape is shorter than what it says. */
	if (in.p == NULL || in.n < left)
		return 0;
	p = (const char *)in.p;
	for (end = p + in.n; p < end; want += n, left -= n) {
		n = hostd_json_take_char(&p, end, out);
		if (n > left || memcmp(out, want, n) != 0)
			return 0;
	}
	return left == 0;
}

/* Behind the string at p. */
static inline const char *
hostd_json_skip_string(const char *p, const char *end)
{
	for (p++; (p = hostd_json_pass(p, end)) < end; p++) {
		if (*p == '"')
			return p + 1;
		if (*p == '\\' && ++p == end)
			break;
	}
	return end;
}

static inline const char *
hostd_json_skip_list(const char *p, const char *end)
{
	unsigned depth = 0;

	while (p < end)
		switch (*p) {
		case '"':
			p = hostd_json_skip_string(p, end);
			break;
		case '{':
		case '[':
			depth++;
			p++;
			break;
		case '}':
		case ']':
			p++;
			if (--depth == 0)
				return p;
			break;
		default:
			p++;
		}
	return end;
}

/* Behind the value at p. */
static inline const char *
hostd_json_skip(const char *p, const char *end)
{
	if (p == end)
		return end;
	if (*p == '"')
		return hostd_json_skip_string(p, end);
	if (*p == '{' || *p == '[')
		return hostd_json_skip_list(p, end);
	while (p < end && strchr(",}] \t\r\n", *p) == NULL)
		p++;
	return p;
}

/* A walk over an object or an array, in its order. */
struct hostd_json_walk {
	const char *p;		/* behind what was told, or the bracket */
	const char *end;
};

static inline struct hostd_json_walk
hostd_json_walk(hostd_buf list)
{
	struct hostd_json_walk w;

	w.p = w.end = (const char *)list.p;
	if (list.n == 0)
		return w;
	w.end += list.n;
	w.p = hostd_json_blanks(w.p, w.end);
	if (w.p < w.end)
		w.p++;
	return w;
}

/* The place of the next one; NULL behind the last. */
static inline const char *
hostd_json_walk_on(const struct hostd_json_walk *w)
{
	const char *p = hostd_json_blanks(w->p, w->end);

	if (p < w->end && *p == ',')
		p = hostd_json_blanks(p + 1, w->end);
	return p == w->end || *p == ']' || *p == '}' ? NULL : p;
}

/* The next item of an array, without blanks around it: 1, or 0 behind the
 * last. */
static inline int
hostd_json_next(struct hostd_json_walk *w, hostd_buf *value)
{
	const char *p = hostd_json_walk_on(w);

	if (p == NULL)
		return 0;
	w->p = hostd_json_skip(p, w->end);
	*value = hostd_json_slice(p, w->p);
	return w->p > p;
}

/* The next member of an object: the key as written, with its quotes. */
static inline int
hostd_json_next_member(struct hostd_json_walk *w, hostd_buf *key,
    hostd_buf *value)
{
	const char *p = hostd_json_walk_on(w), *from;

	if (p == NULL || *p != '"')
		return 0;
	from = p;
	p = hostd_json_skip_string(p, w->end);
	*key = hostd_json_slice(from, p);
	p = hostd_json_blanks(p, w->end);
	from = hostd_json_blanks(p < w->end ? p + 1 : p, w->end);
	w->p = hostd_json_skip(from, w->end);
	*value = hostd_json_slice(from, w->p);
	return 1;
}

/* The member that JSON.parse would give that name: the last one.  p NULL: there
 * is none. */
static inline hostd_buf
hostd_json_find(hostd_buf object, hostd_buf name)
{
	struct hostd_json_walk w = hostd_json_walk(object);
	hostd_buf key, value, found = hostd_json_slice(NULL, NULL);

	while (hostd_json_next_member(&w, &key, &value))
		if (hostd_json_says(key, name))
			found = value;
	return found;
}

/* The same; of what is no object there is none. */
static inline hostd_buf
hostd_json_get(hostd_buf object, const char *name)
{
	hostd_buf b;

	if (!hostd_json_is_object(object))
		return hostd_json_slice(NULL, NULL);
	b.p = name;
	b.n = strlen(name);
	return hostd_json_find(object, b);
}

/* Item i of an array, counted from 0; p NULL: there is none. */
static inline hostd_buf
hostd_json_item(hostd_buf array, uint32_t i)
{
	struct hostd_json_walk w = hostd_json_walk(array);
	hostd_buf value;

	if (hostd_json_is_array(array))
		while (hostd_json_next(&w, &value))
			if (i-- == 0)
				return value;
	return hostd_json_slice(NULL, NULL);
}

/* The length of a string that says these bytes. */
static inline size_t
hostd_json_quoted(hostd_buf bytes)
{
	const char *p = (const char *)bytes.p, *end = hostd_json_end_of(bytes);
	size_t n = bytes.n + 2;

	for (; (p = hostd_json_pass(p, end)) < end; p++)
		n += strchr("\b\f\n\r\t\"\\", *p) == NULL || *p == '\0' ? 5 : 1;
	return n;
}

/* Bytes of UTF-8 as a string, as JSON.stringify writes it.  room has
 * hostd_json_quoted(bytes) bytes.  Returns its length. */
static inline size_t
hostd_json_quote(char *room, hostd_buf bytes)
{
	static const char names[] = "bfnrt\"\\", meant[] = "\b\f\n\r\t\"\\";
	static const char digits[] = "0123456789abcdef";
	const char *p = (const char *)bytes.p, *end = hostd_json_end_of(bytes);
	const char *from, *at;
	char *to = room;

	*to++ = '"';
	while (p < end) {
		from = p;
		p = hostd_json_pass(p, end);
		memcpy(to, from, (size_t)(p - from));
		to += p - from;
		if (p == end)
			break;
		*to++ = '\\';
		at = *p == '\0' ? NULL : strchr(meant, *p);
		if (at != NULL)
			*to++ = names[at - meant];
		else {
			memcpy(to, "u00", 3);
			to[3] = digits[*p >> 4];
			to[4] = digits[*p & 15];
			to += 5;
		}
		p++;
	}
	*to++ = '"';
	return (size_t)(to - room);
}

/*
 * What is being made.  Zeroed memory is the begin; commas come by themselves:
 *
 *	struct hostd_json j = { NULL, 0, 0, 0 };
 *
 *	hostd_json_begin(&j, '{');
 *	hostd_json_key(&j, "id");
 *	hostd_json_int64(&j, 7);
 *	hostd_json_end(&j, '}');
 *	... hostd_json_done(&j) ...
 *	hostd_json_free(&j);
 */
struct hostd_json {
	char *p;
	size_t n, size;
	int failed;		/* no memory: what follows is not taken */
};

static inline void
hostd_json_free(struct hostd_json *j)
{
	free(j->p);
	memset(j, 0, sizeof(*j));
}

/* Begin again, in the same memory. */
static inline void
hostd_json_reset(struct hostd_json *j)
{
	j->n = 0;
	j->failed = 0;
}

/* What was made, until the next change; p NULL: there was no memory. */
static inline hostd_buf
hostd_json_done(const struct hostd_json *j)
{
	hostd_buf b;

	b.p = j->failed ? NULL : j->p;
	b.n = j->failed ? 0 : j->n;
	return b;
}

/* Room for n bytes behind; NULL: failed. */
static inline char *
hostd_json_room(struct hostd_json *j, size_t n)
{
	size_t size = j->size == 0 ? 256 : j->size;
	char *p;

	if (j->failed)
		return NULL;
	if (n < j->size - j->n)
		return j->p + j->n;
	while (size - j->n <= n)
		size *= 2;
	if ((p = (char *)realloc(j->p, size)) == NULL) {
		j->failed = 1;
		return NULL;
	}
	j->p = p;
	j->size = size;
	return p + j->n;
}

/* Bytes as they are. */
static inline void
hostd_json_bytes(struct hostd_json *j, const void *p, size_t n)
{
	char *to = hostd_json_room(j, n);

	if (to == NULL || n == 0)
		return;
	memcpy(to, p, n);
	j->n += n;
}

/* A value follows. */
static inline void
hostd_json_comma(struct hostd_json *j)
{
	if (j->n > 0 && !j->failed && strchr("[{:", j->p[j->n - 1]) == NULL)
		hostd_json_bytes(j, ",", 1);
}

/* One value as it is. */
static inline void
hostd_json_raw(struct hostd_json *j, hostd_buf value)
{
	hostd_json_comma(j);
	hostd_json_bytes(j, value.p, value.n);
}

/* '{' or '['. */
static inline void
hostd_json_begin(struct hostd_json *j, char bracket)
{
	hostd_json_comma(j);
	hostd_json_bytes(j, &bracket, 1);
}

/* '}' or ']'. */
static inline void
hostd_json_end(struct hostd_json *j, char bracket)
{
	hostd_json_bytes(j, &bracket, 1);
}

/* A string of these bytes of UTF-8. */
static inline void
hostd_json_strn(struct hostd_json *j, hostd_buf bytes)
{
	char *to;

	hostd_json_comma(j);
	to = hostd_json_room(j, hostd_json_quoted(bytes));
	if (to != NULL)
		j->n += hostd_json_quote(to, bytes);
}

/* The same of a NUL-ended text; NULL: null. */
static inline void
hostd_json_str(struct hostd_json *j, const char *text)
{
	if (text == NULL) {
		hostd_json_comma(j);
		hostd_json_bytes(j, "null", 4);
		return;
	}
	hostd_json_strn(j, hostd_json_slice(text, text + strlen(text)));
}

/* The name of a member; its value follows. */
static inline void
hostd_json_key(struct hostd_json *j, const char *name)
{
	hostd_json_str(j, name);
	hostd_json_bytes(j, ":", 1);
}

static inline void
hostd_json_int64(struct hostd_json *j, int64_t v)
{
	char text[24];

	hostd_json_comma(j);
	hostd_json_bytes(j, text, (size_t)snprintf(text, sizeof(text), "%lld",
	    (long long)v));
}

/* As short as says it; what JSON has no number for is null. */
static inline void
hostd_json_double(struct hostd_json *j, double v)
{
	char text[32];
	int digits = 15, n;

	if (!(v - v == 0)) {
		hostd_json_str(j, NULL);
		return;
	}
	do
		n = snprintf(text, sizeof(text), "%.*g", digits, v);
	while (digits++ < 17 && !(strtod(text, NULL) == v));
	hostd_json_comma(j);
	hostd_json_bytes(j, text, (size_t)n);
}

/* {"_placeholder":true,"num":i}: where binary data stands in arguments. */
static inline void
hostd_json_placeholder(struct hostd_json *j, uint32_t i)
{
	hostd_json_begin(j, '{');
	hostd_json_key(j, "_placeholder");
	hostd_json_raw(j, hostd_json_slice("true", &"true"[4]));
	hostd_json_key(j, "num");
	hostd_json_int64(j, i);
	hostd_json_end(j, '}');
}

#endif /* HOSTD_JSON_H */
