/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "http/framed.h"
#include "http/guard.h"

#define TEXT_ROOM	4096	/* bytes kept for the next request */
#define MAX_TRAILERS	8192

static const struct {
	const char *name;
	size_t len;
} pseudos[PSEUDO_N] = {
	[PSEUDO_METHOD] = { ":method", 7 },
	[PSEUDO_SCHEME] = { ":scheme", 7 },
	[PSEUDO_AUTHORITY] = { ":authority", 10 },
	[PSEUDO_PATH] = { ":path", 5 },
	[PSEUDO_PROTOCOL] = { ":protocol", 9 },
};

void
framed_init(struct http_framed *f, size_t max_headers)
{
	memset(f, 0, sizeof(*f));
	f->fields = xcalloc(max_headers + 1, sizeof(f->fields[0]));
}

static void
buf_reset(struct buf *b)
{
	if (b->cap > TEXT_ROOM)
		buf_free(b);
	b->len = 0;
}

void
framed_reset(struct http_framed *f)
{
	buf_reset(&f->text);
	buf_reset(&f->cookie);
	buf_free(&f->trailers);
	memset(f->pseudo, 0, sizeof(f->pseudo));
	f->nfields = 0;
	f->size = 0;
	f->refuse = 0;
	f->no_body = 0;
	f->first = f->nmarks = 0;
}

void
framed_free(struct http_framed *f)
{
	buf_free(&f->text);
	buf_free(&f->cookie);
	buf_free(&f->trailers);
	free(f->fields);
	free(f->marks);
}

/* -- the request -- */

void
framed_refuse(struct http_framed *f, unsigned status)
{
	if (f->refuse == 0)
		f->refuse = (uint16_t)status;
}

static struct framed_field
framed_keep(struct http_framed *f, hostd_buf name, hostd_buf value)
{
	struct framed_field at = { (uint32_t)f->text.len, (uint32_t)name.n,
		(uint32_t)value.n };

	buf_append(&f->text, name.p, name.n);
	if (value.n > 0)
		buf_append(&f->text, value.p, value.n);
	return at;
}

static void
add_pseudo(struct http_framed *f, hostd_buf name, hostd_buf value)
{
	int k;

	for (k = 0; k < PSEUDO_N; k++)
		if (pseudos[k].len == name.n &&
		    memcmp(pseudos[k].name, name.p, name.n) == 0)
			break;
	if (k == PSEUDO_N || f->pseudo[k].name_len != 0 || f->nfields > 0)
		framed_refuse(f, 400);
	else
		f->pseudo[k] = framed_keep(f, name, value);
}

/* A client may send its cookies one by one (RFC 9113 section 8.2.3). */
static void
add_crumb(struct http_framed *f, hostd_buf value)
{
	if (f->cookie.len > 0)
		buf_append(&f->cookie, "; ", 2);
	if (value.n > 0)
		buf_append(&f->cookie, value.p, value.n);
}

static int
has_upper(hostd_buf name)
{
	const char *p = name.p;
	size_t i;

	for (i = 0; i < name.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			return 1;
	return 0;
}

static int
is_cookie(hostd_buf name)
{
	return name.n == 6 && memcmp(name.p, "cookie", 6) == 0;
}

void
framed_add(struct http_framed *f, const struct guard_limits *lim,
    hostd_buf name, hostd_buf value)
{
	f->size += name.n + value.n + 4;
	if (f->size > lim->head)
		framed_refuse(f, 431);
	if (f->refuse != 0)
		return;
	if (name.n > 0 && *(const char *)name.p == ':') {
		add_pseudo(f, name, value);
		return;
	}
	if (!is_token(name.p, name.n) || has_upper(name) ||
	    !is_field_value(value.p, value.n)) {
		framed_refuse(f, 400);
		return;
	}
	if (is_cookie(name))
		add_crumb(f, value);
	else if (f->nfields == lim->headers)
		framed_refuse(f, 431);
	else
		f->fields[f->nfields++] = framed_keep(f, name, value);
}

/* Nobody can guess it (RFC 6455 section 4.1). */
static void
make_key(char *key)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char random[FRAMED_KEY - 2];
	size_t i;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		fatal("getrandom");
	for (i = 0; i < sizeof(random) - 1; i++)
		key[i] = digits[random[i] & 63];
	/* Of the last digit only two bits are the bytes'. */
	key[i] = digits[random[i] & 0x30];
	memset(key + sizeof(random), '=', 2);
}

void
framed_complete(struct http_framed *f, const struct guard_limits *lim)
{
	hostd_buf value = { f->cookie.p, f->cookie.len };

	if (f->pseudo[PSEUDO_PROTOCOL].name_len != 0)
		make_key(f->key);
	if (f->refuse != 0 || f->cookie.len == 0)
		return;
	if (f->nfields == lim->headers)
		framed_refuse(f, 431);
	else
		f->fields[f->nfields++] = framed_keep(f,
		    (hostd_buf){ "cookie", 6 }, value);
}

/* What is too much is left out, as what may not come behind a body is. */
void
framed_add_trailer(struct http_framed *f, hostd_buf name, hostd_buf value)
{
	struct buf *b = &f->trailers;

	if (b->len + name.n + value.n + 4 > MAX_TRAILERS ||
	    !is_token(name.p, name.n) || !is_field_value(value.p, value.n))
		return;
	buf_append(b, name.p, name.n);
	buf_append(b, ": ", 2);
	if (value.n > 0)
		buf_append(b, value.p, value.n);
	buf_append(b, "\r\n", 2);
}

/* -- for another worker -- */

static void
pack_field(struct buf *b, const struct framed_field *at)
{
	pack_u32(b, at->at);
	pack_u32(b, at->name_len);
	pack_u32(b, at->value_len);
}

static struct framed_field
unpack_field(struct unpack *u, size_t most)
{
	struct framed_field at = { .at = unpack_u32(u) };

	at.name_len = unpack_u32(u);
	at.value_len = unpack_u32(u);
	if ((uint64_t)at.at + at.name_len + at.value_len > most)
		u->bad = 1;
	return at;
}

void
framed_pack(const struct http_framed *f, struct buf *b)
{
	uint32_t i;

	pack_bytes(b, f->text.p, f->text.len);
	pack_bytes(b, f->key, sizeof(f->key));
	pack_u64(b, f->size);
	pack_u32(b, f->no_body);
	for (i = 0; i < PSEUDO_N; i++)
		pack_field(b, &f->pseudo[i]);
	pack_u32(b, f->nfields);
	for (i = 0; i < f->nfields; i++)
		pack_field(b, &f->fields[i]);
}

int
framed_unpack(struct http_framed *f, const struct guard_limits *lim,
    struct unpack *u)
{
	hostd_buf text = unpack_bytes(u), key = unpack_bytes(u);
	struct framed_field at;
	uint32_t i, n;

	if (key.n != sizeof(f->key))
		return -1;
	memcpy(f->key, key.p, key.n);
	buf_append(&f->text, text.p, text.n);
	f->size = (size_t)unpack_u64(u);
	f->no_body = unpack_u32(u) != 0;
	for (i = 0; i < PSEUDO_N; i++)
		f->pseudo[i] = unpack_field(u, text.n);
	if (f->size > lim->head)
		framed_refuse(f, 431);
	n = unpack_u32(u);
	for (i = 0; i < n && !u->bad; i++) {
		at = unpack_field(u, text.n);
		if (f->nfields == lim->headers)
			framed_refuse(f, 431);
		else
			f->fields[f->nfields++] = at;
	}
	return u->bad ? -1 : 0;
}

/* -- the answer -- */

const struct framed_mark *
framed_next(const struct http_framed *f)
{
	return f->first < f->nmarks ? &f->marks[f->first] : NULL;
}

void
framed_take(struct http_framed *f)
{
	if (++f->first == f->nmarks)
		f->first = f->nmarks = 0;
}

void
framed_mark(struct http_framed *f, enum framed_kind kind, uint64_t at,
    size_t len)
{
	if (f->nmarks == f->room) {
		f->room = f->room == 0 ? 4 : 2 * f->room;
		f->marks = xrealloc(f->marks, f->room * sizeof(f->marks[0]));
	}
	f->marks[f->nmarks++] = (struct framed_mark){ at, (uint32_t)len,
		(uint32_t)kind };
}

void
framed_truncate(struct http_framed *f, uint64_t at)
{
	while (f->nmarks > f->first && f->marks[f->nmarks - 1].at >= at)
		f->nmarks--;
	if (f->nmarks == f->first)
		f->first = f->nmarks = 0;
}
