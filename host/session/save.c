/* SPDX-License-Identifier: BSD-2-Clause */
/* From memory to the store: one run after the other. */
#include <stddef.h>
#include <stdlib.h>
#include "base/log.h"
#include "session/id.h"
#include "session/inside.h"

/*
 * Rounds of comparing and setting.  In each, one of those who are at it wins,
 * so it takes as many as there are; but who is as fast as somebody of another
 * worker may always be the second, so now and then it begins at another time.
 */
#define ROUNDS_MAX	64
#define ROUNDS_RUN	8
#define REST_MS		32

static void	save(struct session *);

static struct session *
session_of_call(struct store_call *c)
{
	return (struct session *)(void *)((char *)c -
	    offsetof(struct session, call));
}

static int
is_stateless(const struct session *s)
{
	return (s->kind->store->flags & HOSTD_STORE_STATELESS) != 0;
}

static hostd_buf
view_of(const struct buf *b)
{
	return (hostd_buf){ b->p, b->len };
}

/* -- the end of a run -- */

static void
run_ended(struct session *s, int32_t status)
{
	s->saving = 0;
	s->outcome = status;
	session_tell(s, &s->saves, status);
	if (!s->again) {
		session_settle(s);
		return;
	}
	s->again = 0;
	session_move_waits(&s->later, &s->saves);
	if ((status = session_store(s)) != HOSTD_DEFER)
		session_tell(s, &s->saves, status);
	session_settle(s);
}

static void
failed(struct session *s, int32_t status)
{
	log_warnx("session \"%s\": a session could not be stored (%d)",
	    s->kind->conf->name, (int)status);
	run_ended(s, status);
}

/* -- deleting -- */

/* The new one is there, or there is none: what matters is done. */
static void
deleted(struct store_call *c, int32_t status, hostd_buf value)
{
	struct session *s = session_of_call(c);

	(void)value;
	if (status != HOSTD_OK && s->destroyed) {
		failed(s, status);
		return;
	}
	if (status != HOSTD_OK)
		log_warnx("session \"%s\": the old id of a session could not "
		    "be deleted (%d); it ends with its time",
		    s->kind->conf->name, (int)status);
	s->old.len = 0;
	run_ended(s, HOSTD_OK);
}

static void
delete_id(struct session *s, const struct buf *id)
{
	struct session_store *store = s->kind->store;

	s->call.done = deleted;
	s->call.store = store;
	store->del(store, &s->call, view_of(id));
}

/* Of one that was given a new id and never stored, the store has the old. */
static void
destroy(struct session *s)
{
	struct buf *id = s->old.len > 0 ? &s->old : &s->id;

	s->regenerated = 0;
	if (id->len > 0)
		delete_id(s, id);
	else
		run_ended(s, HOSTD_OK);
}

/* -- setting -- */

static void
newer(struct store_call *c, int32_t status, hostd_buf value)
{
	struct session *s = session_of_call(c);

	if (status == HOSTD_OK && value.p == NULL) {
		/* Somebody has logged out meanwhile, and stays so. */
		s->destroyed = 1;
		run_ended(s, HOSTD_E_STATE);
		return;
	}
	if (status == HOSTD_OK)
		status = content_merge(&s->content, value);
	if (status == HOSTD_OK)
		save(s);
	else
		failed(s, status);
}

/* Somebody was faster: once more, with what he has stored. */
static void
ask_again(struct session *s)
{
	struct session_store *store = s->kind->store;

	s->call.done = newer;
	s->call.store = store;
	store->get(store, &s->call, view_of(&s->id));
}

static void
rested(struct wheel_timer *t)
{
	struct session *s = (struct session *)(void *)((char *)t -
	    offsetof(struct session, rest));

	s->resting = 0;
	s->pins++;
	ask_again(s);
	s->pins--;
	session_settle(s);
}

static void
next_round(struct session *s)
{
	struct loop *loop = s->kind->loop;

	if (s->tries % ROUNDS_RUN != 0) {
		ask_again(s);
		return;
	}
	s->resting = 1;
	s->rest.fire = rested;
	wheel_set(&loop->wheel, &s->rest,
	    loop->now_ms + 1 + (uint64_t)random() % REST_MS);
}

static void
saved(struct store_call *c, int32_t status, hostd_buf value)
{
	struct session *s = session_of_call(c);

	if (status == HOSTD_E_STATE && !s->content.is_new &&
	    ++s->tries < ROUNDS_MAX) {
		next_round(s);
		return;
	}
	if (status != HOSTD_OK) {
		/* Others have always been faster. */
		failed(s, status == HOSTD_E_STATE ? HOSTD_E_TIMEOUT : status);
		return;
	}
	content_saved(&s->content);
	s->regenerated = 0;
	s->stored = 1;
	if (is_stateless(s)) {
		s->id.len = 0;
		buf_append(&s->id, value.p, value.n);
	}
	if (s->old.len > 0)
		delete_id(s, &s->old);
	else
		run_ended(s, HOSTD_OK);
}

static void
save(struct session *s)
{
	struct session_store *store = s->kind->store;
	hostd_buf expect = view_of(&s->content.loaded), key = { NULL, 0 };
	int64_t ttl = content_ttl(&s->content, s->kind->conf);

	if (ttl <= 0) {
		s->destroyed = 1;
		destroy(s);
		return;
	}
	if (s->content.is_new)
		expect = (hostd_buf){ NULL, 0 };
	if (!is_stateless(s))
		key = view_of(&s->id);
	content_saving(&s->content);
	s->call.done = saved;
	s->call.store = store;
	store->set(store, &s->call, key, view_of(&s->content.text), ttl,
	    store->flags & HOSTD_STORE_CAS ? &expect : NULL);
}

/* -- touching -- */

static void
touched(struct store_call *c, int32_t status, hostd_buf value)
{
	struct session *s = session_of_call(c);

	(void)value;
	if (status != HOSTD_OK)
		log_warnx("session \"%s\": a session's time could not be "
		    "extended (%d)", s->kind->conf->name, (int)status);
	run_ended(s, status);
}

int32_t
session_touch(struct session *s)
{
	struct session_store *store = s->kind->store;
	int64_t ttl;

	/* When it ends is in it. */
	if (is_stateless(s))
		return HOSTD_OK;
	ttl = content_ttl(&s->content, s->kind->conf);
	s->saving = 1;
	s->outcome = HOSTD_DEFER;
	s->call.done = touched;
	s->call.store = store;
	s->pins++;
	store->touch(store, &s->call, view_of(&s->id), ttl > 0 ? ttl : 1);
	s->pins--;
	return s->outcome;
}

/* -- a run -- */

int32_t
session_store(struct session *s)
{
	char id[SESSION_ID_LEN + 1];

	s->saving = 1;
	s->outcome = HOSTD_DEFER;
	s->tries = 0;
	if (!s->destroyed && s->id.len == 0 && !is_stateless(s)) {
		session_id_make(id);
		buf_append(&s->id, id, SESSION_ID_LEN);
	}
	(void)content_extend(&s->content, s->kind->now_ms());
	s->pins++;
	if (s->destroyed)
		destroy(s);
	else
		save(s);
	s->pins--;
	return s->outcome;
}

void
session_give_up(struct session *s)
{
	session_cancel(s);
	s->saving = s->again = 0;
}

/* May it be stored when somebody asks for it? */
static int32_t
may_save(const struct session *s)
{
	if (s->phase != SESSION_READY)
		return HOSTD_E_STATE;
	if (s->lost)
		return HOSTD_E_IO;
	if (is_stateless(s) || (s->ws != NULL && s->content.is_new))
		return HOSTD_E_NOTSUP;
	return HOSTD_OK;
}

int32_t
session_save(struct session *s, struct session_wait *w)
{
	int32_t rc = may_save(s);

	if (rc != HOSTD_OK)
		return rc;
	if (s->saving) {
		s->again = 1;
		if (w != NULL)
			LIST_INSERT_HEAD(&s->later, w, link);
		return HOSTD_DEFER;
	}
	if (s->id.len > 0 && !session_is_changed(s))
		rc = session_touch(s);
	else
		rc = session_store(s);
	if (rc == HOSTD_DEFER && w != NULL)
		LIST_INSERT_HEAD(&s->saves, w, link);
	return rc;
}
