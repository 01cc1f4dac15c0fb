/* SPDX-License-Identifier: BSD-2-Clause */
#include <msgpack/pack.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/json.h>
#include "pack.h"

#define NUMBER_MAX	1024	/* characters of one */
#define FIX_MAX		15	/* elements that a first byte can count */
#define SHORT_MAX	65535

/* A text that is read, and where it goes. */
struct packing {
	const char *p, *end;
	msgpack_sbuffer *to;
	msgpack_packer pk;
	const hostd_buf *bins;
	uint32_t nbins;
};

static msgpack_packer
packer(msgpack_sbuffer *b)
{
	msgpack_packer pk;

	msgpack_packer_init(&pk, b, msgpack_sbuffer_write);
	return pk;
}

/* -- single values -- */

int
pack_text(msgpack_sbuffer *b, hostd_buf text)
{
	msgpack_packer pk = packer(b);

	if (msgpack_pack_str(&pk, text.n) != 0)
		return -1;
	return text.n == 0 ? 0 : msgpack_pack_str_body(&pk, text.p, text.n);
}

int
pack_word(msgpack_sbuffer *b, const char *word)
{
	hostd_buf text = { word, strlen(word) };

	return pack_text(b, text);
}

int
pack_number(msgpack_sbuffer *b, int64_t n)
{
	msgpack_packer pk = packer(b);

	return msgpack_pack_int64(&pk, n);
}

int
pack_bool(msgpack_sbuffer *b, int on)
{
	msgpack_packer pk = packer(b);

	return on ? msgpack_pack_true(&pk) : msgpack_pack_false(&pk);
}

int
pack_list(msgpack_sbuffer *b, uint32_t n)
{
	msgpack_packer pk = packer(b);

	return msgpack_pack_array(&pk, n);
}

int
pack_map(msgpack_sbuffer *b, uint32_t n)
{
	msgpack_packer pk = packer(b);

	return msgpack_pack_map(&pk, n);
}

/* -- numbers -- */

/* JavaScript knows no other numbers than these. */
static int
pack_double(struct packing *k, double d)
{
	if (d != floor(d) || isinf(d) || d < -0x1p63 || d >= 0x1p64)
		return msgpack_pack_double(&k->pk, d);
	return d < 0 ? msgpack_pack_int64(&k->pk, (int64_t)d) :
	    msgpack_pack_uint64(&k->pk, (uint64_t)d);
}

/* Up to 18 digits, and nothing but digits.  0: not so. */
static int
plain_integer(const char *p, size_t n, int64_t *out)
{
	int64_t v = 0;
	size_t i = p[0] == '-';

	if (n - i > 18 || i == n)
		return 0;
	for (; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return 0;
		v = v * 10 + (p[i] - '0');
	}
	*out = p[0] == '-' ? -v : v;
	return 1;
}

static int
value_number(struct packing *k)
{
	const char *from = k->p;
	char text[NUMBER_MAX];
	int64_t v;
	size_t n;

	while (k->p < k->end && *k->p != '\0' &&
	    strchr("+-.0123456789Ee", *k->p) != NULL)
		k->p++;
	n = (size_t)(k->p - from);
	if (n == 0 || n >= sizeof(text))
		return -1;
	if (plain_integer(from, n, &v))
		return msgpack_pack_int64(&k->pk, v);
	memcpy(text, from, n);
	text[n] = '\0';
	return pack_double(k, strtod(text, NULL));
}

/* -- strings -- */

static int
value_string(struct packing *k)
{
	hostd_buf raw = hostd_json_slice(k->p, hostd_json_skip_string(k->p,
	    k->end)), text;
	char *room;
	int rc;

	k->p += raw.n;
	if (hostd_json_plain(raw, &text))
		return pack_text(k->to, text);
	if (text.p == NULL || (room = malloc(raw.n)) == NULL)
		return -1;
	text.n = (size_t)hostd_json_text(raw, room, raw.n);
	text.p = room;
	rc = pack_text(k->to, text);
	free(room);
	return rc;
}

/* -- lists and objects -- */

/* Its first byte was left open until its elements were counted. */
static int
close_container(struct packing *k, size_t at, uint32_t n, unsigned char fix,
    unsigned char wide)
{
	size_t more = n <= FIX_MAX ? 0 : n <= SHORT_MAX ? 2 : 4;
	unsigned char *p;

	if (more > 0 && msgpack_sbuffer_write(k->to, "\0\0\0\0", more) != 0)
		return -1;
	p = (unsigned char *)k->to->data + at;
	if (more == 0) {
		p[0] = (unsigned char)(fix | n);
		return 0;
	}
	memmove(p + 1 + more, p + 1, k->to->size - at - 1 - more);
	*p++ = more == 2 ? wide : (unsigned char)(wide + 1);
	while (more > 0)
		*p++ = (unsigned char)(n >> (8 * --more));
	return 0;
}

static int
skip(struct packing *k, char c)
{
	k->p = hostd_json_blanks(k->p, k->end);
	if (k->p == k->end || *k->p != c)
		return 0;
	k->p++;
	return 1;
}

static int	value(struct packing *, int depth);

static int
value_list(struct packing *k, int depth)
{
	size_t at = k->to->size;
	uint32_t n = 0;

	if (msgpack_sbuffer_write(k->to, "\x90", 1) != 0)
		return -1;
	if (skip(k, ']'))
		return 0;
	do {
		if (value(k, depth + 1) == -1)
			return -1;
		n++;
	} while (skip(k, ','));
	return skip(k, ']') ? close_container(k, at, n, 0x90, 0xdc) : -1;
}

static int
value_object(struct packing *k, int depth)
{
	size_t at = k->to->size;
	uint32_t n = 0;

	if (msgpack_sbuffer_write(k->to, "\x80", 1) != 0)
		return -1;
	if (skip(k, '}'))
		return 0;
	do {
		k->p = hostd_json_blanks(k->p, k->end);
		if (k->p == k->end || *k->p != '"' || value_string(k) == -1 ||
		    !skip(k, ':') || value(k, depth + 1) == -1)
			return -1;
		n++;
	} while (skip(k, ','));
	return skip(k, '}') ? close_container(k, at, n, 0x80, 0xde) : -1;
}

/* -- placeholders -- */

static int
skip_text(struct packing *k, const char *word)
{
	size_t n = strlen(word);

	k->p = hostd_json_blanks(k->p, k->end);
	if ((size_t)(k->end - k->p) < n || memcmp(k->p, word, n) != 0)
		return 0;
	k->p += n;
	return 1;
}

static int
skip_num(struct packing *k, uint32_t *num)
{
	uint64_t v = 0;
	const char *from;

	if (!skip_text(k, "\"num\"") || !skip(k, ':'))
		return 0;
	k->p = hostd_json_blanks(k->p, k->end);
	for (from = k->p; k->p < k->end && *k->p >= '0' && *k->p <= '9' &&
	    v <= UINT32_MAX; k->p++)
		v = v * 10 + (uint64_t)(*k->p - '0');
	*num = (uint32_t)v;
	return k->p > from && v < k->nbins;
}

static int
skip_mark(struct packing *k)
{
	return skip_text(k, "\"_placeholder\"") && skip(k, ':') &&
	    skip_text(k, "true");
}

/* Behind the brace.  0: it is an object like others, and nothing was read. */
static int
placeholder(struct packing *k, uint32_t *num)
{
	const char *from = k->p;

	if (k->nbins == 0)
		return 0;
	if (skip_mark(k) && skip(k, ',') && skip_num(k, num) && skip(k, '}'))
		return 1;
	k->p = from;
	if (skip_num(k, num) && skip(k, ',') && skip_mark(k) && skip(k, '}'))
		return 1;
	k->p = from;
	return 0;
}

static int
pack_bin(struct packing *k, hostd_buf bin)
{
	if (bin.n > UINT32_MAX || msgpack_pack_bin(&k->pk, bin.n) != 0)
		return -1;
	return bin.n == 0 ? 0 : msgpack_pack_bin_body(&k->pk, bin.p, bin.n);
}

/* -- any value -- */

static int
value_open(struct packing *k, char c, int depth)
{
	uint32_t num;

	if (c == '{' && placeholder(k, &num))
		return pack_bin(k, k->bins[num]);
	if (depth == PACK_DEPTH)
		return -1;
	return c == '{' ? value_object(k, depth) : value_list(k, depth);
}

static int
value(struct packing *k, int depth)
{
	k->p = hostd_json_blanks(k->p, k->end);
	if (k->p == k->end)
		return -1;
	switch (*k->p) {
	case '"':
		return value_string(k);
	case '{':
	case '[':
		return value_open(k, *k->p++, depth);
	case 'n':
		return skip_text(k, "null") ? msgpack_pack_nil(&k->pk) : -1;
	case 't':
		return skip_text(k, "true") ? msgpack_pack_true(&k->pk) : -1;
	case 'f':
		return skip_text(k, "false") ? msgpack_pack_false(&k->pk) : -1;
	default:
		return value_number(k);
	}
}

int
pack_json(msgpack_sbuffer *to, hostd_buf json, const hostd_buf *bins,
    uint32_t nbins)
{
	struct packing k = { .p = json.p, .to = to, .bins = bins,
		.nbins = nbins };

	if (json.n == 0)
		return -1;
	k.end = k.p + json.n;
	k.pk = packer(to);
	if (value(&k, 0) == -1)
		return -1;
	k.p = hostd_json_blanks(k.p, k.end);
	return k.p == k.end ? 0 : -1;
}
