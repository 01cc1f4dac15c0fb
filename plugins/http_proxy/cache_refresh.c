/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking for an answer anew while the client has the old one. */
#include <stdlib.h>
#include <string.h>
#include "cache_inside.h"

static void
on_response(struct hostd_inst *in, hostd_fetch f, void *arg,
    const struct hostd_fetch_response *r)
{
	struct cache_refresh *w = arg;

	(void)in;
	(void)f;
	if (cache_head(&w->use, r) == CACHE_HIT)
		w->deaf = 1;
}

static void
on_body(struct hostd_inst *in, hostd_fetch f, void *arg, hostd_buf part,
    int32_t fin)
{
	struct cache_refresh *w = arg;

	(void)in;
	(void)f;
	if (w->deaf)
		return;
	cache_body(&w->use, part);
	if (fin)
		cache_done(&w->use);
}

static void
on_end(struct hostd_inst *in, hostd_fetch f, void *arg, int32_t status,
    hostd_buf text)
{
	struct cache_refresh *w = arg;

	(void)in;
	(void)f;
	(void)text;
	if (status != HOSTD_OK && !w->deaf)
		(void)cache_failed(&w->use, status);
	cache_end(&w->use);
	free(w);
}

static const struct hostd_fetch_ops ops = {
	.struct_size = sizeof(ops), .on_response = on_response,
	.on_body = on_body, .on_end = on_end
};

static size_t
size_of(const struct hostd_request *r)
{
	size_t n = r->nheaders * sizeof(hostd_hdr);
	uint32_t i;

	for (i = 0; i < r->nheaders; i++)
		n += r->headers[i].name.n + r->headers[i].value.n;
	return n;
}

static hostd_buf
copy(char **to, hostd_buf b)
{
	hostd_buf out = { *to, b.n };

	if (b.n > 0)
		memcpy(*to, b.p, b.n);
	*to += b.n;
	return out;
}

static struct cache_refresh *
refresh_new(const struct hostd_request *r)
{
	struct cache_refresh *w = calloc(1, sizeof(*w) + size_of(r));
	hostd_hdr *h;
	uint32_t i;
	char *p;

	if (w == NULL)
		return NULL;
	h = (hostd_hdr *)(void *)(w + 1);
	p = (char *)(h + r->nheaders);
	w->headers = h;
	w->nheaders = r->nheaders;
	for (i = 0; i < r->nheaders; i++) {
		h[i].name = copy(&p, r->headers[i].name);
		h[i].value = copy(&p, r->headers[i].value);
	}
	return w;
}

/* What the request has of the flight goes over to the refresh. */
static void
hand_over(struct cache_use *from, struct cache_use *to)
{
	to->cache = from->cache;
	to->flags = (from->flags & USE_AUTHORIZED) | USE_REFRESH;
	to->flight = from->flight;
	to->key = from->key;
	to->nkey = from->nkey;
	to->object = object_ref(from->object);
	to->nask = from->nask;
	from->flight = NULL;
	from->key = NULL;
}

void
cache_refresh(struct cache_use *use, const struct hostd_fetch_request *fr)
{
	struct cache *c = use->cache;
	const struct hostd_request *r = c->easy->http->request(c->easy->host,
	    use->req);
	struct hostd_fetch_request want = *fr;
	struct cache_flight *f = use->flight;
	struct cache_refresh *w;
	hostd_fetch h;

	use->refresh = 0;
	if (r == NULL || c->fetch == NULL || (w = refresh_new(r)) == NULL) {
		use->flight = NULL;
		flight_end(c, f);
		return;
	}
	hand_over(use, &w->use);
	want.flags |= HOSTD_FETCH_DETACHED;
	if (c->fetch->start(c->easy->host, &want, &ops, w, &h) == HOSTD_OK)
		return;
	cache_end(&w->use);
	free(w);
}
