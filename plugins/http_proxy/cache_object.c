/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "cache_object.h"
#include "cache_vary.h"

#define MAGIC	UINT64_C(0x3165686361636468)	/* "hdcache1" */

/* The first bytes of a head; key, vary and headers follow. */
struct head {
	uint64_t magic;
	uint64_t check;			/* of all behind it */
	uint32_t size;			/* of all of it */
	uint32_t status, nheaders, flags;
	int64_t stored, age, lifetime, while_revalidate, if_error;
	uint64_t body_len, vary_hash;
	uint32_t nkey, nvary;
};

#define CHECKED	(offsetof(struct head, check) + sizeof(uint64_t))

struct packer {
	char *p;
	size_t at;
	uint32_t nheaders;
	int full;
};

static void
put(struct packer *k, const void *p, size_t n)
{
	if (k->full || n > OBJECT_HEAD_MAX - k->at) {
		k->full = 1;
		return;
	}
	if (n > 0)
		memcpy(k->p + k->at, p, n);
	k->at += n;
}

static void
put_header(struct packer *k, const hostd_hdr *h)
{
	uint32_t n[2] = { (uint32_t)h->name.n, (uint32_t)h->value.n };

	if (h->name.n >= OBJECT_HEAD_MAX || h->value.n >= OBJECT_HEAD_MAX ||
	    k->nheaders == OBJECT_HEADERS_MAX) {
		k->full = 1;
		return;
	}
	put(k, n, sizeof(n));
	put(k, h->name.p, h->name.n);
	put(k, h->value.p, h->value.n);
	k->nheaders++;
}

static int
is_called(hostd_buf b, const char *name, size_t n)
{
	return b.n == n && strncasecmp(b.p, name, n) == 0;
}

/* Of the connection, or not true any more when it is used again. */
static int
is_dropped(hostd_buf name)
{
	static const char *const names[] = { "Connection", "Content-Length",
	    "Keep-Alive", "Proxy-Authenticate", "Proxy-Authentication-Info",
	    "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding",
	    "Upgrade", "Age", "Set-Cookie" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is_called(name, names[i], strlen(names[i])))
			return 1;
	return 0;
}

/* Is it named by a Connection header? */
static int
is_named(const struct object_facts *f, hostd_buf name)
{
	const char *p, *end, *from;
	uint32_t i;

	for (i = 0; i < f->nheaders; i++) {
		if (!is_called(f->headers[i].name, "Connection", 10) ||
		    f->headers[i].value.n == 0)
			continue;
		p = f->headers[i].value.p;
		end = p + f->headers[i].value.n;
		while (p < end) {
			while (p < end && (*p == ' ' || *p == ',' ||
			    *p == '\t'))
				p++;
			for (from = p; p < end && *p != ' ' && *p != ',' &&
			    *p != '\t'; p++)
				;
			if (is_called(name, from, (size_t)(p - from)))
				return 1;
		}
	}
	return 0;
}

/* Of these the kept answer's are right, not those of a 304. */
static int
is_of_content(hostd_buf name)
{
	return is_called(name, "Content-Encoding", 16) ||
	    is_called(name, "Content-Type", 12) ||
	    is_called(name, "Content-Range", 13);
}

static void
put_headers(struct packer *k, const struct object_facts *f)
{
	const struct cache_object *o = f->older;
	uint32_t i;

	for (i = 0; i < f->nheaders; i++)
		if (!is_dropped(f->headers[i].name) &&
		    !(o != NULL && is_of_content(f->headers[i].name)) &&
		    !is_named(f, f->headers[i].name))
			put_header(k, &f->headers[i]);
	for (i = 0; o != NULL && i < o->nheaders; i++) {
		hostd_buf name = o->headers[i].name;
		uint32_t j;

		for (j = 0; j < f->nheaders; j++)
			if (!is_of_content(name) && is_called(
			    f->headers[j].name, name.p, name.n))
				break;
		if (j == f->nheaders)
			put_header(k, &o->headers[i]);
	}
}

size_t
object_pack(const struct object_facts *f, char out[OBJECT_HEAD_MAX])
{
	struct packer k = { out, 0, 0, 0 };
	struct head h;

	memset(&h, 0, sizeof(h));
	put(&k, &h, sizeof(h));
	put(&k, f->key.p, f->key.n);
	put(&k, f->vary, strlen(f->vary) + 1);
	put_headers(&k, f);
	if (k.full)
		return 0;
	h.magic = MAGIC;
	h.size = (uint32_t)k.at;
	h.status = f->status;
	h.nheaders = k.nheaders;
	h.flags = f->fresh.flags;
	h.stored = f->fresh.stored;
	h.age = f->fresh.age;
	h.lifetime = f->fresh.lifetime;
	h.while_revalidate = f->fresh.while_revalidate;
	h.if_error = f->fresh.if_error;
	h.vary_hash = f->vary_hash;
	h.nkey = (uint32_t)f->key.n;
	h.nvary = (uint32_t)strlen(f->vary) + 1;
	memcpy(out, &h, sizeof(h));
	return k.at;
}

size_t
object_key_at(void)
{
	return sizeof(struct head);
}

void
object_seal(char *head, size_t n, uint64_t body_len)
{
	uint64_t check;

	memcpy(head + offsetof(struct head, body_len), &body_len,
	    sizeof(body_len));
	check = cache_hash(MAGIC, head + CHECKED, n - CHECKED);
	memcpy(head + offsetof(struct head, check), &check, sizeof(check));
}

size_t
object_head_size(const char start[OBJECT_START])
{
	struct head h;

	_Static_assert(OBJECT_START <= sizeof(h), "not of a head alone");
	memcpy(&h, start, OBJECT_START);
	return h.magic == MAGIC && h.size >= sizeof(h) &&
	    h.size <= OBJECT_HEAD_MAX ? h.size : 0;
}

/* -- reading -- */

static int
is_sane(const struct head *h, size_t n)
{
	const int64_t far = INT64_C(1) << 40;

	return h->magic == MAGIC && h->size == n &&
	    h->status >= 200 && h->status <= 999 &&
	    h->nheaders <= OBJECT_HEADERS_MAX && !(h->flags & ~FRESH_FLAGS) &&
	    h->stored >= 0 && h->stored < far && h->age >= 0 && h->age < far &&
	    h->lifetime >= 0 && h->lifetime < far &&
	    h->while_revalidate >= 0 && h->while_revalidate < far &&
	    h->if_error >= 0 && h->if_error < far &&
	    h->body_len <= UINT64_C(1) << 62 && h->nkey <= n &&
	    h->nvary >= 1 && h->nvary <= VARY_MAX;
}

/* n bytes at *at of the head; NULL: there are not so many. */
static const char *
take(const struct cache_object *o, size_t *at, size_t n)
{
	const char *p = o->head + *at;

	if (n > o->nhead - *at)
		return NULL;
	*at += n;
	return p;
}

static int
read_headers(struct cache_object *o, size_t at)
{
	uint32_t i, n[2];
	const char *p;

	for (i = 0; i < o->nheaders; i++) {
		if ((p = take(o, &at, sizeof(n))) == NULL)
			return -1;
		memcpy(n, p, sizeof(n));
		if (n[0] == 0 || (p = take(o, &at, n[0])) == NULL)
			return -1;
		o->headers[i].name = (hostd_buf){ p, n[0] };
		if ((p = take(o, &at, n[1])) == NULL)
			return -1;
		o->headers[i].value = (hostd_buf){ p, n[1] };
	}
	o->etag = fresh_header(o->headers, o->nheaders, "ETag");
	o->modified = fresh_header(o->headers, o->nheaders, "Last-Modified");
	return at == o->nhead ? 0 : -1;
}

static int
read_all(struct cache_object *o, const struct head *h)
{
	size_t at = sizeof(*h);
	const char *p;

	if ((p = take(o, &at, h->nkey)) == NULL)
		return -1;
	o->key = (hostd_buf){ p, h->nkey };
	if ((p = take(o, &at, h->nvary)) == NULL ||
	    memchr(p, '\0', h->nvary) != p + h->nvary - 1)
		return -1;
	o->vary = p;
	o->vary_hash = h->vary_hash;
	o->status = h->status;
	o->body_len = h->body_len;
	o->fresh.stored = h->stored;
	o->fresh.age = h->age;
	o->fresh.lifetime = h->lifetime;
	o->fresh.while_revalidate = h->while_revalidate;
	o->fresh.if_error = h->if_error;
	o->fresh.flags = h->flags;
	return read_headers(o, at);
}

struct cache_object *
object_unpack(const char *head, size_t n)
{
	struct cache_object *o;
	struct head h;

	if (n < sizeof(h) || n > OBJECT_HEAD_MAX)
		return NULL;
	memcpy(&h, head, sizeof(h));
	if (!is_sane(&h, n) ||
	    h.check != cache_hash(MAGIC, head + CHECKED, n - CHECKED) ||
	    (o = calloc(1, sizeof(*o) + n)) == NULL)
		return NULL;
	o->refs = 1;
	o->fd = -1;
	o->nhead = (uint32_t)n;
	o->body_at = n;
	memcpy(o->head, head, n);
	o->nheaders = h.nheaders;
	o->headers = calloc(h.nheaders + 1u, sizeof(*o->headers));
	if (o->headers == NULL || read_all(o, &h) == -1) {
		object_unref(o);
		return NULL;
	}
	return o;
}

/* -- life -- */

void
body_unref(struct cache_body *b)
{
	if (b != NULL && --b->refs == 0)
		free(b);
}

struct cache_object *
object_ref(struct cache_object *o)
{
	o->refs++;
	return o;
}

void
object_unref(struct cache_object *o)
{
	if (o == NULL || --o->refs > 0)
		return;
	body_unref(o->body);
	if (o->fd != -1)
		close(o->fd);
	free(o->headers);
	free(o);
}

void
object_name(hostd_buf key, uint64_t variant, struct cache_name *out)
{
	out->a = cache_hash(0, key.p, key.n);
	out->b = cache_hash(UINT64_C(0x9e3779b97f4a7c15), key.p, key.n);
	out->variant = variant;
}
