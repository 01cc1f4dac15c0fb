/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include "http/response.h"
#include "session/cookie.h"
#include "session/inside.h"
#include "session/visit.h"

static struct session *
session_of_errand(const struct http_errand *e)
{
	return (struct session *)(void *)((char *)(uintptr_t)e -
	    offsetof(struct session, errand));
}

static int
is_stateless(const struct session *s)
{
	return (s->kind->store->flags & HOSTD_STORE_STATELESS) != 0;
}

/* -- who comes -- */

hostd_buf
session_key_of(const struct session_kind *k, const struct http_req *r)
{
	static char room[COOKIE_ROOM];
	hostd_buf key, sent = cookie_find(r->view.headers, r->view.nheaders,
	    k->conf->cookie);

	if (cookie_open(sent, k->secrets, k->store->max_key, room, &key) < 0)
		key = (hostd_buf){ NULL, 0 };
	return key;
}

static void
request_ended(struct http_errand *e)
{
	session_end(session_of_errand(e));
}

static uint32_t	answer_begins(struct http_errand *, struct http_req *, int,
	    hostd_hdr *);
static void	refuse_later(struct loop_task *);

static struct session *
visit_new(struct session_kind *k, struct http_req *r)
{
	struct session *s = session_new(k, request_is_secure(r));

	s->r = r;
	s->errand.ended = request_ended;
	s->errand.head = answer_begins;
	s->refuse.run = refuse_later;
	LIST_INSERT_HEAD(&r->errands, &s->errand, link);
	return s;
}

struct session *
session_of(const struct session_kind *k, const struct http_req *r)
{
	struct http_errand *e;
	struct session *s;

	LIST_FOREACH(e, &r->errands, link) {
		s = session_of_errand(e);
		if (e->head == answer_begins && s->kind == k)
			return s;
	}
	return NULL;
}

/* The one that there is, or one that is being loaded. */
static int32_t
find_or_load(struct session_kind *k, struct http_req *r, struct session **out)
{
	*out = session_of(k, r);
	if (*out == NULL) {
		if (r->phase != RESP_NONE)
			return HOSTD_E_STATE;
		if (!cookie_covers(k->conf, r->view.path))
			return HOSTD_E_NOTSUP;
		*out = visit_new(k, r);
		return session_load(*out, session_key_of(k, r));
	}
	return (*out)->phase == SESSION_LOADING ? HOSTD_DEFER :
	    (*out)->status;
}

int32_t
session_open(struct session_kind *k, struct http_req *r,
    struct session_wait *w, struct session **out)
{
	int32_t rc = find_or_load(k, r, out);

	if (rc == HOSTD_DEFER)
		LIST_INSERT_HEAD(&(*out)->loads, w, link);
	return rc;
}

int32_t
session_guard(struct session_kind *k, struct http_req *r,
    void (*ready)(struct session_wait *, struct session *, int32_t),
    struct session **out)
{
	int32_t rc = find_or_load(k, r, out);

	if (rc == HOSTD_DEFER) {
		(*out)->guard.ready = ready;
		LIST_INSERT_HEAD(&(*out)->loads, &(*out)->guard, link);
	}
	return rc;
}

struct http_req *
session_request(const struct session *s)
{
	return s->r;
}

/* -- the answer waits for the store -- */

/* What somebody has ended meanwhile needs no store. */
static void
stored(struct session_wait *w, struct session *s, int32_t status)
{
	(void)w;
	if (s == NULL || !s->held)
		return;
	s->held = 0;
	if (status == HOSTD_OK || status == HOSTD_E_STATE)
		response_let_go(s->r);
	else
		response_take_back(s->r, 503);
}

static void
refuse_later(struct loop_task *t)
{
	struct session *s = (struct session *)(void *)((char *)t -
	    offsetof(struct session, refuse));

	response_take_back(s->r, 503);
}

/* Give the client nothing before the store has it.  A stateless one makes the
 * cookie, which can't wait. */
static void
hold_for(struct session *s, int32_t rc)
{
	if (rc == HOSTD_DEFER && is_stateless(s)) {
		session_give_up(s);
		rc = HOSTD_E_TIMEOUT;
	}
	if (rc == HOSTD_OK || rc == HOSTD_E_STATE)
		return;
	response_hold(s->r);
	if (rc != HOSTD_DEFER) {
		loop_defer(s->kind->loop, &s->refuse);
		return;
	}
	s->held = 1;
	s->store.ready = stored;
	LIST_INSERT_HEAD(s->again ? &s->later : &s->saves, &s->store, link);
}

/* A run is on, or has to be. */
static void
store_and_hold(struct session *s, int changed)
{
	if (!s->saving)
		hold_for(s, session_store(s));
	else {
		s->again |= changed;
		hold_for(s, HOSTD_DEFER);
	}
}

/* -- the answer's head -- */

static uint32_t
set_cookie(const struct session *s, hostd_hdr *out)
{
	out->name = (hostd_buf){ "Set-Cookie", 10 };
	out->value = (hostd_buf){ s->set_cookie.p, s->set_cookie.len };
	return 1;
}

/* The store's key has to be known by then. */
static uint32_t
send_cookie(struct session *s, int64_t expires_ms, hostd_hdr *out)
{
	if (!cookie_may_go(s->kind->conf, s->secure) || s->id.len == 0)
		return 0;
	s->set_cookie.len = 0;
	cookie_write(&s->set_cookie, s->kind->conf, s->kind->secrets,
	    session_id(s), expires_ms, s->secure);
	return set_cookie(s, out);
}

/* What is not in a store but in the cookie ends when that is taken away. */
static uint32_t
clear_cookie(struct session *s, hostd_hdr *out)
{
	if (!is_stateless(s) || (s->id.len == 0 && s->old.len == 0))
		return 0;
	s->set_cookie.len = 0;
	cookie_clear(&s->set_cookie, s->kind->conf, s->secure);
	return set_cookie(s, out);
}

/* Node's rules, which are in its documentation under these names.  What is in
 * the cookie lives as long as that. */
static int
is_to_be_saved(const struct session *s, int changed)
{
	const struct conf_session *c = s->kind->conf;

	if (changed || s->id.len == 0)
		return changed || c->save_uninitialized;
	return c->resave || (c->rolling && is_stateless(s));
}

static int
is_to_be_sent(const struct session *s, int changed, int64_t expires_ms)
{
	const struct conf_session *c = s->kind->conf;

	if (!s->came)
		return changed || c->save_uninitialized;
	if (is_stateless(s))
		return is_to_be_saved(s, changed);
	return c->rolling || (changed && expires_ms >= 0);
}

/* Most are, and then it does not matter when the cookie ends. */
static int
is_only_touched(const struct session *s, int changed)
{
	return s->came && !s->stored && !s->saving &&
	    !s->kind->conf->rolling && !is_to_be_saved(s, changed);
}

static uint32_t
store_and_send(struct session *s, hostd_hdr *out)
{
	int changed = session_is_changed(s), sends;
	int64_t expires;

	if (is_only_touched(s, changed)) {
		(void)session_touch(s);
		return 0;
	}
	expires = content_extend(&s->content, s->kind->now_ms());
	sends = is_to_be_sent(s, changed || s->stored, expires);
	if (s->saving || is_to_be_saved(s, changed))
		store_and_hold(s, changed);
	else if (s->id.len > 0 && !s->stored)
		(void)session_touch(s);
	return sends ? send_cookie(s, expires, out) : 0;
}

static uint32_t
answer_begins(struct http_errand *e, struct http_req *r, int status,
    hostd_hdr *out)
{
	struct session *s = session_of_errand(e);
	enum session_phase was = s->phase;
	uint32_t n;

	(void)r;
	(void)status;
	s->phase = SESSION_CLOSED;
	if (was == SESSION_LOADING)
		store_cancel(&s->call);
	if (was != SESSION_READY || s->lost)
		return 0;
	if (!s->destroyed)
		return store_and_send(s, out);
	n = clear_cookie(s, out);
	store_and_hold(s, 1);
	return n;
}
