/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading JSON where it lies, all inline, without converting or allocating.
 *
 * A value is a hostd_buf, a slice of the text that it was found in, without
 * blanks around it; p NULL where there is none.  The text has to be JSON:
 * hostd_json_ok (<hostd/json_scan.h>, which is included here) says so of what
 * comes from outside; what the host or another plugin gives as JSON is JSON.
 * Of what is not, these functions say something, but never look behind its
 * end.
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
 * A list is walked in its own order:
 *
 *	struct hostd_json_walk w = hostd_json_walk(list);
 *	hostd_buf value;
 *
 *	while (hostd_json_next(&w, &value))
 *		...
 *
 * JSON is made with <hostd/json_write.h>.
 */
#ifndef HOSTD_JSON_H
#define HOSTD_JSON_H

#include <stdlib.h>
#include <string.h>

#include <hostd/abi.h>
#include <hostd/json_scan.h>

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

#endif /* HOSTD_JSON_H */
