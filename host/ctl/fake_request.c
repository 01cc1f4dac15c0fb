/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of one request, step by step, as http.h tells it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/fake_memory.h"
#include "ctl/fake_sock.h"

#define DEFER_TIMEOUT 30000u /* virtual milliseconds */
#define REAL_WAITS 10	     /* then nobody will answer any more */
#define SLOTS 64

static LIST_HEAD(, fake_req) reqs = LIST_HEAD_INITIALIZER(reqs);
static uint32_t last_gen;

/* The lowest free slot, so that slots are used again soon. */
static uint64_t
new_id(void)
{
	struct fake_req *r;
	uint64_t slot, gen = ++last_gen;

	for (slot = 1; slot < SLOTS; slot++) {
		LIST_FOREACH(r, &reqs, entry)
		if (!r->ended && !r->passed && (r->id & 0xffffffffu) == slot)
			break;
		if (r == NULL)
			break;
	}
	return gen << 32 | slot;
}

struct fake_req *
fake_req_find(struct fake *f, hostd_req id, const char *function)
{
	struct fake_req *r;

	LIST_FOREACH(r, &reqs, entry)
	{
		if (r->id != id.id)
			continue;
		if (r->fake != f)
			check_fail("instance %u called %s with a request of "
				   "instance %u",
			    f->number, function, r->fake->number);
		return r->ended || r->passed ? NULL : r;
	}
	return NULL;
}

/* Writable again: what was pending has left. */
static void
flush(struct fake_req *r)
{
	struct fake_release *e;

	r->pending = 0;
	while ((e = r->releases) != NULL) {
		r->releases = e->next;
		if (e->fd != -1 && fcntl(e->fd, F_GETFD) == -1)
			check_fail("closed descriptor %d before the release "
				   "function of write_file was called",
			    e->fd);
		fake_queue(r->fake, TASK_RELEASE, e->fn, e->arg);
		free(e);
	}
}

void
fake_req_end(struct fake_req *r, int why)
{
	hostd_req id = {r->id};

	if (r->ended || r->passed)
		return;
	if (!r->spec.late_release && r->sock == NULL) {
		flush(r);
		(void)fake_turn();
		if (r->ended)
			return;
	}
	r->why = why;
	r->ending = 1;
	if (r->sock != NULL) {
		fake_sock_refuse(r->sock, why);
	} else if (r->ops->on_end != NULL) {
		fake_enter(r->fake, "on_end", r);
		r->ops->on_end(r->fake->inst, id, r->d, why);
		fake_leave(r->fake);
	}
	r->ended = 1;
	guard_retire(r->d);
	r->d = NULL;
	flush(r);
}

/* The plugin failed it: the host answers 500, or cuts what has begun. */
static void
fail_request(struct fake_req *r, int32_t rc, const char *callback)
{
	check_note("%s of %s %.100s returned %d", callback, r->spec.method,
	    r->path, rc);
	r->code = rc;
	fake_req_end(r, HOSTD_END_ERROR);
}

static void
judge_pass(struct fake_req *r)
{
	if (r->begun)
		check_fail("returned HOSTD_PASS for %s %s after it had begun "
			   "an answer",
		    r->spec.method, r->path);
	r->passed = 1;
	if (r->sock != NULL)
		fake_sock_pass(r->sock);
	guard_retire(r->d);
	r->d = NULL;
}

static void
judge_return(struct fake_req *r, int32_t rc, const char *callback)
{
	static const hostd_buf no_protocol = {NULL, 0};

	if (rc == HOSTD_PASS && strcmp(callback, "on_body") != 0) {
		judge_pass(r);
		return;
	}
	if (rc > HOSTD_DEFER ||
	    (rc == HOSTD_AGAIN && r->sock != NULL && !r->begun))
		check_fail("%s returned %d", callback, rc);
	if (rc < 0) {
		fail_request(r, rc, callback);
		return;
	}
	if (r->given) {
		fake_req_end(r, HOSTD_END_MOVED);
		return;
	}
	if (rc == HOSTD_DEFER)
		r->deferred = 1;
	if (!r->fin || r->deferred || r->begun)
		return;
	if (r->sock == NULL)
		check_fail("%s returned HOSTD_OK for %s %s, but there was no "
			   "answer",
		    callback, r->spec.method, r->path);
	fake_sock_accept(r->sock, no_protocol);
}

/* Has the moment come at which this client leaves? */
static int
client_leaves(const struct fake_req *r)
{
	switch (r->spec.gone) {
	case GONE_HEAD:
		return 1;
	case GONE_BODY:
		return r->fed > 0;
	case GONE_BEGUN:
		return r->begun;
	default:
		return 0;
	}
}

static void
after_callback(struct fake_req *r, int32_t rc, const char *callback)
{
	judge_return(r, rc, callback);
	if (!r->ended && !r->passed && client_leaves(r))
		fake_req_end(r, HOSTD_END_GONE);
}

/* on_headers or on_upgrade, and what it returned. */
static void
ask(struct fake_req *r)
{
	hostd_req id = {r->id};
	int32_t rc;

	r->asking = 1;
	if (r->spec.upgrade) {
		r->sock = fake_sock_new(r);
		r->fin = 1;
		rc = fake_sock_ask(r->sock);
		r->asking = 0;
		after_callback(r, rc, "on_upgrade");
		return;
	}
	r->ops = fake_provide(r->fake->m, 0)->http;
	r->d = guard_alloc(r->ops->data_size, "the request's data block");
	r->fin = r->ops->on_body == NULL;
	fake_enter(r->fake, "on_headers", r);
	rc = r->ops->on_headers(r->fake->inst, id, r->d);
	fake_leave(r->fake);
	r->asking = 0;
	after_callback(r, rc, "on_headers");
}

/* Could a plugin take names and texts from this request as they are? */
static int
is_plain(const struct fake_req *r, const char *pattern)
{
	hostd_buf path = {r->path, strlen(r->path)};

	return r->spec.upgrade && fake_channel_is_name(path) &&
	    (r->rest[0] != '\0' || pattern[strlen(pattern) - 1] != '/') &&
	    r->spec.query == NULL && r->spec.headers == NULL;
}

/* The path that somebody has chosen may have one. */
static void
take_query(struct fake_req *r)
{
	char *query = strchr(r->path, '?');

	if (query == NULL)
		return;
	*query++ = '\0';
	if (r->spec.query == NULL)
		r->spec.query = query;
}

struct fake_req *
fake_req_start(struct fake *f, const struct fake_spec *spec)
{
	struct fake_req *r = xcalloc(1, sizeof(*r));
	const char *pattern = fake_pattern(f->m, spec->upgrade);
	size_t n;

	r->fake = f;
	r->spec = *spec;
	r->path = xstrdup(spec->path == NULL ? fake_route(f->m, spec->upgrade)
					     : spec->path);
	take_query(r);
	n = strlen(pattern);
	r->rest = xstrdup(
	    pattern[n - 1] == '/' && strlen(r->path) > n ? r->path + n : "");
	if (!is_plain(r, pattern))
		fake_channel_odd();
	r->length = -1;
	r->id = new_id();
	LIST_INSERT_HEAD(&reqs, r, entry);
	ask(r);
	return r;
}

/* The next part of the body. */
static void
feed(struct fake_req *r)
{
	size_t left = r->spec.nbody - r->fed, n = left;
	hostd_req id = {r->id};
	hostd_buf b;
	int32_t rc;

	if ((r->ops->flags & HOSTD_HTTP_BUFFER_BODY) == 0 && r->spec.part > 0 &&
	    n > r->spec.part)
		n = r->spec.part;
	fake_enter(r->fake, "on_body", r);
	b = fake_lend_copy(r->spec.body + r->fed, n);
	r->fed += n;
	/* The end of a chunked body comes as an empty part of its own. */
	r->fin = n == left &&
	    (!r->spec.chunked || n == 0 ||
		(r->ops->flags & HOSTD_HTTP_BUFFER_BODY) != 0);
	rc = r->ops->on_body(r->fake->inst, id, r->d, b, r->fin);
	fake_leave(r->fake);
	after_callback(r, rc, "on_body");
}

static void
writable(struct fake_req *r)
{
	hostd_req id = {r->id};
	int stuck = r->spec.room != ROOM_ENOUGH;

	r->want_writable = 0;
	flush(r);
	if (!stuck || r->finished || r->ops == NULL ||
	    r->ops->on_writable == NULL)
		return;
	fake_enter(r->fake, "on_writable", r);
	r->ops->on_writable(r->fake->inst, id, r->d);
	fake_leave(r->fake);
	if (client_leaves(r))
		fake_req_end(r, HOSTD_END_GONE);
}

int
fake_req_step(struct fake_req *r)
{
	if (r->ended || r->passed)
		return 0;
	if (r->aborted)
		fake_req_end(r, HOSTD_END_ERROR);
	else if (client_leaves(r))
		fake_req_end(r, HOSTD_END_GONE);
	else if (r->sock != NULL && r->sock->state == SOCK_ACCEPTED)
		fake_sock_go(r->sock);
	else if (r->want_writable)
		writable(r);
	else if (r->finished)
		fake_req_end(r, HOSTD_END_DONE);
	else if (!r->fin && !r->paused)
		feed(r);
	else
		return 0;
	return 1;
}

void
fake_req_run(struct fake_req *r)
{
	uint64_t limit = fake_now() + DEFER_TIMEOUT;
	int waits = 0;

	while (!r->ended && !r->passed) {
		if (fake_req_step(r) != 0 || fake_turn() > 0)
			continue;
		if (r->spec.gone == GONE_WAIT) {
			fake_req_end(r, HOSTD_END_GONE);
			break;
		}
		if (fake_tick(limit))
			continue;
		if (waits++ < (r->begun ? 1 : REAL_WAITS)) {
			(void)fake_wait();
			continue;
		}
		fake_advance(limit);
		/* Of a stream without an end the client has enough. */
		fake_req_end(r, r->begun ? HOSTD_END_GONE : HOSTD_END_TIMEOUT);
	}
	(void)fake_turn();
}

void
fake_req_free(struct fake_req *r)
{
	LIST_REMOVE(r, entry);
	free(r->path);
	free(r->rest);
	free(r);
}

void
fake_request(struct fake *f, const struct fake_spec *spec, struct fake_req *out)
{
	struct fake_req *r = fake_req_start(f, spec);

	fake_req_run(r);
	if (out != NULL)
		*out = *r;
	fake_req_free(r);
}

void
fake_req_end_all(struct fake *f, int why)
{
	struct fake_req *r;

	LIST_FOREACH(r, &reqs, entry)
	if (r->fake == f)
		fake_req_end(r, why);
}
