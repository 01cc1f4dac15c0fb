/* SPDX-License-Identifier: BSD-2-Clause */
/* Answering with what is kept. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>
#include <web/conditional.h>
#include <web/date.h>
#include <web/range.h>
#include "cache_inside.h"

const char *
cache_status_text(enum cache_status s)
{
	static const char *const names[] = { "", "MISS", "BYPASS", "EXPIRED",
	    "STALE", "UPDATING", "REVALIDATED", "HIT" };

	return names[s];
}

/* The tag as conditions want it: without its W/; "" for none. */
static void
copy_tag(const struct cache_object *o, int weak, char *out, size_t size)
{
	const char *p = o->etag.p;
	size_t n = o->etag.n;

	out[0] = '\0';
	if (p == NULL)
		return;
	if (n > 2 && p[0] == 'W' && p[1] == '/') {
		if (!weak)
			return;
		p += 2;
		n -= 2;
	}
	if (n >= size)
		return;
	memcpy(out, p, n);
	out[n] = '\0';
}

static time_t
modified_at(const struct cache_object *o)
{
	time_t t;

	if (o->modified.p != NULL &&
	    date_parse(o->modified.p, o->modified.n, &t) == 0)
		return t;
	return (time_t)(INT64_C(1) << 40);
}

/* If-Match and If-Unmodified-Since are not for caches (RFC 9111 4.3.2). */
static int
is_known(const struct cache_object *o, const struct hostd_request *r)
{
	struct conditions cond;
	char tag[512];

	memset(&cond, 0, sizeof(cond));
	cond.if_none_match = fresh_header(r->headers, r->nheaders,
	    "If-None-Match");
	cond.if_modified_since = fresh_header(r->headers, r->nheaders,
	    "If-Modified-Since");
	copy_tag(o, 1, tag, sizeof(tag));
	return conditional_check(&cond, tag, modified_at(o)) == 304;
}

/* What a 304 has of an answer's headers (RFC 9110 section 15.4.5). */
static int
is_for_304(hostd_buf name)
{
	static const char *const names[] = { "Content-Type",
	    "Content-Encoding", "Content-Language", "Last-Modified" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (name.n == strlen(names[i]) &&
		    strncasecmp(name.p, names[i], name.n) == 0)
			return 0;
	return 1;
}

static void
make_304(struct cache_use *use, const struct cache_object *o)
{
	hostd_hdr *to = use->cache->fewer;
	uint32_t i, n = 0;

	for (i = 0; i < o->nheaders; i++)
		if (o->etag.p == NULL || is_for_304(o->headers[i].name))
			to[n++] = o->headers[i];
	use->answer.status = 304;
	use->answer.headers = to;
	use->answer.nheaders = n;
	use->len = 0;
}

static void
add_content_range(struct cache_use *use)
{
	use->add[use->nadd].name = hostd_str("Content-Range");
	use->add[use->nadd++].value = hostd_str(use->range);
}

/* One range is served, of several the whole. */
static void
make_range(struct cache_use *use, const struct cache_object *o,
    const struct hostd_request *r)
{
	hostd_buf value = fresh_header(r->headers, r->nheaders, "Range");
	struct range ranges[RANGES_MAX];
	struct conditions cond;
	char tag[512];
	int n;

	memset(&cond, 0, sizeof(cond));
	cond.if_range = fresh_header(r->headers, r->nheaders, "If-Range");
	copy_tag(o, 0, tag, sizeof(tag));
	if (value.p == NULL || r->method != HOSTD_METHOD_GET ||
	    !conditional_range(&cond, tag, modified_at(o)))
		return;
	n = range_parse(value.p, value.n, o->body_len, ranges);
	if (n == RANGE_UNSATISFIABLE) {
		use->answer.status = 416;
		use->answer.nheaders = 0;
		use->len = 0;
		(void)snprintf(use->range, sizeof(use->range),
		    "bytes */%" PRIu64, o->body_len);
		add_content_range(use);
	} else if (n == 1) {
		use->answer.status = 206;
		use->from = ranges[0].from;
		use->len = ranges[0].len;
		(void)snprintf(use->range, sizeof(use->range),
		    "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, use->from,
		    use->from + use->len - 1, o->body_len);
		add_content_range(use);
	}
}

enum cache_verdict
cache_answer(struct cache_use *use, struct cache_object *o,
    const struct hostd_request *r, enum cache_status status)
{
	if (use->object != o)
		object_unref(use->object);
	use->object = o;
	use->status = status;
	memset(&use->answer, 0, sizeof(use->answer));
	use->answer.struct_size = sizeof(use->answer);
	use->answer.status = (int32_t)o->status;
	use->answer.headers = o->headers;
	use->answer.nheaders = o->nheaders;
	use->from = 0;
	use->len = o->body_len;
	(void)snprintf(use->age, sizeof(use->age), "%" PRId64,
	    fresh_age(&o->fresh, time(NULL)));
	use->add[0].name = hostd_str("Age");
	use->add[0].value = hostd_str(use->age);
	use->nadd = 1;
	if (r != NULL && o->status == 200) {
		if (is_known(o, r))
			make_304(use, o);
		else
			make_range(use, o, r);
	}
	use->answer.content_length = (int64_t)use->len;
	return CACHE_HIT;
}

/* -- sending -- */

static void
release_body(struct hostd_inst *in, void *arg)
{
	(void)in;
	body_unref(arg);
}

static void
release_object(struct hostd_inst *in, void *arg)
{
	(void)in;
	object_unref(arg);
}

static int32_t
send_from_memory(struct cache_use *use)
{
	const struct hostd_easy *e = use->cache->easy;
	struct cache_body *b = use->object->body;
	hostd_buf part = { b->bytes + use->from, (size_t)use->len };
	int32_t rc;

	b->refs++;
	rc = e->http->write_ref(e->host, use->req, part, release_body, b);
	if (rc < 0)
		body_unref(b);
	return rc;
}

static int32_t
send_from_file(struct cache_use *use)
{
	const struct hostd_easy *e = use->cache->easy;
	struct cache_object *o = object_ref(use->object);
	int32_t rc;

	rc = e->http->write_file(e->host, use->req, o->fd,
	    o->body_at + use->from, use->len, release_object, o);
	if (rc < 0)
		object_unref(o);
	return rc;
}

hostd_buf
cache_read(const struct cache_use *use, uint64_t at, char *buf, size_t n)
{
	const struct cache_object *o = use->object;
	ssize_t got;

	if (n > use->len - at)
		n = (size_t)(use->len - at);
	if (o->body != NULL)
		return (hostd_buf){ o->body->bytes + use->from + at, n };
	do
		got = pread(o->fd, buf, n,
		    (off_t)(o->body_at + use->from + at));
	while (got == -1 && errno == EINTR);
	return (hostd_buf){ got > 0 ? buf : NULL, got > 0 ? (size_t)got : 0 };
}

int32_t
cache_send(struct cache_use *use)
{
	const struct hostd_easy *e = use->cache->easy;
	int32_t rc = HOSTD_OK;

	use->flags &= ~USE_SENDING;
	if (use->len > 0)
		rc = use->object->body != NULL ? send_from_memory(use) :
		    send_from_file(use);
	if (rc == HOSTD_E_FULL) {
		use->flags |= USE_SENDING;
		return HOSTD_AGAIN;
	}
	return rc < 0 ? rc : e->http->finish(e->host, use->req);
}

void
cache_writable(struct cache_use *use)
{
	const struct hostd_easy *e;

	if (use->cache == NULL || !(use->flags & USE_SENDING))
		return;
	e = use->cache->easy;
	if (cache_send(use) < 0)
		(void)e->http->abort(e->host, use->req);
}
