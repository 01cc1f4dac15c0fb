/* SPDX-License-Identifier: BSD-2-Clause */
/* A server answers: is it kept? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cache_inside.h"

#define COMPLAIN_MS	60000
#define SWEEP_SECONDS	60
#define FIRST_SIZE	4096

void
store_complain(struct cache *c, const char *what)
{
	uint64_t now = c->easy->host->now_ms(c->easy->host);

	if (c->complained_ms != 0 && now - c->complained_ms < COMPLAIN_MS)
		return;
	c->complained_ms = now;
	hostd_logf(c->easy->host, HOSTD_LOG_WARN,
	    "an answer is not kept, while writing below cache_dir: %s", what);
}

struct cache_object *
store_get(struct cache *c, const struct cache_name *name, hostd_buf key)
{
	if (c->disk.dir == -1)
		return memory_get(&c->memory, name, key);
	return disk_get(&c->disk, name, key, time(NULL));
}

/* -- the sweep and purges, on a pool thread -- */

struct job {
	struct cache *cache;
	drop_told told;
	void *arg;			/* of told */
	unsigned removed;
	int prefix;
	size_t n;			/* 0: a sweep */
	char key[];
};

static void
job_run(void *arg)
{
	struct job *j = arg;
	hostd_buf key = { j->key, j->n };

	if (j->n == 0 && !j->prefix)
		disk_sweep(j->cache->disk.dir, j->cache->disk.max);
	else
		j->removed = disk_purge(j->cache->disk.dir, key, j->prefix);
}

static void
job_done(struct hostd_inst *in, void *arg, int32_t status)
{
	struct job *j = arg;

	(void)in;
	(void)status;
	if (j->n == 0 && !j->prefix)
		j->cache->disk.sweeping = 0;
	if (j->told != NULL)
		j->told(j->cache, j->arg, j->removed);
	free(j);
}

static int
job_start(struct cache *c, hostd_buf key, int prefix, drop_told told,
    void *arg)
{
	struct job *j = calloc(1, sizeof(*j) + key.n);

	if (j == NULL)
		return -1;
	j->cache = c;
	j->told = told;
	j->arg = arg;
	j->prefix = prefix;
	j->n = key.n;
	if (key.n > 0)
		memcpy(j->key, key.p, key.n);
	if (c->work->submit(c->easy->host, job_run, job_done, j) == HOSTD_OK)
		return 0;
	free(j);
	return -1;
}

static void
sweep_if_due(struct cache *c)
{
	hostd_buf none = { NULL, 0 };
	int64_t now = time(NULL);

	if (c->disk.sweeping || (c->disk.written < c->disk.max / 32 &&
	    now - c->disk.swept < SWEEP_SECONDS))
		return;
	c->disk.written = 0;
	c->disk.swept = now;
	c->disk.sweeping = job_start(c, none, 0, NULL, NULL) == 0;
}

void
store_spoil(struct cache *c, hostd_buf key, int prefix)
{
	struct cache_writer *w;

	flights_spoil(c, key, prefix);
	LIST_FOREACH(w, &c->writers, entry)
		if ((prefix ? w->key.n >= key.n : w->key.n == key.n) &&
		    memcmp(w->key.p, key.p, key.n) == 0)
			w->spoilt = 1;
}

void
store_drop_counted(struct cache *c, hostd_buf key, int prefix, drop_told told,
    void *arg)
{
	unsigned n = 0;

	store_spoil(c, key, prefix);
	if (c->disk.dir == -1)
		n = memory_drop(&c->memory, key, prefix);
	else if (job_start(c, key, prefix, told, arg) == 0)
		return;
	else
		store_complain(c, "no place to purge");
	if (told != NULL)
		told(c, arg, n);
}

void
store_drop(struct cache *c, hostd_buf key, int prefix)
{
	store_drop_counted(c, key, prefix, NULL, NULL);
}

/* -- one answer -- */

static void
writer_free(struct cache_use *use)
{
	struct cache_writer *w = use->writer;

	LIST_REMOVE(w, entry);
	body_unref(w->body);
	free(w);
	use->writer = NULL;
}

/* The client's headers, which outlive it only in a refresh. */
static void
headers_of(const struct cache_use *use, const hostd_hdr **h, uint32_t *n)
{
	const struct hostd_easy *e = use->cache->easy;
	const struct cache_refresh *f = (const void *)use;
	const struct hostd_request *r;

	*n = 0;
	*h = NULL;
	if (use->flags & USE_REFRESH) {
		*h = f->headers;
		*n = f->nheaders;
	} else if ((r = e->http->request(e->host, use->req)) != NULL) {
		*h = r->headers;
		*n = r->nheaders;
	}
}

struct fresh_facts
store_facts(const struct cache_use *use, int status, const hostd_hdr *h,
    uint32_t n)
{
	const struct cache *c = use->cache;

	return (struct fresh_facts){ .status = status, .headers = h,
	    .nheaders = n, .authorized = (use->flags & USE_AUTHORIZED) != 0,
	    .rules = c->rules, .nrules = c->nrules, .now = time(NULL) };
}

/* The first one of a key has its plain name; the others that of what they
 * vary with. */
static void
choose_name(struct cache *c, const struct object_facts *of,
    struct cache_name *name)
{
	struct cache_object *o;

	object_name(of->key, 0, name);
	if (of->vary[0] == '\0' ||
	    (o = store_get(c, name, of->key)) == NULL)
		return;
	if (strcmp(o->vary, of->vary) == 0 && o->vary_hash != of->vary_hash)
		name->variant = of->vary_hash;
	object_unref(o);
}

/* Does it vary with what only we know?  The client's headers, which say what
 * is whose, are silent about that. */
static int
varies_unseen(const struct cache *c, const char *vary)
{
	size_t len;

	for (; *vary != '\0'; vary += len + (vary[len] == ',')) {
		len = strcspn(vary, ",");
		if (c->is_ours != NULL && c->is_ours(c->inst,
		    (hostd_buf){ vary, len }))
			return 1;
	}
	return 0;
}

static struct cache_writer *
writer_new(struct cache *c, const char *head, size_t nhead, size_t at_key,
    size_t nkey)
{
	struct cache_writer *w = calloc(1, sizeof(*w) + nhead);

	if (w == NULL)
		return NULL;
	memcpy(w->head, head, nhead);
	w->nhead = nhead;
	w->key = (hostd_buf){ w->head + at_key, nkey };
	LIST_INSERT_HEAD(&c->writers, w, entry);
	return w;
}

int
store_begin(struct cache_use *use, const struct hostd_fetch_response *r)
{
	struct cache *c = use->cache;
	struct fresh_facts facts = store_facts(use, r->status, r->headers,
	    r->nheaders);
	struct object_facts of = { .status = (uint32_t)r->status,
	    .key = { use->key, use->nkey }, .headers = r->headers,
	    .nheaders = r->nheaders };
	char vary[VARY_MAX], head[OBJECT_HEAD_MAX];
	const hostd_hdr *h;
	uint32_t n;
	size_t nhead;

	if (fresh_judge(&facts, &of.fresh) == -1 ||
	    vary_names(r->headers, r->nheaders, vary) == -1 ||
	    varies_unseen(c, vary) ||
	    (r->content_length > 0 &&
	    (uint64_t)r->content_length > c->object_max))
		return -1;
	headers_of(use, &h, &n);
	of.vary = vary;
	of.vary_hash = vary_hash(vary, h, n);
	if ((nhead = object_pack(&of, head)) == 0 || (use->writer =
	    writer_new(c, head, nhead, object_key_at(), use->nkey)) == NULL)
		return -1;
	use->writer->promised = r->content_length;
	choose_name(c, &of, &use->writer->name);
	return 0;
}

void
store_abort(struct cache_use *use)
{
	if (use->writer != NULL)
		writer_free(use);
}

static int
keep_in_memory(struct cache_writer *w, hostd_buf part)
{
	struct cache_body *b;
	size_t size = w->size;

	while (size < w->len + part.n)
		size = size == 0 ? w->promised > 0 ? (size_t)w->promised :
		    FIRST_SIZE : size * 2;
	if (size != w->size) {
		if ((b = realloc(w->body, sizeof(*b) + size)) == NULL)
			return -1;
		b->refs = 1;
		w->body = b;
		w->size = size;
	}
	memcpy(w->body->bytes + w->len, part.p, part.n);
	return 0;
}

/* Not kept after all: the others need not wait any longer. */
static void
let_go(struct cache_use *use)
{
	struct cache_flight *f = use->flight;

	store_abort(use);
	use->flight = NULL;
	if (f != NULL)
		flight_end(use->cache, f);
}

/* Nor will another one be. */
static void
give_up(struct cache_use *use)
{
	if (use->flight != NULL)
		cache_pass(use->cache, &use->flight->name);
	let_go(use);
}

void
cache_body(struct cache_use *use, hostd_buf part)
{
	struct cache_writer *w = use->writer;
	struct cache *c = use->cache;
	int rc;

	if (w == NULL || part.n == 0)
		return;
	if (w->spoilt) {
		let_go(use);
		return;
	}
	if (w->len + part.n > c->object_max) {
		give_up(use);
		return;
	}
	if (c->disk.dir == -1)
		rc = keep_in_memory(w, part);
	else if ((rc = disk_write(&use->flight->part, part.p, part.n,
	    w->nhead + w->len)) == DISK_ERROR)
		store_complain(c, strerror(errno));
	w->len += part.n;
	if (rc != 0)
		give_up(use);
}

static void
commit_to_memory(struct cache *c, struct cache_writer *w)
{
	struct cache_object *o = object_unpack(w->head, w->nhead);
	struct cache_body *b;

	if (o == NULL)
		return;
	/* Without what it was made larger for. */
	if (w->body != NULL && w->size > w->len &&
	    (b = realloc(w->body, sizeof(*b) + w->len)) != NULL)
		w->body = b;
	o->body = w->body;
	w->body = NULL;
	(void)memory_put(&c->memory, &w->name, o);
	object_unref(o);
}

static void
commit_to_disk(struct cache *c, struct cache_writer *w, struct disk_part *p)
{
	if (disk_write(p, w->head, w->nhead, 0) == DISK_ERROR ||
	    disk_commit(&c->disk, p, &w->name) == DISK_ERROR)
		store_complain(c, strerror(errno));
	c->disk.written += w->nhead + w->len;
	sweep_if_due(c);
}

void
cache_done(struct cache_use *use)
{
	struct cache_writer *w = use->writer;
	struct cache *c = use->cache;
	struct cache_flight *f = use->flight;

	if (w != NULL && !w->spoilt &&
	    (w->promised < 0 || (uint64_t)w->promised == w->len)) {
		object_seal(w->head, w->nhead, w->len);
		if (c->disk.dir == -1)
			commit_to_memory(c, w);
		else
			commit_to_disk(c, w, &f->part);
	}
	store_abort(use);
	use->flight = NULL;
	if (f != NULL)
		flight_end(c, f);
}

/* -- the head comes -- */

static unsigned
why_of(int status)
{
	switch (status) {
	case 500:
		return STALE_500;
	case 502:
		return STALE_502;
	case 503:
		return STALE_503;
	case 504:
		return STALE_504;
	case 403:
		return STALE_403;
	case 404:
		return STALE_404;
	case 429:
		return STALE_429;
	default:
		return 0;
	}
}

static enum cache_verdict
answer_again(struct cache_use *use, enum cache_status status)
{
	const struct hostd_easy *e = use->cache->easy;
	struct cache_flight *f = use->flight;
	const struct hostd_request *r = NULL;

	use->flight = NULL;
	/* First: those who go on make answers of their own, and there is but
	 * one place for the headers of a 304. */
	if (f != NULL)
		flight_end(use->cache, f);
	if (!(use->flags & USE_REFRESH))
		r = e->http->request(e->host, use->req);
	return cache_answer(use, use->object, r, status);
}

enum cache_verdict
cache_head(struct cache_use *use, const struct hostd_fetch_response *r)
{
	struct cache *c = use->cache;
	hostd_buf key = { use->key, use->nkey };
	unsigned why = why_of(r->status);

	if (use->flags & USE_UNSAFE && r->status < 400)
		purge_tell(c, key, 'O');
	if (use->flight == NULL)
		return CACHE_OFF;
	if (r->status == 304 && use->object != NULL && use->nask > 0 &&
	    (use->flight->spoilt || store_renew(use, r) == 0))
		return answer_again(use, CACHE_IS_REVALIDATED);
	if (why != 0 && use->object != NULL &&
	    cache_may_be_stale(c, use->object, why))
		return answer_again(use, CACHE_IS_STALE);
	if (use->flight->spoilt)
		let_go(use);
	else if (store_begin(use, r) == -1) {
		/* It replaces what was kept all the same. */
		if (use->object != NULL && r->status < 500)
			store_drop(c, key, 0);
		give_up(use);
	}
	use->flags |= USE_HEADED;
	return CACHE_OFF;
}

enum cache_verdict
cache_failed(struct cache_use *use, int32_t status)
{
	unsigned why = status == HOSTD_E_TIMEOUT ? STALE_TIMEOUT :
	    STALE_ERROR | STALE_INVALID;
	struct cache_flight *f = use->flight;

	if (f == NULL)
		return CACHE_OFF;
	if (status != HOSTD_E_GONE && !(use->flags & USE_HEADED) &&
	    use->object != NULL &&
	    cache_may_be_stale(use->cache, use->object, why))
		return answer_again(use, CACHE_IS_STALE);
	store_abort(use);
	use->flight = NULL;
	flight_end(use->cache, f);
	return CACHE_OFF;
}

void
cache_end(struct cache_use *use)
{
	struct cache_flight *f;

	if (use->cache == NULL)
		return;
	f = use->flight;
	if (!(use->flags & USE_REFRESH))
		use->cache->counts[use->status]++;
	store_abort(use);
	if (use->flags & USE_WAITING)
		flight_leave(use);
	else if (f != NULL) {
		use->flight = NULL;
		flight_end(use->cache, f);
	}
	object_unref(use->object);
	free(use->key);
	memset(use, 0, sizeof(*use));
}
