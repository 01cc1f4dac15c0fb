/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.session/1: sessions of visitors who are new, or have odd things in
 * them; there at once or later, of stores that fail, are full or keep nothing,
 * and of routes that have none.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "ctl/fake_request.h"
#include "ctl/fake_sock.h"

#define EXT HOSTD_EXT_SESSION
#define KEY_MAX_BYTES 255u
#define VALUE_MAX 65536u
#define AGE_MAX (UINT64_C(3650) * 24 * 3600 * 1000)

/* What becomes of those who ask, one after the other. */
struct manner {
	int late;		/* told in a later turn */
	int32_t status;
	int old;		/* there is something in it */
	int full, stateless;
};
static const struct manner manners[] = {
    {0, HOSTD_OK, 0, 0, 0},
    {1, HOSTD_OK, 1, 0, 0},
    {0, HOSTD_E_NOTSUP, 0, 0, 0},
    {0, HOSTD_OK, 1, 0, 0},
    {1, HOSTD_E_IO, 0, 0, 0},
    {1, HOSTD_OK, 0, 1, 0},
    {0, HOSTD_E_TIMEOUT, 0, 0, 0},
    {0, HOSTD_OK, 1, 0, 1},
    {1, HOSTD_E_TIMEOUT, 0, 0, 0},
};
#define MANNERS (sizeof(manners) / sizeof(manners[0]))

/* What an old one has under any key that was not set. */
static const char *const odd[] = {"42", "\"\"",
    "\"a\\u0000\\\"\\\\\\n<b>\\u00e9\\ud83d\\ude00\"", "null", "\"Ada\"",
    "true",
    "{ \"a\" : [ ] , \"a\" : 1e3 }", "[1,[2,[3]]]",
    "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\""};
#define ODDS (sizeof(odd) / sizeof(odd[0]))

struct member {
	LIST_ENTRY(member) entry;
	char *key, *value;	/* value NULL: it was deleted */
};

enum phase { LOADING, READY, SAVING };

struct fake_session {
	LIST_ENTRY(fake_session) entry;
	struct fake *fake;
	uint64_t id, req, ws;	/* one of the two is 0 */
	const struct manner *how;
	enum phase phase;
	int is_new, destroyed;
	unsigned odd;		/* the next value of odd */
	LIST_HEAD(, member) members;
};

/* Somebody who waits to be told. */
struct wait {
	LIST_ENTRY(wait) entry;
	struct fake *fake;
	uint64_t session;
	int32_t status;
	void (*ready)(struct hostd_inst *, void *, hostd_session, int32_t);
	void (*done)(struct hostd_inst *, void *, int32_t);
	void *arg;
};

static LIST_HEAD(, fake_session) sessions = LIST_HEAD_INITIALIZER(sessions);
static LIST_HEAD(, wait) waits = LIST_HEAD_INITIALIZER(waits);
static uint64_t last_session;
static unsigned nopened, nsaved;
static int fails; /* sockets' sessions, too */

void
fake_session_spare(int spare)
{
	fails = !spare;
}

unsigned
fake_session_count(void)
{
	return nopened;
}

/* -- which there are -- */

static void
session_free(struct fake_session *s)
{
	struct member *m;

	while ((m = LIST_FIRST(&s->members)) != NULL) {
		LIST_REMOVE(m, entry);
		free(m->key);
		free(m->value);
		free(m);
	}
	LIST_REMOVE(s, entry);
	free(s);
}

static struct fake_req *
request_of(const struct fake_session *s)
{
	return fake_req_find(s->fake, (hostd_req){s->req}, "a session");
}

static int
is_stale(const struct fake_session *s)
{
	if (s->req != 0)
		return request_of(s) == NULL;
	return fake_sock_find(s->fake, (hostd_ws){s->ws}, "a session") ==
	    NULL;
}

static void
sweep(void)
{
	struct fake_session *s, *next;

	for (s = LIST_FIRST(&sessions); s != NULL; s = next) {
		next = LIST_NEXT(s, entry);
		if (is_stale(s))
			session_free(s);
	}
}

static struct fake_session *
session_find(uint64_t id)
{
	struct fake_session *s;

	LIST_FOREACH(s, &sessions, entry)
	if (s->id == id)
		return is_stale(s) ? NULL : s;
	return NULL;
}

/* Those of sockets can be had, or cases about sockets would learn nothing. */
static const struct manner *
next_manner(int spared)
{
	const struct manner *m;

	do
		m = &manners[nopened++ % MANNERS];
	while (spared && m->status != HOSTD_OK &&
	    m->status != HOSTD_E_NOTSUP);
	return m;
}

/* Of a request or of a socket, a new one if there is none. */
static struct fake_session *
session_get(struct fake *f, uint64_t req, uint64_t ws)
{
	struct fake_req *r = fake_req_find(f, (hostd_req){req}, "open");
	struct fake_session *s;

	sweep();
	LIST_FOREACH(s, &sessions, entry)
	if (s->fake == f && s->req == req && s->ws == ws)
		return s;
	s = xcalloc(1, sizeof(*s));
	s->fake = f;
	s->id = ++last_session << 32 | 13;
	s->req = req;
	s->ws = ws;
	s->how = next_manner(!fails && (r == NULL || r->sock != NULL));
	s->odd = nopened / MANNERS;
	s->is_new = !s->how->old;
	s->phase = s->how->late ? LOADING : READY;
	LIST_INSERT_HEAD(&sessions, s, entry);
	return s;
}

void
fake_session_end(struct fake *f)
{
	struct fake_session *s, *next;
	struct wait *w, *wnext;

	for (s = LIST_FIRST(&sessions); s != NULL; s = next) {
		next = LIST_NEXT(s, entry);
		if (s->fake == f)
			session_free(s);
	}
	for (w = LIST_FIRST(&waits); w != NULL; w = wnext) {
		wnext = LIST_NEXT(w, entry);
		if (w->fake != f)
			continue;
		LIST_REMOVE(w, entry);
		free(w);
	}
}

/* -- those who wait -- */

static void
tell(struct hostd_inst *inst, void *arg)
{
	struct wait *w = arg, was = *w;
	struct fake_session *s = session_find(was.session);
	hostd_session h = {was.status == HOSTD_OK ? was.session : 0};

	LIST_REMOVE(w, entry);
	free(w);
	if (s == NULL)
		return;
	s->phase = READY;
	s->destroyed |= was.status == HOSTD_E_STATE;
	if (was.ready != NULL)
		was.ready(inst, was.arg, h, was.status);
	else if (was.done != NULL)
		was.done(inst, was.arg, was.status);
}

static struct wait *
wait_new(struct fake_session *s, int32_t status, void *arg)
{
	struct wait *w = xcalloc(1, sizeof(*w));

	w->fake = s->fake;
	w->session = s->id;
	w->status = status;
	w->arg = arg;
	LIST_INSERT_HEAD(&waits, w, entry);
	fake_queue(w->fake, TASK_POST, tell, w);
	return w;
}

/* -- opening -- */

static int32_t
open_one(struct fake_session *s, hostd_session *out,
    void (*ready)(struct hostd_inst *, void *, hostd_session, int32_t),
    void *arg)
{
	if (s->phase == LOADING) {
		wait_new(s, s->how->status, arg)->ready = ready;
		return HOSTD_DEFER;
	}
	if (s->how->status == HOSTD_OK)
		out->id = s->id;
	return s->how->status;
}

static void
judge_open(const hostd_session *out, const void *ready, const char *function)
{
	if (out == NULL || ready == NULL)
		check_fail("called %s of " EXT " without %s", function,
		    out == NULL ? "a place for the session" : "a function");
}

static int32_t
api_open(const struct hostd_host *host, hostd_req id, hostd_session *out,
    void (*ready)(struct hostd_inst *, void *, hostd_session, int32_t),
    void *arg)
{
	struct fake *f = fake_called(host, "open of " EXT);
	struct fake_req *r;

	judge_open(out, ready == NULL ? NULL : out, "open");
	out->id = 0;
	if ((r = fake_req_find(f, id, "open")) == NULL)
		return HOSTD_E_GONE;
	if (r->begun)
		return HOSTD_E_STATE;
	return open_one(session_get(f, id.id, 0), out, ready, arg);
}

/* Every time anew: what was not saved is lost. */
static int32_t
api_open_ws(const struct hostd_host *host, hostd_ws id, hostd_session *out,
    void (*ready)(struct hostd_inst *, void *, hostd_session, int32_t),
    void *arg)
{
	struct fake *f = fake_called(host, "open_ws of " EXT);
	struct fake_session *s;

	judge_open(out, ready == NULL ? NULL : out, "open_ws");
	out->id = 0;
	if (fake_sock_find(f, id, "open_ws") == NULL)
		return HOSTD_E_GONE;
	s = session_get(f, 0, id.id);
	if (s->phase == SAVING)
		return HOSTD_E_STATE;
	s->destroyed = 0;
	return open_one(s, out, ready, arg);
}

/* -- what is in it -- */

/* HOSTD_OK: it can be asked. */
static int32_t
find(const struct hostd_host *host, hostd_session h, const char *function,
    struct fake_session **out)
{
	struct fake *f = fake_called(host, function);
	struct fake_session *s = session_find(h.id);
	struct fake_req *r;

	*out = s;
	if (s == NULL)
		return HOSTD_E_GONE;
	if (s->fake != f)
		check_fail("instance %u called %s of " EXT " with a session of "
			   "instance %u", f->number, function,
		    s->fake->number);
	r = s->req == 0 ? NULL : request_of(s);
	return s->phase == LOADING || s->destroyed || (r != NULL && r->begun)
	    ? HOSTD_E_STATE : HOSTD_OK;
}

static void
judge_key(const char *key, uint32_t flags, const char *function)
{
	if (key == NULL || (flags & ~HOSTD_SESSION_TEXT) != 0)
		check_fail("called %s of " EXT " with %s and flags 0x%x",
		    function, key == NULL ? "no key" : "a key", flags);
}

static struct member *
member_find(struct fake_session *s, const char *key)
{
	struct member *m;

	LIST_FOREACH(m, &s->members, entry)
	if (strcmp(m->key, key) == 0)
		break;
	return m;
}

static void
member_set(struct fake_session *s, const char *key, char *value)
{
	struct member *m = member_find(s, key);

	if (m == NULL) {
		m = xcalloc(1, sizeof(*m));
		m->key = xstrdup(key);
		LIST_INSERT_HEAD(&s->members, m, entry);
	}
	free(m->value);
	m->value = value;
}

/* An old one has everything, until it is told otherwise. */
static const char *
value_of(struct fake_session *s, const char *key)
{
	struct member *m = member_find(s, key);

	if (m == NULL && s->how->old) {
		member_set(s, key, xstrdup(odd[s->odd++ % ODDS]));
		m = member_find(s, key);
	}
	return m == NULL ? NULL : m->value;
}

static int32_t
lend_text(const char *value, hostd_buf *out)
{
	json_t *v = json_loads(value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	if (!json_is_string(v)) {
		json_decref(v);
		return HOSTD_E_INVAL;
	}
	*out = fake_lend_copy(json_string_value(v), json_string_length(v));
	json_decref(v);
	return HOSTD_OK;
}

static int32_t
api_get(const struct hostd_host *host, hostd_session h, const char *key,
    uint32_t flags, hostd_buf *out)
{
	struct fake_session *s;
	int32_t rc = find(host, h, "get of " EXT, &s);
	const char *value;

	judge_key(key, flags, "get");
	if (out == NULL)
		check_fail("called get of " EXT " without a place for the "
			   "answer");
	if (rc != HOSTD_OK)
		return rc;
	*out = (hostd_buf){NULL, 0};
	if ((value = value_of(s, key)) == NULL)
		return HOSTD_OK;
	if (flags & HOSTD_SESSION_TEXT)
		return lend_text(value, out);
	*out = fake_lend_text(value);
	return HOSTD_OK;
}

/* To be freed; NULL: it is none. */
static char *
json_of(hostd_buf value, uint32_t flags)
{
	json_t *v = flags & HOSTD_SESSION_TEXT ?
	    json_stringn(value.n > 0 ? value.p : "", value.n) :
	    json_loadb(value.p, value.n, JSON_DECODE_ANY | JSON_ALLOW_NUL,
		NULL);
	char *text = NULL;

	if (v != NULL && flags & HOSTD_SESSION_TEXT)
		text = json_dumps(v, JSON_ENCODE_ANY);
	else if (v != NULL)
		text = xstrndup(value.p, value.n);
	json_decref(v);
	return text;
}

static int32_t
api_set(const struct hostd_host *host, hostd_session h, const char *key,
    uint32_t flags, hostd_buf value)
{
	struct fake_session *s;
	int32_t rc = find(host, h, "set of " EXT, &s);
	char *text;
	size_t n;

	judge_key(key, flags, "set");
	if (value.p == NULL && value.n > 0)
		check_fail("called set of " EXT " with %zu bytes at NULL",
		    value.n);
	if (rc != HOSTD_OK)
		return rc;
	n = strlen(key);
	if (n == 0 || n > KEY_MAX_BYTES || !utf8_is_valid(key, n) ||
	    strcmp(key, "cookie") == 0)
		return HOSTD_E_INVAL;
	if (value.n > VALUE_MAX || s->how->full)
		return HOSTD_E_FULL;
	if ((text = json_of(value, flags)) == NULL)
		return HOSTD_E_INVAL;
	member_set(s, key, text);
	return HOSTD_OK;
}

static int32_t
api_del(const struct hostd_host *host, hostd_session h, const char *key)
{
	struct fake_session *s;
	int32_t rc = find(host, h, "del of " EXT, &s);

	judge_key(key, 0, "del");
	if (rc == HOSTD_OK)
		member_set(s, key, NULL);
	return rc;
}

static int32_t
api_keys(const struct hostd_host *host, hostd_session h, hostd_buf *out)
{
	struct fake_session *s;
	int32_t rc = find(host, h, "keys of " EXT, &s);
	struct member *m;
	json_t *list;
	char *text;

	if (out == NULL)
		check_fail("called keys of " EXT " without a place for them");
	if (rc != HOSTD_OK)
		return rc;
	list = json_array();
	LIST_FOREACH(m, &s->members, entry)
	if (m->value != NULL)
		(void)json_array_append_new(list, json_string(m->key));
	if (s->how->old)
		(void)json_array_append_new(list,
		    json_string("a \"\\\n\xc3\xa9"));
	text = json_dumps(list, 0);
	*out = fake_lend_text(text);
	free(text);
	json_decref(list);
	return HOSTD_OK;
}

static int32_t
api_id(const struct hostd_host *host, hostd_session h, hostd_buf *out)
{
	static const char id[] = "MlB0xJYnqvndF9XxQuEvqtVzyKJ-xoeH";
	struct fake_session *s;
	int32_t rc = find(host, h, "id of " EXT, &s);

	if (out == NULL)
		check_fail("called id of " EXT " without a place for it");
	if (s == NULL)
		return rc;
	*out = fake_lend_copy(
	    id, s->is_new || s->how->stateless ? 0 : sizeof(id) - 1);
	return HOSTD_OK;
}

static int32_t
api_is_new(const struct hostd_host *host, hostd_session h)
{
	struct fake_session *s;
	int32_t rc = find(host, h, "is_new of " EXT, &s);

	return rc == HOSTD_OK ? s->is_new : rc;
}

/* -- what becomes of it -- */

static int32_t
api_set_max_age(const struct hostd_host *host, hostd_session h, int64_t ms)
{
	struct fake_session *s;
	int32_t rc = find(host, h, "set_max_age of " EXT, &s);

	if (rc == HOSTD_OK && (ms < 0 || (uint64_t)ms > AGE_MAX))
		return HOSTD_E_INVAL;
	return rc;
}

static int32_t
api_regenerate(const struct hostd_host *host, hostd_session h)
{
	struct fake_session *s;
	int32_t rc = find(host, h, "regenerate of " EXT, &s);

	if (rc != HOSTD_OK)
		return rc;
	if (s->ws != 0)
		return HOSTD_E_NOTSUP;
	if (s->phase == SAVING)
		return HOSTD_E_STATE;
	s->is_new = 1;
	return HOSTD_OK;
}

static int32_t
api_destroy(const struct hostd_host *host, hostd_session h)
{
	struct fake_session *s;
	int32_t rc = find(host, h, "destroy of " EXT, &s);

	if (rc == HOSTD_OK)
		s->destroyed = 1;
	return s != NULL && s->destroyed ? HOSTD_OK : rc;
}

/* At once or later, and not always well. */
static int32_t
api_save(const struct hostd_host *host, hostd_session h,
    void (*done)(struct hostd_inst *, void *, int32_t), void *arg)
{
	static const int32_t results[] = {HOSTD_OK, HOSTD_OK, HOSTD_E_IO,
	    HOSTD_E_TIMEOUT, HOSTD_E_STATE, HOSTD_E_FULL};
	struct fake_session *s;
	int32_t rc = find(host, h, "save of " EXT, &s);
	int32_t result = results[nsaved / 2 % 6];

	if (rc != HOSTD_OK && (rc != HOSTD_E_STATE || !s->destroyed))
		return rc;
	if (s->how->stateless || (s->ws != 0 && s->is_new))
		return HOSTD_E_NOTSUP;
	if (nsaved++ % 2 == 0) {
		s->destroyed |= result == HOSTD_E_STATE;
		s->is_new &= result != HOSTD_OK;
		return result;
	}
	s->phase = SAVING;
	s->is_new &= result != HOSTD_OK;
	wait_new(s, result, arg)->done = done;
	return HOSTD_DEFER;
}

const struct hostd_session_api fake_session_api = {
    .struct_size = sizeof(struct hostd_session_api),
    .open = api_open,
    .open_ws = api_open_ws,
    .get = api_get,
    .set = api_set,
    .del = api_del,
    .keys = api_keys,
    .id = api_id,
    .is_new = api_is_new,
    .set_max_age = api_set_max_age,
    .regenerate = api_regenerate,
    .destroy = api_destroy,
    .save = api_save,
};
