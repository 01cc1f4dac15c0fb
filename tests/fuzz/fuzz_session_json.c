/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Documents of sessions, and what is done with them, with a byte 0 between two:
 * what is loaded, a key, its value, what somebody else has stored meanwhile.
 *
 * What must hold: what jansson reads is taken, and what it does not only for
 * what it has no room for; a document stays one whatever is changed; what was
 * set is there, and all else as it was.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include <hostd/json.h>
#include "session/content.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static char path[] = "/";
static const struct conf_session conf = { .path = path, .httponly = 1,
	.max_size = 65536, .ttl = 86400000, .samesite = CONF_SAMESITE_LAX };

static void
must(int holds)
{
	if (!holds)
		abort();
}

static hostd_buf
next_part(const char **p, const char *end)
{
	const char *from = *p, *stop = NULL;

	if (from < end)
		stop = memchr(from, '\0', (size_t)(end - from));
	if (stop == NULL)
		stop = end;
	*p = stop < end ? stop + 1 : end;
	return (hostd_buf){ from, (size_t)(stop - from) };
}

/* Numbers beyond its own, halves of pairs, and NUL in keys. */
static int
may_refuse(hostd_buf text)
{
	const char *p = text.p;
	size_t i, digits = 0;

	for (i = 0; i < text.n; i++) {
		digits = p[i] >= '0' && p[i] <= '9' ? digits + 1 : 0;
		if (digits > 15 || (i > 0 && (p[i - 1] | 0x20) == 'e' &&
		    (digits > 0 || p[i] == '+')) ||
		    (i > 0 && p[i - 1] == '\\' && p[i] == 'u'))
			return 1;
	}
	return 0;
}

static void
beside_jansson(hostd_buf text)
{
	json_error_t error;
	json_t *j = json_loadb(text.p, text.n, JSON_DECODE_ANY |
	    JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
	int ours = hostd_json_ok(text);

	if (j == NULL)
		must(!ours || may_refuse(text));
	else if (!ours)
		/* It lets things be nested more deeply. */
		must(text.n > HOSTD_JSON_DEPTH);
	json_decref(j);
}

static void
is_whole(const struct content *c)
{
	hostd_buf text = { c->text.p, c->text.len }, cookie;

	must(hostd_json_ok(text) && hostd_json_is_object(text));
	cookie = hostd_json_find(text, (hostd_buf){ "cookie", 6 });
	must(cookie.n > 1 && *(const char *)cookie.p == '{');
}

static int
same(hostd_buf a, hostd_buf b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

/* All that is in one, but the key, is in the other. */
static void
rest_is_same(hostd_buf a, hostd_buf b, hostd_buf key)
{
	struct hostd_json_walk w = hostd_json_walk(a), v = hostd_json_walk(b);
	hostd_buf name, value, other, others;

	while (hostd_json_next_member(&w, &name, &value)) {
		if (hostd_json_says(name, key))
			continue;
		do
			must(hostd_json_next_member(&v, &other, &others));
		while (hostd_json_says(other, key));
		must(same(name, other) && same(value, others));
	}
	while (hostd_json_next_member(&v, &other, &others))
		must(hostd_json_says(other, key));
}

static void
change(struct content *c, hostd_buf key, hostd_buf value)
{
	struct buf was = { NULL, 0, 0 };
	hostd_buf got;
	int32_t rc;

	buf_append(&was, c->text.p, c->text.len);
	rc = content_set(c, key, value);
	rest_is_same((hostd_buf){ was.p, was.len },
	    (hostd_buf){ c->text.p, c->text.len }, key);
	is_whole(c);
	if (rc == HOSTD_OK) {
		must(content_get(c, key, &got) == HOSTD_OK);
		must(got.n <= value.n &&
		    memmem(value.p, value.n, got.p, got.n) != NULL);
	} else
		must(same((hostd_buf){ was.p, was.len },
		    (hostd_buf){ c->text.p, c->text.len }));
	buf_free(&was);
}

static void
use(struct content *c, hostd_buf key, hostd_buf value, hostd_buf newer)
{
	hostd_buf got;

	must(!content_is_changed(c));
	(void)content_extend(c, 1795219717891);
	must(!content_is_changed(c));
	is_whole(c);
	change(c, key, value);
	if (content_merge(c, newer) == HOSTD_OK) {
		is_whole(c);
		must(same((hostd_buf){ c->loaded.p, c->loaded.len }, newer));
	}
	must(content_del(c, key) == HOSTD_OK);
	/* What can't be set can't be taken away either. */
	must(content_get(c, key, &got) == HOSTD_E_INVAL ||
	    content_set(c, key, (hostd_buf){ "0", 1 }) == HOSTD_E_INVAL);
	is_whole(c);
	content_saving(c);
	content_saved(c);
	must(!content_is_changed(c));
	content_renew(c, &conf, 1795219717891, 1);
	is_whole(c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct content c;
	const char *p = (const char *)data, *end = p + size;
	hostd_buf doc, key, value, newer;

	doc = next_part(&p, end);
	key = next_part(&p, end);
	value = next_part(&p, end);
	newer = next_part(&p, end);
	beside_jansson(doc);
	beside_jansson(value);
	if (content_load(&c, &conf, doc, 1795219717891, 0) == HOSTD_OK)
		use(&c, key, value, newer);
	content_start(&c, &conf, 1795219717891, 0);
	use(&c, key, value, newer);
	return 0;
}
