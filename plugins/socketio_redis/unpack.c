/* SPDX-License-Identifier: BSD-2-Clause */
/* msgpack-c's parser is a template: it calls what is here as it goes, and
 * builds nothing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "unpack.h"

#define BINS_LEAST	8
#define EXT_TIME	(-1)
#define SECONDS_MIN	INT64_C(-62167219200)	/* of the year 0 */
#define SECONDS_MAX	INT64_C(253402300799)	/* of 9999 */

/* A list or an object that is open. */
struct level {
	uint32_t left;		/* elements, keys and values being two */
	char end;
};

struct reading {
	struct unpacked *u;
	unsigned top;
	struct level levels[MESSAGE_DEPTH];
};

/* -- what is open -- */

/* Is what comes next the name of a member? */
static int
is_key(const struct reading *r)
{
	const struct level *l;

	if (r->top == 0)
		return 0;
	l = &r->levels[r->top - 1];
	return l->end == '}' && l->left % 2 == 0;
}

/* A value is complete, and with it what it is the last of. */
static int
value_ends(struct reading *r)
{
	struct hostd_json *j = &r->u->json;
	struct level *l;

	while (r->top > 0) {
		l = &r->levels[r->top - 1];
		l->left--;
		if (l->end == '}' && l->left % 2 == 1)
			hostd_json_bytes(j, ":", 1);
		if (l->left > 0)
			break;
		hostd_json_end(j, l->end);
		r->top--;
	}
	return j->failed ? -1 : 0;
}

static int
value_opens(struct reading *r, uint32_t n, char begin, char end)
{
	struct hostd_json *j = &r->u->json;

	if (is_key(r) || r->top == MESSAGE_DEPTH)
		return -1;
	hostd_json_begin(j, begin);
	if (n == 0) {
		hostd_json_end(j, end);
		return value_ends(r);
	}
	r->levels[r->top].left = n;
	r->levels[r->top++].end = end;
	return 0;
}

/* -- numbers and words: they may be names, too -- */

static int
put_plain(struct reading *r, const char *text)
{
	if (is_key(r))
		hostd_json_str(&r->u->json, text);
	else
		hostd_json_raw(&r->u->json, hostd_json_slice(text,
		    text + strlen(text)));
	return value_ends(r);
}

static int
put_signed(struct reading *r, int64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)v);
	return put_plain(r, text);
}

static int
put_unsigned(struct reading *r, uint64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	return put_plain(r, text);
}

static int
put_double(struct reading *r, double v)
{
	if (is_key(r))
		return -1;
	hostd_json_double(&r->u->json, v == 0 ? 0 : v);
	return value_ends(r);
}

/* -- texts -- */

/* Bytes that are no UTF-8 are what Node makes of them. */
static int
put_mended(struct reading *r, const char *p, size_t n)
{
	char *room = malloc(3 * n), *to = room;
	size_t size;

	if (room == NULL)
		return -1;
	for (; n > 0; p += size, n -= size) {
		size = (unsigned char)*p < 0x80 ? 1 : hostd_json_char_size(
		    (const unsigned char *)p, n);
		if (size > 0) {
			memcpy(to, p, size);
			to += size;
		} else {
			memcpy(to, "\xef\xbf\xbd", 3);
			to += 3;
			size = 1;
		}
	}
	hostd_json_strn(&r->u->json, hostd_json_slice(room, to));
	free(room);
	return 0;
}

static int
put_text(struct reading *r, const char *p, size_t n)
{
	hostd_buf text = { p, n };

	if (hostd_json_is_utf8(text))
		hostd_json_strn(&r->u->json, text);
	else if (put_mended(r, p, n) == -1)
		return -1;
	return value_ends(r);
}

/* -- binary data, and what extensions are -- */

static int
put_bin(struct reading *r, const char *p, size_t n)
{
	struct unpacked *u = r->u;
	uint32_t size;
	hostd_buf *bins;

	if (is_key(r))
		return -1;
	if (u->nbins == u->size) {
		size = u->size == 0 ? BINS_LEAST : u->size * 2;
		if ((bins = realloc(u->bins, size * sizeof(*bins))) == NULL)
			return -1;
		u->bins = bins;
		u->size = size;
	}
	u->bins[u->nbins].p = p;
	u->bins[u->nbins].n = n;
	hostd_json_placeholder(&u->json, u->nbins++);
	return value_ends(r);
}

static int
put_time(struct reading *r, int64_t seconds, uint32_t ns)
{
	time_t t = (time_t)seconds;
	char text[32];
	struct tm tm;
	size_t n;

	if (seconds < SECONDS_MIN || seconds > SECONDS_MAX ||
	    gmtime_r(&t, &tm) == NULL)
		return put_plain(r, "null");
	n = (size_t)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:",
	    (tm.tm_year + 1900) % 10000, (tm.tm_mon + 1) % 100,
	    tm.tm_mday % 100, tm.tm_hour % 100, tm.tm_min % 100);
	n += (size_t)snprintf(text + n, sizeof(text) - n, "%02d.%03uZ",
	    tm.tm_sec % 100, ns / 1000000 % 1000);
	return put_text(r, text, n);
}

static uint64_t
load(const char *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | (unsigned char)*p++;
	return v;
}

/* Seconds, with parts of one in 30 bits where there are 8 bytes. */
static int
put_timestamp(struct reading *r, const char *p, size_t n)
{
	uint64_t v;

	switch (n) {
	case 4:
		return put_time(r, (int64_t)load(p, 4), 0);
	case 8:
		v = load(p, 8);
		return put_time(r, (int64_t)(v & 0x3ffffffff),
		    (uint32_t)(v >> 34));
	case 12:
		return put_time(r, (int64_t)load(p + 4, 8),
		    (uint32_t)load(p, 4));
	default:
		return -1;
	}
}

/* What older ones have written: the 8 bytes are milliseconds. */
static int
put_legacy_date(struct reading *r, const char *p)
{
	int64_t ms = (int64_t)load(p, 8), s = ms / 1000, rest = ms % 1000;

	if (rest < 0) {
		rest += 1000;
		s--;
	}
	return put_time(r, s, (uint32_t)rest * 1000000);
}

static int
put_extension(struct reading *r, const char *p, size_t n)
{
	int type = (signed char)*p++;

	if (is_key(r))
		return -1;
	n--;
	if (type == EXT_TIME)
		return put_timestamp(r, p, n);
	if (type == 0 && n == 1)
		return put_plain(r, "null");
	if (type == 0 && n == 8)
		return put_legacy_date(r, p);
	if (type == 0)
		return put_bin(r, p, n);
	return value_opens(r, 2, '[', ']') == 0 && put_signed(r, type) == 0 ?
	    put_bin(r, p, n) : -1;
}

/* -- the template -- */

#include <msgpack/unpack.h>
#include <msgpack/unpack_define.h>
#undef MSGPACK_EMBED_STACK_SIZE
#define MSGPACK_EMBED_STACK_SIZE	MESSAGE_DEPTH

typedef struct reading *reading_of;

#define msgpack_unpack_struct(name)	struct parse##name
#define msgpack_unpack_func(ret, name)	static inline ret parse##name
#define msgpack_unpack_callback(name)	on##name
#define msgpack_unpack_object		int
#define msgpack_unpack_user		reading_of

#define NUMBER(name, type, put)						\
	static int							\
	on##name(reading_of *r, type v, int *o)				\
	{								\
		*o = 0;							\
		return put(*r, v);					\
	}
NUMBER(_uint8, uint8_t, put_unsigned)
NUMBER(_uint16, uint16_t, put_unsigned)
NUMBER(_uint32, uint32_t, put_unsigned)
NUMBER(_uint64, uint64_t, put_unsigned)
NUMBER(_int8, int8_t, put_signed)
NUMBER(_int16, int16_t, put_signed)
NUMBER(_int32, int32_t, put_signed)
NUMBER(_int64, int64_t, put_signed)
NUMBER(_float, float, put_double)
NUMBER(_double, double, put_double)

#define WORD(name, word)						\
	static int							\
	on##name(reading_of *r, int *o)					\
	{								\
		*o = 0;							\
		return put_plain(*r, word);				\
	}
WORD(_nil, "null")
WORD(_true, "true")
WORD(_false, "false")

/* base is the message; its template looks whether all of p is there. */
#define BYTES(name, put)						\
	static int							\
	on##name(reading_of *r, const char *base, const char *p,	\
	    unsigned n, int *o)						\
	{								\
		(void)base;						\
		*o = 0;							\
		return put(*r, p, n);					\
	}
BYTES(_str, put_text)
BYTES(_bin, put_bin)

/* n counts the type, too. */
static int
on_ext(reading_of *r, const char *base, const char *p, unsigned n, int *o)
{
	(void)base;
	*o = 0;
	return n == 0 ? -1 : put_extension(*r, p, n);
}

static int
on_root(reading_of *r)
{
	(void)r;
	return 0;
}

static int
on_array(reading_of *r, unsigned n, int *o)
{
	*o = 0;
	return value_opens(*r, n, '[', ']');
}

static int
on_map(reading_of *r, unsigned n, int *o)
{
	*o = 0;
	return n > UINT32_MAX / 2 ? -1 : value_opens(*r, 2 * n, '{', '}');
}

static int
on_array_item(reading_of *r, int *list, int item)
{
	(void)r;
	(void)list;
	(void)item;
	return 0;
}

static int
on_map_item(reading_of *r, int *map, int key, int v)
{
	(void)r;
	(void)map;
	(void)key;
	(void)v;
	return 0;
}

#include <msgpack/unpack_template.h>

int
unpack_json(struct unpacked *u, hostd_buf message)
{
	struct reading r = { .u = u };
	struct parse_context ctx;
	size_t at = 0;

	u->nbins = 0;
	hostd_json_reset(&u->json);
	if (message.n == 0)
		return -1;
	ctx.user = &r;
	parse_init(&ctx);
	return parse_execute(&ctx, message.p, message.n, &at) == 1 &&
	    at == message.n ? 0 : -1;
}

void
unpacked_free(struct unpacked *u)
{
	hostd_json_free(&u->json);
	free(u->bins);
	memset(u, 0, sizeof(*u));
}
