/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <hostd/json.h>
#include <hostd/json_write.h>
#include "session/content.h"

#define DATE_ROOM	96	/* for "+275760-09-13T00:00:00.000Z" */
#define DATE_MAX	8640000000000000ll	/* ms that a Date can be */

static const hostd_buf cookie_key = { "cookie", 6 };

/* -- members of an object -- */

static hostd_buf
buf_view(const struct buf *b)
{
	return (hostd_buf){ b->p, b->len };
}

struct member {
	hostd_buf key;		/* with its quotes, as written */
	hostd_buf value;
	const char *from;	/* behind the member before it, or the
				   bracket */
	const char *to;		/* behind the value */
};

static int
next_member(struct hostd_json_walk *w, struct member *m)
{
	int rc;

	m->from = w->p;
	rc = hostd_json_next_member(w, &m->key, &m->value);
	m->to = w->p;
	return rc;
}

static int
is_document(hostd_buf text)
{
	return hostd_json_is_object(text) && hostd_json_ok(text);
}

/* One value, with which a member of an object is not nested too deeply? */
static int
is_value(hostd_buf text)
{
	const char *end = hostd_json_end_of(text), *p;

	if (!hostd_json_is_utf8(text))
		return 0;
	p = hostd_json_scan(text.p, end, 1);
	return p != NULL && hostd_json_blanks(p, end) == end;
}

static void
append_string(struct buf *b, hostd_buf bytes)
{
	b->len += hostd_json_quote(buf_reserve(b, hostd_json_quoted(bytes)),
	    bytes);
}

static void
append_between(struct buf *b, const char *from, const char *to)
{
	buf_append(b, from, (size_t)(to - from));
}

/* One pass over an object, that makes another of it. */
struct edit {
	struct buf *out;
	hostd_buf key, value;	/* value.p NULL: take the key away */
	const char *open;	/* behind the first bracket */
	const char *copied;	/* of the old text, up to here */
	int placed;		/* value is there */
	int members;		/* of the new one */
};

static void
edit_member(struct edit *e, const struct member *m)
{
	int named = hostd_json_says(m->key, e->key);
	const char *from = m->from;

	e->copied = m->to;
	if (named && (e->placed || e->value.p == NULL))
		return;
	/* The comma before it went with the others. */
	if (e->members++ == 0 && from != e->open)
		from = m->key.p;
	if (!named) {
		append_between(e->out, from, m->to);
		return;
	}
	e->placed = 1;
	append_between(e->out, from, m->value.p);
	buf_append(e->out, e->value.p, e->value.n);
}

static void
edit_append(struct edit *e)
{
	if (e->placed || e->value.p == NULL)
		return;
	if (e->members > 0)
		buf_append(e->out, ",", 1);
	append_string(e->out, e->key);
	buf_append(e->out, ":", 1);
	buf_append(e->out, e->value.p, e->value.n);
}

/* Into out: the object with that value for the key, once, where its first was,
 * or at the end; with value.p NULL without it.  Nothing else changes. */
static void
edit_object(struct buf *out, hostd_buf object, hostd_buf key, hostd_buf value)
{
	struct edit e = { out, key, value, NULL, NULL, 0, 0 };
	struct hostd_json_walk w = hostd_json_walk(object);
	struct member m;

	out->len = 0;
	append_between(out, object.p, w.p);
	e.open = e.copied = w.p;
	while (next_member(&w, &m))
		edit_member(&e, &m);
	edit_append(&e);
	append_between(out, e.copied, hostd_json_end_of(object));
}

static void
swap_spare(struct content *c)
{
	struct buf old = c->text;

	c->text = c->spare;
	c->spare = old;
	c->cookie_n = 0;
}

static void
set_text(struct buf *b, hostd_buf text)
{
	b->len = 0;
	buf_append(b, text.p, text.n);
}

/* -- "cookie" -- */

static hostd_buf
cookie_of(const struct content *c)
{
	if (c->cookie_n > 0)
		return (hostd_buf){ c->text.p + c->cookie_at, c->cookie_n };
	return hostd_json_find(buf_view(&c->text), cookie_key);
}

static hostd_buf
cookie_member(const struct content *c, const char *key)
{
	return hostd_json_find(cookie_of(c), (hostd_buf){ key, strlen(key) });
}

/* "2026-11-21T00:09:37.891Z", with its quotes; or null.  Returns its length. */
static size_t
date_text(char room[DATE_ROOM], int64_t ms)
{
	time_t when = (time_t)(ms / 1000);
	struct tm t;

	if (ms < 0 || ms > DATE_MAX || gmtime_r(&when, &t) == NULL)
		return (size_t)snprintf(room, DATE_ROOM, "null");
	return (size_t)snprintf(room, DATE_ROOM, t.tm_year < 8100 ?
	    "\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"" :
	    "\"+%06d-%02d-%02dT%02d:%02d:%02d.%03dZ\"",
	    t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min,
	    t.tm_sec, (int)(ms % 1000));
}

static void
put_bool(struct buf *b, const char *key, int value)
{
	buf_printf(b, ",\"%s\":%s", key, value ? "true" : "false");
}

static void
put_text(struct buf *b, const char *key, const char *text)
{
	buf_printf(b, ",\"%s\":", key);
	append_string(b, (hostd_buf){ text, strlen(text) });
}

/* What express-session makes of the same options, in its order. */
static void
put_cookie(struct buf *b, const struct conf_session *s, int64_t now_ms,
    int is_secure)
{
	static const char *const priorities[] = { NULL, "low", "medium",
		"high" };
	static const char *const samesites[] = { NULL, "lax", "strict",
		"none" };
	char date[DATE_ROOM];

	if (s->max_age > 0)
		buf_printf(b, "{\"originalMaxAge\":%lld",
		    (long long)s->max_age);
	else
		buf_puts(b, "{\"originalMaxAge\":null");
	if (s->partitioned)
		put_bool(b, "partitioned", 1);
	if (s->priority != CONF_PRIORITY_OFF)
		put_text(b, "priority", priorities[s->priority]);
	buf_puts(b, ",\"expires\":");
	buf_append(b, date, date_text(date,
	    s->max_age > 0 ? now_ms + s->max_age : -1));
	put_bool(b, "secure", s->secure == CONF_SECURE_ON ||
	    (s->secure == CONF_SECURE_AUTO && is_secure));
	put_bool(b, "httpOnly", s->httponly);
	if (s->domain != NULL)
		put_text(b, "domain", s->domain);
	put_text(b, "path", s->path);
	if (s->samesite != CONF_SAMESITE_OFF)
		put_text(b, "sameSite", samesites[s->samesite]);
	buf_puts(b, "}");
}

/* Give text the "cookie" of a new session. */
static void
renew_cookie(struct content *c, const struct conf_session *s, int64_t now_ms,
    int is_secure)
{
	struct buf fresh = { NULL, 0, 0 };

	put_cookie(&fresh, s, now_ms, is_secure);
	edit_object(&c->spare, buf_view(&c->text), cookie_key,
	    buf_view(&fresh));
	swap_spare(c);
	buf_free(&fresh);
}

static int
is_object(hostd_buf value)
{
	return value.p != NULL && *(const char *)value.p == '{';
}

/* -- beginning -- */

void
content_start(struct content *c, const struct conf_session *s, int64_t now_ms,
    int is_secure)
{
	c->loaded.len = c->keys.len = c->nsaving = c->text.len = 0;
	c->age = CONTENT_AGE_KEPT;
	c->max = (size_t)s->max_size;
	c->is_new = 1;
	buf_puts(&c->text, "{\"cookie\":");
	c->cookie_at = c->text.len;
	put_cookie(&c->text, s, now_ms, is_secure);
	c->cookie_n = c->text.len - c->cookie_at;
	buf_puts(&c->text, "}");
}

int32_t
content_load(struct content *c, const struct conf_session *s, hostd_buf text,
    int64_t now_ms, int is_secure)
{
	hostd_buf cookie;

	if (text.n > (size_t)s->max_size + CONTENT_SLACK)
		return HOSTD_E_FULL;
	if (!is_document(text))
		return HOSTD_E_INVAL;
	set_text(&c->text, text);
	set_text(&c->loaded, text);
	c->keys.len = c->nsaving = 0;
	c->age = CONTENT_AGE_KEPT;
	c->max = (size_t)s->max_size;
	c->is_new = 0;
	cookie = hostd_json_find(text, cookie_key);
	if (!is_object(cookie)) {
		renew_cookie(c, s, now_ms, is_secure);
		return HOSTD_OK;
	}
	c->cookie_at = (size_t)((const char *)cookie.p - (const char *)text.p);
	c->cookie_n = cookie.n;
	return HOSTD_OK;
}

void
content_renew(struct content *c, const struct conf_session *s, int64_t now_ms,
    int is_secure)
{
	renew_cookie(c, s, now_ms, is_secure);
	c->loaded.len = c->keys.len = c->nsaving = 0;
	c->is_new = 1;
}

void
content_free(struct content *c)
{
	buf_free(&c->text);
	buf_free(&c->loaded);
	buf_free(&c->saving);
	buf_free(&c->keys);
	buf_free(&c->spare);
}

/* -- reading and changing -- */

int32_t
content_get(const struct content *c, hostd_buf key, hostd_buf *value)
{
	*value = hostd_json_find(buf_view(&c->text), key);
	return value->p != NULL ? HOSTD_OK : HOSTD_E_INVAL;
}

static int
same(hostd_buf a, hostd_buf b)
{
	return a.n == b.n && (a.p == NULL) == (b.p == NULL) &&
	    (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static int
is_key(hostd_buf key)
{
	return key.n > 0 && key.n <= CONTENT_KEY_MAX &&
	    hostd_json_is_utf8(key) && !same(key, cookie_key);
}

/* The next of the keys that were changed here, or 0; *at starts with 0. */
static int
next_key(const struct content *c, size_t *at, hostd_buf *key)
{
	if (*at == c->keys.len)
		return 0;
	key->n = (unsigned char)c->keys.p[*at];
	key->p = c->keys.p + *at + 1;
	*at += key->n + 1;
	return 1;
}

/* Once, unless the store is being given an older value. */
static void
note_key(struct content *c, hostd_buf key)
{
	char len = (char)key.n;
	hostd_buf known;
	size_t at = c->nsaving;

	while (next_key(c, &at, &known))
		if (same(known, key))
			return;
	buf_append(&c->keys, &len, 1);
	buf_append(&c->keys, key.p, key.n);
}

static hostd_buf
trimmed(hostd_buf value)
{
	const char *p = value.p, *end = hostd_json_end_of(value);

	while (p < end && strchr(" \t\r\n", *p) != NULL)
		p++;
	while (end > p && strchr(" \t\r\n", end[-1]) != NULL)
		end--;
	return (hostd_buf){ p, (size_t)(end - p) };
}

static int32_t
change(struct content *c, hostd_buf key, hostd_buf value)
{
	edit_object(&c->spare, buf_view(&c->text), key, value);
	if (c->spare.len > c->max && c->spare.len > c->text.len)
		return HOSTD_E_FULL;
	swap_spare(c);
	note_key(c, key);
	return HOSTD_OK;
}

int32_t
content_set(struct content *c, hostd_buf key, hostd_buf value)
{
	if (!is_key(key) || !is_value(value))
		return HOSTD_E_INVAL;
	value = trimmed(value);
	if (same(hostd_json_find(buf_view(&c->text), key), value))
		return HOSTD_OK;
	return change(c, key, value);
}

int32_t
content_del(struct content *c, hostd_buf key)
{
	static const hostd_buf none = { NULL, 0 };

	if (!is_key(key) || hostd_json_find(buf_view(&c->text), key).p == NULL)
		return HOSTD_OK;
	return change(c, key, none);
}

void
content_keys(const struct content *c, struct buf *out)
{
	const char *before = "[";
	struct hostd_json_walk w = hostd_json_walk(buf_view(&c->text));
	struct member m;

	while (next_member(&w, &m)) {
		if (hostd_json_says(m.key, cookie_key))
			continue;
		buf_puts(out, before);
		buf_append(out, m.key.p, m.key.n);
		before = ",";
	}
	buf_puts(out, *before == '[' ? "[]" : "]");
}

/* -- what has changed -- */

static int
next_own(struct hostd_json_walk *w, struct member *m)
{
	while (next_member(w, m))
		if (!hostd_json_says(m->key, cookie_key))
			return 1;
	return 0;
}

int
content_is_changed(const struct content *c)
{
	struct hostd_json_walk now, then;
	struct member m, was;

	/* An age alone makes nobody a session. */
	if (c->age != CONTENT_AGE_KEPT && !c->is_new)
		return 1;
	if (c->keys.len == 0 && c->loaded.len > 0)
		return 0;
	now = hostd_json_walk(buf_view(&c->text));
	then = hostd_json_walk(buf_view(&c->loaded));
	while (next_own(&now, &m))
		if (!next_own(&then, &was) || !same(m.key, was.key) ||
		    !same(m.value, was.value))
			return 1;
	return next_own(&then, &was);
}

void
content_saving(struct content *c)
{
	set_text(&c->saving, buf_view(&c->text));
	c->nsaving = c->keys.len;
	if (c->age == CONTENT_AGE_SET)
		c->age = CONTENT_AGE_SAVING;
}

void
content_saved(struct content *c)
{
	struct buf old = c->loaded;

	c->loaded = c->saving;
	c->saving = old;
	buf_consume(&c->keys, c->nsaving);
	c->nsaving = 0;
	if (c->age == CONTENT_AGE_SAVING)
		c->age = CONTENT_AGE_KEPT;
	c->is_new = 0;
}

/* -- how long it lives -- */

/* originalMaxAge, or 0: null, or nothing that Node would take. */
static int
max_age_of(const struct content *c, int64_t *ms)
{
	return hostd_json_int(cookie_member(c, "originalMaxAge"), ms);
}

/* For when a member of "cookie" has another length, or was not there. */
static void
set_cookie_member(struct content *c, const char *key, hostd_buf value)
{
	struct buf cookie = { NULL, 0, 0 };

	edit_object(&cookie, cookie_of(c), (hostd_buf){ key, strlen(key) },
	    value);
	edit_object(&c->spare, buf_view(&c->text), cookie_key,
	    buf_view(&cookie));
	swap_spare(c);
	buf_free(&cookie);
}

void
content_set_max_age(struct content *c, int64_t ms)
{
	char number[32];
	int n = ms > 0 ? snprintf(number, sizeof(number), "%lld",
	    (long long)ms) : snprintf(number, sizeof(number), "null");

	set_cookie_member(c, "originalMaxAge",
	    (hostd_buf){ number, (size_t)n });
	c->age = CONTENT_AGE_SET;
}

int64_t
content_extend(struct content *c, int64_t now_ms)
{
	hostd_buf old = cookie_member(c, "expires"), new;
	char date[DATE_ROOM];
	int64_t age, when = -1;

	if (max_age_of(c, &age) && now_ms + age >= 0 &&
	    now_ms + age <= DATE_MAX)
		when = now_ms + age;
	new = (hostd_buf){ date, date_text(date, when) };
	if (old.n == new.n)
		memcpy(c->text.p + ((const char *)old.p - c->text.p), new.p,
		    new.n);
	else if (old.p != NULL || when >= 0)
		set_cookie_member(c, "expires", new);
	return when;
}

int64_t
content_ttl(const struct content *c, const struct conf_session *s)
{
	int64_t age;

	return max_age_of(c, &age) ? age : s->ttl;
}

/* -- what somebody else has stored -- */

/* Make the changes of c in newer; spare is where each step is made. */
static void
change_newer(const struct content *c, struct buf *newer, struct buf *spare)
{
	hostd_buf key, ours, text = buf_view(&c->text);
	struct buf old;
	size_t at = 0;

	while (next_key(c, &at, &key)) {
		ours = hostd_json_find(text, key);
		if (same(ours, hostd_json_find(buf_view(&c->loaded), key)))
			continue;
		edit_object(spare, buf_view(newer), key, ours);
		old = *newer;
		*newer = *spare;
		*spare = old;
	}
	if (is_object(hostd_json_find(buf_view(newer), cookie_key)))
		return;
	edit_object(spare, buf_view(newer), cookie_key,
	    hostd_json_find(text, cookie_key));
	old = *newer;
	*newer = *spare;
	*spare = old;
}

int32_t
content_merge(struct content *c, hostd_buf newer)
{
	struct buf merged = { NULL, 0, 0 };
	int32_t rc = HOSTD_E_FULL;
	int64_t age = 0;

	(void)max_age_of(c, &age);
	/* It has been in the store, so it may be. */
	if (newer.n > c->max + CONTENT_SLACK)
		return HOSTD_E_FULL;
	if (!is_document(newer))
		return HOSTD_E_INVAL;
	set_text(&merged, newer);
	change_newer(c, &merged, &c->spare);
	if (merged.len <= c->max || merged.len <= newer.n) {
		set_text(&c->text, buf_view(&merged));
		c->cookie_n = 0;
		set_text(&c->loaded, newer);
		c->nsaving = 0;
		c->is_new = 0;
		if (c->age != CONTENT_AGE_KEPT)
			content_set_max_age(c, age);
		rc = HOSTD_OK;
	}
	buf_free(&merged);
	return rc;
}
