/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include "base/log.h"
#include "base/mem.h"
#include "http/response.h"
#include "session/cookie.h"
#include "session/session.h"

#define SPARE_MAX	64	/* whose memory is kept */
#define TRIES_MAX	8	/* of comparing and setting */

enum session_phase {
	SESSION_LOADING,
	SESSION_READY,
	SESSION_CLOSED		/* the answer has begun, or loading failed */
};

struct session {
	LIST_ENTRY(session) link;
	struct session_kind *kind;
	struct http_req *r;	/* NULL: it has ended */
	struct http_errand errand;
	struct store_call call;
	struct loop_task refuse;	/* a store that has failed at once */
	LIST_HEAD(, session_wait) waits;
	struct session_wait own;	/* whoever guards the route */
	struct content content;
	struct buf id;		/* empty: it has none yet */
	struct buf old;		/* one that is to be deleted */
	struct buf set_cookie;
	enum session_phase phase;
	int32_t status;		/* of loading; then of storing */
	int lost;		/* nothing of it is stored */
	int destroyed, regenerated;
	int holds;		/* the answer waits for the store */
	int telling;		/* those who wait; they may end the request */
	unsigned tries;
};

static void	save(struct session *);
static void	finish(struct session *);

static int64_t
clock_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static hostd_buf
view_of(const struct buf *b)
{
	return (hostd_buf){ b->p, b->len };
}

/* -- from and to the spare ones -- */

static void
session_free(struct session *s)
{
	struct session_kind *k = s->kind;

	store_cancel(&s->call);
	loop_undefer(k->loop, &s->refuse);
	LIST_REMOVE(s, link);
	if (k->nspare < SPARE_MAX) {
		k->nspare++;
		LIST_INSERT_HEAD(&k->spare, s, link);
		return;
	}
	content_free(&s->content);
	buf_free(&s->id);
	buf_free(&s->old);
	buf_free(&s->set_cookie);
	free(s);
}

/* The request ends; what the store is at goes on. */
static void
request_ended(struct http_errand *e)
{
	struct session *s = (struct session *)(void *)((char *)e -
	    offsetof(struct session, errand));

	s->r = NULL;
	if (s->telling)
		return;
	if (s->phase != SESSION_CLOSED || !store_is_busy(&s->call))
		session_free(s);
}

static uint32_t	answer_begins(struct http_errand *, struct http_req *, int,
	    hostd_hdr *);
static void	refuse_later(struct loop_task *);

static struct session *
session_new(struct session_kind *k, struct http_req *r)
{
	struct session *s = LIST_FIRST(&k->spare);

	if (s != NULL) {
		LIST_REMOVE(s, link);
		k->nspare--;
	} else
		s = xcalloc(1, sizeof(*s));
	LIST_INSERT_HEAD(&k->used, s, link);
	LIST_INIT(&s->waits);
	s->kind = k;
	s->r = r;
	s->errand.ended = request_ended;
	s->errand.head = answer_begins;
	s->refuse.run = refuse_later;
	s->call.timeout_ms = k->conf->timeout;
	s->id.len = s->old.len = 0;
	s->status = HOSTD_OK;
	s->lost = s->destroyed = s->regenerated = 0;
	s->holds = s->telling = 0;
	s->tries = 0;
	LIST_INSERT_HEAD(&r->errands, &s->errand, link);
	return s;
}

void
session_kind_init(struct session_kind *k, const struct conf_session *conf,
    struct session_store *store, struct secrets *secrets, struct loop *loop,
    int64_t (*now_ms)(void))
{
	*k = (struct session_kind){ .conf = conf, .store = store,
		.secrets = secrets, .loop = loop,
		.now_ms = now_ms != NULL ? now_ms : clock_ms };
	LIST_INIT(&k->used);
	LIST_INIT(&k->spare);
}

void
session_kind_close(struct session_kind *k)
{
	struct session *s;

	while ((s = LIST_FIRST(&k->used)) != NULL)
		session_free(s);
	k->nspare = SPARE_MAX;
	while ((s = LIST_FIRST(&k->spare)) != NULL)
		session_free(s);
}

/* -- loading -- */

/* By TLS, to us or to a proxy whose word is taken. */
static int
is_secure(const struct http_req *r)
{
	const hostd_hdr *h;
	const char *p;
	size_t n;

	if (r->view.flags & HOSTD_REQ_TLS)
		return 1;
	if (r->view.peer.p != r->client)
		return 0;
	h = request_header(r, "X-Forwarded-Proto", 17);
	if (h == NULL)
		return 0;
	p = h->value.p;
	n = h->value.n;
	return n >= 5 && strncasecmp(p, "https", 5) == 0 &&
	    (n == 5 || p[5] == ',' || p[5] == ' ');
}

static void
start_new(struct session *s)
{
	s->id.len = 0;
	content_start(&s->content, s->kind->conf, s->kind->now_ms(),
	    is_secure(s->r));
}

static void
tell(struct session *s, int32_t status)
{
	struct session_wait *w;

	s->status = status;
	s->phase = status == HOSTD_OK ? SESSION_READY : SESSION_CLOSED;
	s->telling = 1;
	while (s->r != NULL && (w = LIST_FIRST(&s->waits)) != NULL) {
		session_leave(w);
		w->ready(w, s, status);
	}
	s->telling = 0;
	if (s->r == NULL && !store_is_busy(&s->call))
		session_free(s);
}

static void
loaded(struct store_call *c, int32_t status, hostd_buf value)
{
	struct session *s = (struct session *)(void *)((char *)c -
	    offsetof(struct session, call));
	struct session_kind *k = s->kind;

	if (status == HOSTD_OK && value.p != NULL &&
	    content_load(&s->content, k->conf, value, k->now_ms(),
	    is_secure(s->r)) != HOSTD_OK) {
		log_warnx("session \"%s\": what the store has of a session is "
		    "no JSON object, or larger than max_size", k->conf->name);
		status = HOSTD_E_IO;
	} else if (status == HOSTD_OK && value.p == NULL)
		/* Nobody else's id becomes ours. */
		start_new(s);
	if (status != HOSTD_OK && k->conf->anonymous) {
		start_new(s);
		s->lost = 1;
		status = HOSTD_OK;
	}
	tell(s, status);
}

static void
load(struct session *s)
{
	static char room[COOKIE_ROOM];
	const struct hostd_request *q = &s->r->view;
	struct session_kind *k = s->kind;
	hostd_buf key, sent = cookie_find(q->headers, q->nheaders,
	    k->conf->cookie);

	if (cookie_open(sent, k->secrets, k->store->max_key, room, &key) < 0) {
		start_new(s);
		tell(s, HOSTD_OK);
		return;
	}
	buf_append(&s->id, key.p, key.n);
	s->phase = SESSION_LOADING;
	s->call.done = loaded;
	s->call.store = k->store;
	k->store->get(k->store, &s->call, view_of(&s->id));
}

struct session *
session_of(const struct session_kind *k, const struct http_req *r)
{
	struct http_errand *e;
	struct session *s;

	LIST_FOREACH(e, &r->errands, link) {
		s = (struct session *)(void *)((char *)e -
		    offsetof(struct session, errand));
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
		*out = session_new(k, r);
		load(*out);
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
		LIST_INSERT_HEAD(&(*out)->waits, w, link);
	return rc;
}

int32_t
session_guard(struct session_kind *k, struct http_req *r,
    void (*ready)(struct session_wait *, struct session *, int32_t),
    struct session **out)
{
	int32_t rc = find_or_load(k, r, out);

	if (rc == HOSTD_DEFER) {
		(*out)->own.ready = ready;
		LIST_INSERT_HEAD(&(*out)->waits, &(*out)->own, link);
	}
	return rc;
}

struct http_req *
session_request(const struct session *s)
{
	return s->r;
}

void
session_leave(struct session_wait *w)
{
	LIST_REMOVE(w, link);
}

/* -- changing -- */

int32_t
session_get(struct session *s, hostd_buf key, hostd_buf *value)
{
	if (s->phase != SESSION_READY || s->destroyed)
		return HOSTD_E_STATE;
	return content_get(&s->content, key, value);
}

int32_t
session_set(struct session *s, hostd_buf key, hostd_buf value)
{
	if (s->phase != SESSION_READY || s->destroyed)
		return HOSTD_E_STATE;
	return content_set(&s->content, key, value);
}

int32_t
session_del(struct session *s, hostd_buf key)
{
	if (s->phase != SESSION_READY || s->destroyed)
		return HOSTD_E_STATE;
	return content_del(&s->content, key);
}

/* The store is rid of it when the answer begins. */
static void
drop_id(struct session *s)
{
	struct buf id = s->id;

	if (id.len == 0)
		return;
	s->id = s->old;
	s->old = id;
	s->id.len = 0;
}

int32_t
session_regenerate(struct session *s)
{
	if (s->phase != SESSION_READY || s->destroyed)
		return HOSTD_E_STATE;
	drop_id(s);
	content_renew(&s->content, s->kind->conf, s->kind->now_ms(),
	    is_secure(s->r));
	s->regenerated = 1;
	return HOSTD_OK;
}

int32_t
session_destroy(struct session *s)
{
	if (s->phase != SESSION_READY)
		return HOSTD_E_STATE;
	drop_id(s);
	s->destroyed = 1;
	return HOSTD_OK;
}

int
session_is_new(const struct session *s)
{
	return s->content.is_new;
}

/* -- storing -- */

static void
failed(struct session *s, int32_t status)
{
	log_warnx("session \"%s\": a session could not be stored (%d)",
	    s->kind->conf->name, (int)status);
	s->status = status;
	finish(s);
}

/* The new one is there, or there is none: what matters is done. */
static void
deleted(struct store_call *c, int32_t status, hostd_buf value)
{
	struct session *s = (struct session *)(void *)((char *)c -
	    offsetof(struct session, call));

	(void)value;
	if (status != HOSTD_OK && s->destroyed) {
		failed(s, status);
		return;
	}
	if (status != HOSTD_OK)
		log_warnx("session \"%s\": the old id of a session could not "
		    "be deleted (%d); it ends with its time",
		    s->kind->conf->name, (int)status);
	finish(s);
}

static void
delete_id(struct session *s, const struct buf *id)
{
	struct session_store *store = s->kind->store;

	s->call.done = deleted;
	s->call.store = store;
	store->del(store, &s->call, view_of(id));
}

static void
newer(struct store_call *c, int32_t status, hostd_buf value)
{
	struct session *s = (struct session *)(void *)((char *)c -
	    offsetof(struct session, call));

	if (status == HOSTD_OK && value.p == NULL) {
		/* Somebody has logged out meanwhile, and stays so. */
		finish(s);
		return;
	}
	if (status == HOSTD_OK)
		status = content_merge(&s->content, value);
	if (status == HOSTD_OK)
		save(s);
	else
		failed(s, status);
}

static void
saved(struct store_call *c, int32_t status, hostd_buf value)
{
	struct session *s = (struct session *)(void *)((char *)c -
	    offsetof(struct session, call));
	struct session_store *store = s->kind->store;

	if (status == HOSTD_E_STATE && !s->content.is_new &&
	    ++s->tries < TRIES_MAX) {
		s->call.done = newer;
		s->call.store = store;
		store->get(store, &s->call, view_of(&s->id));
		return;
	}
	if (status != HOSTD_OK) {
		failed(s, status);
		return;
	}
	if (store->flags & HOSTD_STORE_STATELESS) {
		s->id.len = 0;
		buf_append(&s->id, value.p, value.n);
	}
	if (s->old.len > 0)
		delete_id(s, &s->old);
	else
		finish(s);
}

static void
save(struct session *s)
{
	struct session_store *store = s->kind->store;
	hostd_buf expect = view_of(&s->content.loaded), key = { NULL, 0 };
	int64_t ttl = content_ttl(&s->content, s->kind->conf);

	if (ttl <= 0 && s->content.is_new) {
		finish(s);
		return;
	}
	if (ttl <= 0) {
		delete_id(s, &s->id);
		return;
	}
	if (s->content.is_new)
		expect = (hostd_buf){ NULL, 0 };
	if (!(store->flags & HOSTD_STORE_STATELESS))
		key = view_of(&s->id);
	s->call.done = saved;
	s->call.store = store;
	store->set(store, &s->call, key, view_of(&s->content.text), ttl,
	    store->flags & HOSTD_STORE_CAS ? &expect : NULL);
}

static void
touched(struct store_call *c, int32_t status, hostd_buf value)
{
	struct session *s = (struct session *)(void *)((char *)c -
	    offsetof(struct session, call));

	(void)value;
	if (status != HOSTD_OK)
		log_warnx("session \"%s\": a session's time could not be "
		    "extended (%d)", s->kind->conf->name, (int)status);
	if (s->r == NULL)
		session_free(s);
}

static void
touch(struct session *s)
{
	struct session_store *store = s->kind->store;
	int64_t ttl = content_ttl(&s->content, s->kind->conf);

	s->call.done = touched;
	s->call.store = store;
	store->touch(store, &s->call, view_of(&s->id), ttl > 0 ? ttl : 1);
}

/* All is stored, or can't be. */
static void
finish(struct session *s)
{
	if (s->r == NULL)
		session_free(s);
	else if (!s->holds)
		return;		/* at once: wait_for_store sees to it */
	else if (s->status == HOSTD_OK)
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

/* -- the answer's head -- */

/* The store's key has to be known by then. */
static uint32_t
send_cookie(struct session *s, struct http_req *r, int64_t expires_ms,
    hostd_hdr *out)
{
	int secure = is_secure(r);

	if (!cookie_may_go(s->kind->conf, secure) || s->id.len == 0)
		return 0;
	s->set_cookie.len = 0;
	cookie_write(&s->set_cookie, s->kind->conf, s->kind->secrets,
	    view_of(&s->id), expires_ms, secure);
	out->name = (hostd_buf){ "Set-Cookie", 10 };
	out->value = view_of(&s->set_cookie);
	return 1;
}

/* Node's rules, which are in its documentation under these names. */
static int
is_to_be_saved(const struct session *s, int changed)
{
	const struct conf_session *c = s->kind->conf;

	return changed || (s->id.len == 0 ? c->save_uninitialized : c->resave);
}

static int
is_to_be_sent(const struct session *s, int changed, int64_t expires_ms)
{
	const struct conf_session *c = s->kind->conf;

	if (s->content.is_new)
		return changed || c->save_uninitialized;
	return c->rolling || (changed && (expires_ms >= 0 ||
	    (s->kind->store->flags & HOSTD_STORE_STATELESS)));
}

/* Give the client nothing before the store has it.  A stateless one makes the
 * cookie, which can't wait. */
static void
wait_for_store(struct session *s, struct http_req *r)
{
	if (store_is_busy(&s->call) &&
	    (s->kind->store->flags & HOSTD_STORE_STATELESS)) {
		store_cancel(&s->call);
		s->status = HOSTD_E_TIMEOUT;
	}
	if (!store_is_busy(&s->call) && s->status == HOSTD_OK)
		return;
	s->holds = 1;
	response_hold(r);
	if (!store_is_busy(&s->call))
		loop_defer(s->kind->loop, &s->refuse);
}

static uint32_t
store_and_send(struct session *s, struct http_req *r, hostd_hdr *out)
{
	int changed = s->regenerated || content_is_changed(&s->content);
	int64_t expires = content_extend(&s->content, s->kind->now_ms());
	int sends = is_to_be_sent(s, changed, expires);
	char id[SESSION_ID_LEN + 1];

	if (!is_to_be_saved(s, changed)) {
		if (s->id.len > 0)
			touch(s);
	} else {
		if (s->id.len == 0 &&
		    !(s->kind->store->flags & HOSTD_STORE_STATELESS)) {
			session_id_make(id);
			buf_append(&s->id, id, SESSION_ID_LEN);
		}
		save(s);
		wait_for_store(s, r);
	}
	return sends ? send_cookie(s, r, expires, out) : 0;
}

static uint32_t
answer_begins(struct http_errand *e, struct http_req *r, int status,
    hostd_hdr *out)
{
	struct session *s = (struct session *)(void *)((char *)e -
	    offsetof(struct session, errand));
	enum session_phase was = s->phase;

	(void)status;
	s->phase = SESSION_CLOSED;
	if (was == SESSION_LOADING)
		store_cancel(&s->call);
	if (was != SESSION_READY || s->lost)
		return 0;
	if (!s->destroyed)
		return store_and_send(s, r, out);
	if (s->old.len > 0) {
		delete_id(s, &s->old);
		wait_for_store(s, r);
	}
	return 0;
}
