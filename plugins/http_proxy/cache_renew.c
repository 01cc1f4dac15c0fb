/* SPDX-License-Identifier: BSD-2-Clause */
/* A server says that what is kept is still good (RFC 9111 section 4.3.4). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "cache_inside.h"

/* The new head of the same body, on its way to the disk. */
struct renewal {
	struct cache *cache;
	struct cache_flight *flight;
	struct cache_object *object;	/* with the new head; its fd and
					   body_at are the old file's */
	int rc, error;
};

static void
renewal_run(void *arg)
{
	struct renewal *w = arg;
	struct cache_object *o = w->object;

	w->rc = disk_copy(&w->flight->part, o->head, o->nhead, o->fd,
	    o->body_at, o->body_len);
	w->error = errno;
}

static void
renewal_done(struct hostd_inst *in, void *arg, int32_t status)
{
	struct renewal *w = arg;
	struct cache *c = w->cache;
	struct cache_flight *f = w->flight;

	(void)in;
	if (status == HOSTD_OK && w->rc == 0 && !f->spoilt) {
		if (disk_commit(&c->disk, &f->part, &f->name) == DISK_ERROR)
			store_complain(c, strerror(errno));
	} else if (status == HOSTD_OK && w->rc != 0)
		store_complain(c, strerror(w->error));
	object_unref(w->object);
	free(w);
	flight_end(c, f);
}

static void
renew_on_disk(struct cache_use *use, struct cache_object *o)
{
	struct cache *c = use->cache;
	struct renewal *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return;
	w->cache = c;
	w->flight = use->flight;
	w->object = object_ref(o);
	if (c->work->submit(c->easy->host, renewal_run, renewal_done, w) ==
	    HOSTD_OK) {
		use->flight = NULL;	/* it ends with the copy */
		return;
	}
	object_unref(o);
	free(w);
}

/* A head made of both; NULL: it does not fit, or no memory. */
static struct cache_object *
merge(const struct cache_use *use, const struct hostd_fetch_response *r,
    const struct freshness *fresh)
{
	const struct cache_object *old = use->object;
	struct object_facts of = { .status = old->status, .key = old->key,
	    .vary = old->vary, .vary_hash = old->vary_hash,
	    .headers = r->headers, .nheaders = r->nheaders, .older = old };
	char head[OBJECT_HEAD_MAX];
	size_t n;

	if (fresh != NULL)
		of.fresh = *fresh;
	if ((n = object_pack(&of, head)) == 0)
		return NULL;
	object_seal(head, n, old->body_len);
	return object_unpack(head, n);
}

int
store_renew(struct cache_use *use, const struct hostd_fetch_response *r)
{
	struct cache *c = use->cache;
	struct cache_object *old = use->object, *o = merge(use, r, NULL);
	struct fresh_facts facts;
	struct freshness fresh;
	int kept;

	if (o == NULL)
		return -1;
	facts = store_facts(use, (int)o->status, o->headers, o->nheaders);
	kept = fresh_judge(&facts, &fresh) == 0;
	object_unref(o);
	if ((o = merge(use, r, &fresh)) == NULL)
		return -1;
	if (old->body != NULL) {
		o->body = old->body;
		o->body->refs++;
	} else if (old->fd != -1 && (o->fd = dup(old->fd)) == -1) {
		object_unref(o);
		return -1;
	}
	if (old->fd != -1)
		o->body_at = old->body_at;
	if (!kept)
		store_drop(c, old->key, 0);
	else if (c->disk.dir == -1)
		(void)memory_put(&c->memory, &use->flight->name, o);
	else
		renew_on_disk(use, o);
	object_unref(old);
	use->object = o;
	return 0;
}
