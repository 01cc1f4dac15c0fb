/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.fetch/1 with servers that answer, refuse, cut their answers short, say
 * something before they were asked, or nothing at all; which it is depends on
 * the target alone, so that equal requests have equal answers.  What is asked
 * for first is answered properly.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "ctl/fake_request.h"

#define MAX_FETCHES 1024u
#define HIGH_WATER 65536u
#define FULL (4 * HIGH_WATER)
#define TIMEOUT_MS 60000u

enum fate { ANSWER, REFUSED, CUT, EARLY, SILENT, NOBODY, FATES };

struct fetch {
	TAILQ_ENTRY(fetch) entry;
	struct fake *fake;
	struct hostd_fetch_ops ops;
	void *arg;
	uint64_t id, deadline;
	hostd_req on_behalf;
	uint32_t flags;
	enum fate fate;
	int step;		/* what is next */
	int is_head;
	int complete;		/* the request's body */
	int answered, paused, cancelled;
	int in_fin;
	int64_t length;
	uint64_t given;
	size_t pending;
};

TAILQ_HEAD(fetch_list, fetch);
static struct fetch_list fetches = TAILQ_HEAD_INITIALIZER(fetches);
static uint64_t last_fetch, first_hash;
static unsigned nfetches;

static void
fetch_end(struct fetch *x, int32_t status, const char *text)
{
	hostd_fetch id = {x->id};

	fake_enter(x->fake, "on_end of an exchange", NULL);
	x->ops.on_end(x->fake->inst, id, x->arg, status,
	    fake_lend_text(text));
	fake_leave(x->fake);
	TAILQ_REMOVE(&fetches, x, entry);
	nfetches--;
	free(x);
}

static void
fetch_head(struct fetch *x, int32_t status)
{
	void (*fn)(struct hostd_inst *, hostd_fetch, void *,
	    const struct hostd_fetch_response *) = status < 200
	    ? x->ops.on_info
	    : x->ops.on_response;
	struct hostd_fetch_response *r;
	hostd_fetch id = {x->id};
	hostd_hdr *h;

	x->answered |= status >= 200;
	if (fn == NULL)
		return;
	fake_enter(x->fake, "on_response of an exchange", NULL);
	r = fake_lend(sizeof(*r));
	memset(r, 0, sizeof(*r));
	h = fake_lend(3 * sizeof(*h));
	h[0].name = fake_lend_text("Content-Type");
	h[0].value = fake_lend_text("text/plain");
	h[1].name = fake_lend_text("Connection");
	h[1].value = fake_lend_text("X-Hop");
	h[2].name = fake_lend_text("X-Hop");
	h[2].value = fake_lend_text("");
	r->struct_size = sizeof(*r);
	r->status = status;
	r->headers = h;
	r->nheaders = 3;
	r->tries = 1;
	r->content_length = x->is_head ? 0 : -1;
	r->server = fake_lend_text("192.0.2.1:80");
	r->upstream = fake_lend_text("check");
	fn(x->fake->inst, id, x->arg, r);
	fake_leave(x->fake);
}

static void
fetch_body(struct fetch *x, const char *text, int fin)
{
	hostd_fetch id = {x->id};

	if (x->ops.on_body == NULL || (x->is_head && !fin))
		return;
	x->in_fin = fin;
	fake_enter(x->fake, "on_body of an exchange", NULL);
	x->ops.on_body(x->fake->inst, id, x->arg,
	    fake_lend_copy(text, x->is_head ? 0 : strlen(text)), fin);
	fake_leave(x->fake);
	x->in_fin = 0;
}

static void
fetch_room(struct fetch *x)
{
	hostd_fetch id = {x->id};

	x->pending = 0;
	if (x->ops.on_writable == NULL)
		return;
	fake_enter(x->fake, "on_writable of an exchange", NULL);
	x->ops.on_writable(x->fake->inst, id, x->arg);
	fake_leave(x->fake);
}

/* An answer, piece by piece. */
static void
fetch_talk(struct fetch *x)
{
	switch (x->step++) {
	case 0:
		fetch_head(x, 103);
		break;
	case 1:
		fetch_head(x, 200);
		break;
	case 2:
		fetch_body(x, "what the server ", 0);
		break;
	case 3:
		if (x->fate == CUT)
			fetch_end(x, HOSTD_E_IO, "closed in its answer");
		else
			fetch_body(x, "says", 1);
		break;
	default:
		fetch_end(x, HOSTD_OK, "");
	}
}

/* The next thing that happens to it: 0 when it only waits. */
static int
fetch_step(struct fetch *x)
{
	if (x->cancelled)
		fetch_end(x, HOSTD_E_GONE, "cancelled");
	else if (x->on_behalf.id != 0 &&
	    (x->flags & HOSTD_FETCH_DETACHED) == 0 &&
	    fake_req_find(x->fake, x->on_behalf, "an exchange") == NULL)
		fetch_end(x, HOSTD_E_GONE, "the request has ended");
	else if (x->pending > HIGH_WATER)
		fetch_room(x);
	else if (x->fate == REFUSED)
		fetch_end(x, HOSTD_E_IO, "connecting: Connection refused");
	else if (x->fate == NOBODY)
		fetch_end(x, HOSTD_E_FULL, "no server can be had");
	else if (x->fate == SILENT && fake_now() >= x->deadline)
		fetch_end(x, HOSTD_E_TIMEOUT, "no answer");
	else if (x->fate == SILENT || x->paused ||
	    (!x->complete && x->fate != EARLY))
		return 0;
	else
		fetch_talk(x);
	return 1;
}

unsigned
fake_fetch_turn(void)
{
	struct fetch *x, *next;
	uint64_t last = last_fetch;
	unsigned n = 0;

	/* Those that are started meanwhile wait for the next turn. */
	for (x = TAILQ_FIRST(&fetches); x != NULL && x->id <= last; x = next) {
		next = TAILQ_NEXT(x, entry);
		n += (unsigned)fetch_step(x);
	}
	return n;
}

void
fake_fetch_end(struct fake *f)
{
	struct fetch *x, *next;

	for (x = TAILQ_FIRST(&fetches); x != NULL; x = next) {
		next = TAILQ_NEXT(x, entry);
		if (x->fake != f)
			continue;
		if (f->inst != NULL) {
			fetch_end(x, HOSTD_E_GONE, "the instance ends");
		} else {
			/* Nobody is there to be told. */
			TAILQ_REMOVE(&fetches, x, entry);
			nfetches--;
			free(x);
		}
	}
}

unsigned
fake_fetch_open(void)
{
	return nfetches;
}

/* -- the table -- */

static int32_t
fetch_check(const struct hostd_host *host, const char *upstream,
    struct hostd_err *err)
{
	(void)fake_called(host, "check of hostd.fetch/1");
	(void)upstream;
	if (err == NULL)
		check_fail("called check of hostd.fetch/1 with NULL");
	return HOSTD_OK;
}

static void
judge_request(const struct hostd_fetch_request *r)
{
	const char *target = r->target.p;
	uint32_t i;

	if (r->target.n == 0 || (target[0] != '/' && target[0] != '*'))
		check_fail("asked a server for a target that does not begin "
			   "with \"/\"");
	if (r->headers == NULL && r->nheaders > 0)
		check_fail("asked a server with %u headers at NULL",
		    r->nheaders);
	for (i = 0; i < r->nheaders; i++)
		if ((r->flags & HOSTD_FETCH_UPGRADE) == 0 ||
		    r->headers[i].name.n != 7 ||
		    strncasecmp(r->headers[i].name.p, "Upgrade", 7) != 0)
			fake_judge_header(&r->headers[i]);
	if (r->length >= 0 && r->body.n > (uint64_t)r->length)
		check_fail("asked a server with a longer body than promised");
}

/* Plugins of before do not have it. */
static int
names_server(const struct hostd_fetch_request *r)
{
	return r->struct_size >= sizeof(*r) && r->server.n > 0;
}

/* An address with a port; the host has the last word. */
static void
judge_server(hostd_buf server)
{
	const char *p = server.p;

	if (p == NULL || memchr(p, ':', server.n) == NULL ||
	    strspn(p, "[]:.0123456789abcdefABCDEF") < server.n)
		check_fail("asked for a server that is no address with a port");
}

static enum fate
choose_fate(hostd_buf target)
{
	const unsigned char *p = target.p;
	uint64_t hash = 14695981039346656037u;
	size_t i;

	for (i = 0; i < target.n; i++)
		hash = (hash ^ p[i]) * 1099511628211u;
	if (first_hash == 0)
		first_hash = hash;
	return hash == first_hash ? ANSWER : (enum fate)(hash >> 32) % FATES;
}

static int32_t
fetch_start(const struct hostd_host *host, const struct hostd_fetch_request *r,
    const struct hostd_fetch_ops *ops, void *arg, hostd_fetch *out)
{
	struct fake *f = fake_called(host, "start of hostd.fetch/1");
	struct fetch *x;

	if (r == NULL || ops == NULL || out == NULL)
		check_fail("called start of hostd.fetch/1 with a NULL");
	if (r->struct_size < offsetof(struct hostd_fetch_request, server) ||
	    ops->struct_size < sizeof(*ops))
		check_fail("called start of hostd.fetch/1 without struct_size");
	if (ops->on_end == NULL)
		check_fail("called start of hostd.fetch/1 without on_end");
	judge_request(r);
	if (names_server(r))
		judge_server(r->server);
	if (f->destroying)
		return HOSTD_E_STATE;
	if (r->on_behalf.id != 0 &&
	    fake_req_find(f, r->on_behalf, "start of hostd.fetch/1") == NULL)
		return HOSTD_E_GONE;
	if (nfetches >= MAX_FETCHES)
		return HOSTD_E_FULL;
	x = xcalloc(1, sizeof(*x));
	x->fake = f;
	x->ops = *ops;
	x->arg = arg;
	x->id = ++last_fetch;
	x->on_behalf = r->on_behalf;
	x->flags = r->flags;
	x->fate = choose_fate(r->target);
	x->is_head = r->method.n == 4 && memcmp(r->method.p, "HEAD", 4) == 0;
	x->length = r->length;
	x->given = r->body.n;
	x->complete = r->length >= 0 && x->given == (uint64_t)r->length;
	x->deadline = fake_now() +
	    (r->read_timeout_ms == 0 ? TIMEOUT_MS : r->read_timeout_ms);
	TAILQ_INSERT_TAIL(&fetches, x, entry);
	nfetches++;
	out->id = x->id;
	return HOSTD_OK;
}

static int32_t
fetch_find(const struct hostd_host *host, hostd_fetch id, const char *function,
    struct fetch **out)
{
	struct fake *f = fake_called(host, function);
	struct fetch *x;

	TAILQ_FOREACH(x, &fetches, entry)
		if (x->id == id.id && x->fake == f)
			break;
	*out = x;
	return x == NULL ? HOSTD_E_GONE : HOSTD_OK;
}

static int32_t
fetch_write(const struct hostd_host *host, hostd_fetch id, hostd_buf b)
{
	struct fetch *x;
	int32_t rc = fetch_find(host, id, "write of hostd.fetch/1", &x);

	if (rc != HOSTD_OK)
		return rc;
	if (b.p == NULL && b.n > 0)
		check_fail("called write of hostd.fetch/1 with NULL bytes");
	if (x->complete || x->cancelled)
		return HOSTD_E_STATE;
	if (x->length >= 0 && b.n > (uint64_t)x->length - x->given)
		check_fail("sent a server more than the %lld bytes promised",
		    (long long)x->length);
	if (x->answered)
		return HOSTD_OK;
	if (x->pending > FULL)
		return HOSTD_E_FULL;
	x->given += b.n;
	/* So that little is much. */
	x->pending += b.n * 4096;
	return x->pending > HIGH_WATER ? HOSTD_AGAIN : HOSTD_OK;
}

static int32_t
fetch_finish(const struct hostd_host *host, hostd_fetch id,
    const hostd_hdr *trailers, uint32_t n)
{
	struct fetch *x;
	uint32_t i;
	int32_t rc = fetch_find(host, id, "finish of hostd.fetch/1", &x);

	if (rc != HOSTD_OK)
		return rc;
	for (i = 0; i < n; i++)
		fake_judge_header(&trailers[i]);
	if (x->complete || x->cancelled)
		return HOSTD_E_STATE;
	if (x->length >= 0 && x->given < (uint64_t)x->length && !x->answered)
		check_fail("finished a request to a server after %llu of the "
			   "%lld bytes promised",
		    (unsigned long long)x->given, (long long)x->length);
	x->complete = 1;
	return HOSTD_OK;
}

static int32_t
fetch_pause(const struct hostd_host *host, hostd_fetch id, int32_t on)
{
	struct fetch *x;
	int32_t rc = fetch_find(host, id, "body_pause of hostd.fetch/1", &x);

	if (rc == HOSTD_OK)
		x->paused = on != 0;
	return rc;
}

static int32_t
fetch_trailers(const struct hostd_host *host, hostd_fetch id,
    const hostd_hdr **out, uint32_t *n)
{
	struct fetch *x;
	hostd_hdr *h;
	int32_t rc = fetch_find(host, id, "trailers of hostd.fetch/1", &x);

	if (out == NULL || n == NULL)
		check_fail("called trailers of hostd.fetch/1 with NULL");
	if (rc != HOSTD_OK)
		return rc;
	if (!x->in_fin)
		return HOSTD_E_STATE;
	*out = h = fake_lend(sizeof(*h));
	h->name = fake_lend_text("X-Check");
	h->value = fake_lend_text("behind the body");
	*n = 1;
	return HOSTD_OK;
}

/* Nobody here answers 101. */
static int32_t
fetch_tunnel(const struct hostd_host *host, hostd_fetch id,
    const hostd_hdr *headers, uint32_t n, uint32_t idle_ms)
{
	struct fetch *x;
	int32_t rc = fetch_find(host, id, "tunnel of hostd.fetch/1", &x);

	(void)headers;
	(void)n;
	(void)idle_ms;
	return rc == HOSTD_OK ? HOSTD_E_STATE : rc;
}

static int32_t
fetch_cancel(const struct hostd_host *host, hostd_fetch id)
{
	struct fetch *x;
	int32_t rc = fetch_find(host, id, "cancel of hostd.fetch/1", &x);

	if (rc == HOSTD_OK)
		x->cancelled = 1;
	return rc;
}

const struct hostd_fetch_api fake_fetch_api = {
    .struct_size = sizeof(struct hostd_fetch_api),
    .check = fetch_check,
    .start = fetch_start,
    .write = fetch_write,
    .finish = fetch_finish,
    .body_pause = fetch_pause,
    .trailers = fetch_trailers,
    .tunnel = fetch_tunnel,
    .cancel = fetch_cancel,
};
