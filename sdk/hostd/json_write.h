/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making JSON, all inline, in memory that grows.  Zeroed memory is the begin;
 * commas come by themselves:
 *
 *	struct hostd_json j = {NULL, 0, 0, 0};
 *
 *	hostd_json_begin(&j, '{');
 *	hostd_json_key(&j, "id");
 *	hostd_json_int64(&j, 7);
 *	hostd_json_end(&j, '}');
 *	... hostd_json_done(&j) ...
 *	hostd_json_free(&j);
 *
 * Nothing here returns an error.  Where there is no memory, what follows is
 * not taken, and hostd_json_done says so.  Texts have to be UTF-8; a value that
 * is given as it is (hostd_json_raw) has to be JSON.
 */
#ifndef HOSTD_JSON_WRITE_H
#define HOSTD_JSON_WRITE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hostd/abi.h>
#include <hostd/json_scan.h>

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

/* What is being made. */
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

#endif /* HOSTD_JSON_WRITE_H */
