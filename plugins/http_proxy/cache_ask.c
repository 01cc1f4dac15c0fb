/* SPDX-License-Identifier: BSD-2-Clause */
/* A request comes: is there something to answer it with? */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include "cache_inside.h"

static int
is_called(hostd_buf b, const char *name)
{
	return b.n == strlen(name) && strncasecmp(b.p, name, b.n) == 0;
}

int
cache_drops(hostd_buf name)
{
	static const char *const names[] = { "If-Match", "If-None-Match",
	    "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is_called(name, names[i]))
			return 1;
	return 0;
}

int
cache_keep_key(struct cache_use *use, hostd_buf key)
{
	if (use->key != NULL)
		return 0;
	if ((use->key = malloc(key.n + 1)) == NULL)
		return -1;
	memcpy(use->key, key.p, key.n);
	use->nkey = key.n;
	return 0;
}

/* -- keys of which nothing is kept -- */

static uint64_t
pass_hash(const struct cache_name *n)
{
	return n->a ^ n->variant;
}

void
cache_pass(struct cache *c, const struct cache_name *name)
{
	uint64_t h = pass_hash(name);

	c->passed[h % PASS_SLOTS].hash = h;
	c->passed[h % PASS_SLOTS].until_ms =
	    c->easy->host->now_ms(c->easy->host) + PASS_MS;
}

static int
is_passed(const struct cache *c, const struct cache_name *name)
{
	uint64_t h = pass_hash(name);

	return c->passed[h % PASS_SLOTS].hash == h &&
	    c->passed[h % PASS_SLOTS].until_ms >
	    c->easy->host->now_ms(c->easy->host);
}

/* -- deciding -- */

/* What is kept for such a request, and where it is, or would be, kept. */
static struct cache_object *
find(struct cache *c, const struct hostd_request *r, hostd_buf key,
    struct cache_name *name)
{
	struct cache_object *o;

	object_name(key, 0, name);
	o = store_get(c, name, key);
	if (o == NULL || *o->vary == '\0')
		return o;
	name->variant = vary_hash(o->vary, r->headers, r->nheaders);
	if (name->variant == o->vary_hash) {
		name->variant = 0;
		return o;
	}
	object_unref(o);
	o = store_get(c, name, key);
	if (o != NULL && vary_hash(o->vary, r->headers, r->nheaders) !=
	    o->vary_hash) {
		object_unref(o);
		return NULL;
	}
	return o;
}

int
cache_may_be_stale(const struct cache *c, const struct cache_object *o,
    unsigned why)
{
	if (o->fresh.flags & FRESH_NO_STALE)
		return 0;
	return (c->use_stale & why) != 0 || ((why & STALE_IF_ERROR) != 0 &&
	    fresh_over(&o->fresh, time(NULL)) <= o->fresh.if_error);
}

static int
may_revalidate_behind(const struct cache_object *o)
{
	return !(o->fresh.flags & FRESH_NO_STALE) &&
	    fresh_over(&o->fresh, time(NULL)) <= o->fresh.while_revalidate;
}

static void
add_validators(struct cache_use *use, const struct cache_object *o)
{
	if (o->etag.p != NULL) {
		use->ask[use->nask].name = hostd_str("If-None-Match");
		use->ask[use->nask++].value = o->etag;
	}
	if (o->modified.p != NULL) {
		use->ask[use->nask].name = hostd_str("If-Modified-Since");
		use->ask[use->nask++].value = o->modified;
	}
}

/* Lead a flight; 0 or a code of flight_start's.  Who may not store waits for
 * nobody. */
static int
lead(struct cache_use *use, const struct cache_name *name, hostd_buf key,
    struct cache_flight **f)
{
	int rc;

	if (cache_keep_key(use, key) == -1)
		return DISK_ERROR;
	if ((rc = flight_start(use->cache, name, f)) == 0)
		use->flight = *f;
	return rc;
}

/* Too old, or not there at all: a server is to be asked.  Takes o. */
static enum cache_verdict
ask_server(struct cache_use *use, const struct cache_name *name, hostd_buf key,
    struct cache_object *o)
{
	struct cache *c = use->cache;
	struct cache_flight *f = flight_find(c, name);

	use->status = use->flags & USE_BYPASS ? CACHE_IS_BYPASS :
	    o != NULL ? CACHE_IS_EXPIRED : CACHE_IS_MISS;
	if (use->flags & (USE_RANGE | USE_WAITED) || is_passed(c, name) ||
	    (f != NULL && use->flags & USE_BYPASS) ||
	    (f == NULL && lead(use, name, key, &f) == DISK_ERROR)) {
		object_unref(o);
		return CACHE_OFF;
	}
	if (use->flight == NULL) {
		object_unref(o);
		if (use->flags & USE_BYPASS || cache_keep_key(use, key) == -1)
			return CACHE_OFF;
		flight_wait(use, f);
		return CACHE_WAIT;
	}
	if (o != NULL)
		add_validators(use, o);
	use->object = o;
	return CACHE_FETCH;
}

/* Too old, but may be used: get another one behind the client's back. */
static enum cache_verdict
answer_behind(struct cache_use *use, const struct hostd_request *r,
    const struct cache_name *name, hostd_buf key, struct cache_object *o)
{
	struct cache_flight *f = flight_find(use->cache, name);

	if (f == NULL && !is_passed(use->cache, name) &&
	    lead(use, name, key, &f) == 0) {
		use->refresh = 1;
		add_validators(use, o);
		return cache_answer(use, o, r, CACHE_IS_STALE);
	}
	return cache_answer(use, o, r, CACHE_IS_UPDATING);
}

enum cache_verdict
cache_decide(struct cache_use *use, const struct hostd_request *r,
    hostd_buf key)
{
	struct cache *c = use->cache;
	struct cache_object *o;
	struct cache_name name;

	o = find(c, r, key, &name);
	if (use->flags & USE_BYPASS) {
		object_unref(o);
		return ask_server(use, &name, key, NULL);
	}
	if (o != NULL && use->flags & USE_AUTHORIZED &&
	    !(o->fresh.flags & FRESH_SHARED)) {
		object_unref(o);
		use->status = CACHE_IS_MISS;
		return CACHE_OFF;
	}
	if (o != NULL && fresh_is(&o->fresh, time(NULL)))
		return cache_answer(use, o, r, CACHE_IS_HIT);
	if (o != NULL && may_revalidate_behind(o))
		return answer_behind(use, r, &name, key, o);
	if (o != NULL && flight_find(c, &name) != NULL &&
	    cache_may_be_stale(c, o, STALE_UPDATING))
		return cache_answer(use, o, r, CACHE_IS_UPDATING);
	return ask_server(use, &name, key, o);
}

static unsigned
flags_of(const struct hostd_request *r)
{
	unsigned flags = 0;

	if (fresh_header(r->headers, r->nheaders, "Authorization").p != NULL)
		flags |= USE_AUTHORIZED;
	if (fresh_header(r->headers, r->nheaders, "Range").p != NULL)
		flags |= USE_RANGE;
	return flags;
}

static int
is_unsafe(uint32_t method)
{
	return method != HOSTD_METHOD_OPTIONS && method != HOSTD_METHOD_TRACE;
}

enum cache_verdict
cache_ask(struct cache *c, struct cache_use *use, const struct cache_asked *a)
{
	const struct hostd_request *r = a->request;

	memset(use, 0, sizeof(*use));
	use->cache = c;
	use->req = a->req;
	if (purge_is(c, r))
		return purge_answer(use, a);
	if (r->method != HOSTD_METHOD_GET && r->method != HOSTD_METHOD_HEAD) {
		if (is_unsafe(r->method) && cache_keep_key(use, a->key) == 0)
			use->flags |= USE_UNSAFE;
		return CACHE_OFF;
	}
	if (a->apart || r->content_length != 0 ||
	    r->flags & HOSTD_REQ_UPGRADE)
		return CACHE_OFF;
	use->flags = flags_of(r) | (a->bypass ? USE_BYPASS : 0) |
	    (a->authorized ? USE_AUTHORIZED : 0);
	return cache_decide(use, r, a->key);
}
