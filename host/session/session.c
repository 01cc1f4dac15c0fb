/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include "base/log.h"
#include "base/mem.h"
#include "session/inside.h"

#define SPARE_MAX	64	/* whose memory is kept */

static int64_t
clock_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* -- from and to the spare ones -- */

void
session_cancel(struct session *s)
{
	store_cancel(&s->call);
	wheel_remove(&s->kind->loop->wheel, &s->rest);
	s->resting = 0;
}

static void
session_free(struct session *s)
{
	struct session_kind *k = s->kind;

	session_cancel(s);
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

static void
session_reset(struct session *s)
{
	LIST_INIT(&s->loads);
	LIST_INIT(&s->saves);
	LIST_INIT(&s->later);
	s->call.timeout_ms = s->kind->conf->timeout;
	s->id.len = s->old.len = 0;
	s->handle = 0;
	s->phase = SESSION_LOADING;
	s->orphan = s->saving = s->again = s->pins = 0;
	s->r = NULL;
	s->ws = NULL;
	s->held = 0;
}

struct session *
session_new(struct session_kind *k, int secure)
{
	struct session *s = LIST_FIRST(&k->spare);

	if (s != NULL) {
		LIST_REMOVE(s, link);
		k->nspare--;
	} else
		s = xcalloc(1, sizeof(*s));
	LIST_INSERT_HEAD(&k->used, s, link);
	s->kind = k;
	s->secure = secure;
	session_reset(s);
	return s;
}

static void
drop_waits(struct session_waits *list)
{
	struct session_wait *w;

	while ((w = LIST_FIRST(list)) != NULL) {
		session_leave(w);
		w->ready(w, NULL, HOSTD_E_GONE);
	}
}

void
session_settle(struct session *s)
{
	if (s->orphan && !s->pins && !s->resting && !store_is_busy(&s->call))
		session_free(s);
}

void
session_end(struct session *s)
{
	s->orphan = 1;
	s->r = NULL;
	s->ws = NULL;
	if (s->handle != 0 && s->kind->forget != NULL)
		s->kind->forget(s->kind, s->handle);
	s->handle = 0;
	loop_undefer(s->kind->loop, &s->refuse);
	if (s->phase == SESSION_LOADING)
		store_cancel(&s->call);
	drop_waits(&s->loads);
	drop_waits(&s->saves);
	drop_waits(&s->later);
	session_settle(s);
}

/* -- their kind -- */

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

	while ((s = LIST_FIRST(&k->used)) != NULL) {
		session_cancel(s);
		session_end(s);
	}
	k->nspare = SPARE_MAX;
	while ((s = LIST_FIRST(&k->spare)) != NULL)
		session_free(s);
}

struct session_kind *
session_kind_of(const struct session *s)
{
	return s->kind;
}

/* -- who waits -- */

void
session_leave(struct session_wait *w)
{
	LIST_REMOVE(w, link);
}

void
session_move_waits(struct session_waits *from, struct session_waits *to)
{
	LIST_INIT(to);
	LIST_FIRST(to) = LIST_FIRST(from);
	if (LIST_FIRST(to) != NULL)
		LIST_FIRST(to)->link.le_prev = &LIST_FIRST(to);
	LIST_INIT(from);
}

void
session_tell(struct session *s, struct session_waits *list, int32_t status)
{
	struct session_waits told;
	struct session_wait *w;

	/* Those who wait again, wait for the next. */
	session_move_waits(list, &told);
	s->pins++;
	while (!s->orphan && (w = LIST_FIRST(&told)) != NULL) {
		session_leave(w);
		w->ready(w, s, status);
	}
	s->pins--;
	drop_waits(&told);
}

void
session_set_handle(struct session *s, uint64_t handle)
{
	s->handle = handle;
}

uint64_t
session_handle(const struct session *s)
{
	return s->handle;
}

/* -- loading -- */

static void
start_new(struct session *s)
{
	s->id.len = 0;
	s->came = 0;
	content_start(&s->content, s->kind->conf, s->kind->now_ms(),
	    s->secure);
}

static void
loaded(struct store_call *c, int32_t status, hostd_buf value)
{
	struct session *s = (struct session *)(void *)((char *)c -
	    offsetof(struct session, call));
	struct session_kind *k = s->kind;

	if (status == HOSTD_OK && value.p != NULL &&
	    content_load(&s->content, k->conf, value, k->now_ms(),
	    s->secure) != HOSTD_OK) {
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
	s->status = status;
	s->phase = status == HOSTD_OK ? SESSION_READY : SESSION_CLOSED;
	session_tell(s, &s->loads, status);
	session_settle(s);
}

int32_t
session_load(struct session *s, hostd_buf key)
{
	s->status = HOSTD_OK;
	s->lost = s->destroyed = s->regenerated = s->stored = 0;
	s->id.len = s->old.len = 0;
	s->came = key.p != NULL;
	if (key.p == NULL) {
		start_new(s);
		s->phase = SESSION_READY;
		return HOSTD_OK;
	}
	buf_append(&s->id, key.p, key.n);
	s->phase = SESSION_LOADING;
	s->call.done = loaded;
	s->call.store = s->kind->store;
	s->kind->store->get(s->kind->store, &s->call, session_id(s));
	return s->phase == SESSION_LOADING ? HOSTD_DEFER : s->status;
}

/* -- changing -- */

static int
is_open(const struct session *s)
{
	return s->phase == SESSION_READY && !s->destroyed;
}

int32_t
session_get(struct session *s, hostd_buf key, hostd_buf *value)
{
	return is_open(s) ? content_get(&s->content, key, value) :
	    HOSTD_E_STATE;
}

int32_t
session_set(struct session *s, hostd_buf key, hostd_buf value)
{
	return is_open(s) ? content_set(&s->content, key, value) :
	    HOSTD_E_STATE;
}

int32_t
session_del(struct session *s, hostd_buf key)
{
	return is_open(s) ? content_del(&s->content, key) : HOSTD_E_STATE;
}

int32_t
session_keys(struct session *s, struct buf *out)
{
	if (!is_open(s))
		return HOSTD_E_STATE;
	content_keys(&s->content, out);
	return HOSTD_OK;
}

int32_t
session_set_max_age(struct session *s, int64_t ms)
{
	if (!is_open(s))
		return HOSTD_E_STATE;
	content_set_max_age(&s->content, ms);
	return HOSTD_OK;
}

/* The store is rid of it with the next run. */
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
	if (!is_open(s) || s->saving)
		return HOSTD_E_STATE;
	if (s->ws != NULL)
		return HOSTD_E_NOTSUP;
	drop_id(s);
	content_renew(&s->content, s->kind->conf, s->kind->now_ms(),
	    s->secure);
	s->regenerated = 1;
	s->came = 0;
	return HOSTD_OK;
}

int32_t
session_destroy(struct session *s)
{
	if (s->phase != SESSION_READY)
		return HOSTD_E_STATE;
	s->destroyed = 1;
	return HOSTD_OK;
}

int
session_is_new(const struct session *s)
{
	return s->content.is_new;
}

hostd_buf
session_id(const struct session *s)
{
	return (hostd_buf){ s->id.p, s->id.len };
}

int
session_is_changed(const struct session *s)
{
	return s->regenerated || s->destroyed ||
	    content_is_changed(&s->content);
}
