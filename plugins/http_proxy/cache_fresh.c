/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <strings.h>
#include <web/date.h>
#include "cache_control.h"
#include "cache_fresh.h"

/* What the headers say. */
struct said {
	struct cache_control cc;
	int64_t date, age, expires;	/* -1: nothing */
	int validator, cookie, vary_all;
};

static int
is_called(hostd_buf b, const char *name)
{
	return b.n == strlen(name) && strncasecmp(b.p, name, b.n) == 0;
}

hostd_buf
fresh_header(const hostd_hdr *h, uint32_t n, const char *name)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (is_called(h[i].name, name))
			return h[i].value;
	return (hostd_buf){ NULL, 0 };
}

/* Repeated: the first one counts, as with one that is no date. */
static void
read_date(hostd_buf value, int64_t wrong, int64_t *out)
{
	time_t t;

	if (*out == -1)
		*out = date_parse(value.p, value.n, &t) == 0 && t >= 0 ?
		    (int64_t)t : wrong;
}

static void
read_one(const hostd_hdr *h, struct said *s)
{
	if (is_called(h->name, "Cache-Control"))
		cache_control_add(&s->cc, h->value);
	else if (is_called(h->name, "Date"))
		read_date(h->value, -1, &s->date);
	else if (is_called(h->name, "Expires"))
		read_date(h->value, 0, &s->expires);
	else if (is_called(h->name, "Age") && s->age == -1)
		s->age = cache_seconds(h->value.p, h->value.n);
	else if (is_called(h->name, "ETag") ||
	    is_called(h->name, "Last-Modified"))
		s->validator = 1;
	else if (is_called(h->name, "Set-Cookie"))
		s->cookie = 1;
	else if (is_called(h->name, "Vary") && h->value.n > 0 &&
	    memchr(h->value.p, '*', h->value.n) != NULL)
		s->vary_all = 1;
}

static void
read_all(const struct fresh_facts *f, struct said *s)
{
	uint32_t i;

	memset(s, 0, sizeof(*s));
	cache_control_init(&s->cc);
	s->date = s->age = s->expires = -1;
	for (i = 0; i < f->nheaders; i++)
		read_one(&f->headers[i], s);
}

/* -1: nobody says; guesses (section 4.2.2) are not made. */
static int64_t
lifetime(const struct fresh_facts *f, const struct said *s)
{
	int64_t from = s->date != -1 ? s->date : f->now;
	uint32_t i;

	if (s->cc.s_maxage != -1)
		return s->cc.s_maxage;
	if (s->cc.max_age != -1)
		return s->cc.max_age;
	if (s->expires != -1)
		return s->expires > from ? s->expires - from : 0;
	for (i = 0; i < f->nrules; i++)
		if (f->rules[i].status == 0 || f->rules[i].status == f->status)
			return f->rules[i].seconds;
	/* Asked for each time, which is cheap if it has not changed. */
	return s->cc.flags & CC_NO_CACHE && s->validator ? 0 : -1;
}

static int
may_be_kept(const struct fresh_facts *f, const struct said *s)
{
	if (f->status < 200 || f->status == 206 || f->status == 304)
		return 0;
	if (s->cc.flags & (CC_NO_STORE | CC_PRIVATE))
		return 0;
	/* Not said by the RFC, but cookies are mostly somebody's. */
	if (s->cookie || s->vary_all)
		return 0;
	return !f->authorized || s->cc.s_maxage != -1 ||
	    s->cc.flags & (CC_PUBLIC | CC_MUST_REVALIDATE);
}

int
fresh_judge(const struct fresh_facts *f, struct freshness *out)
{
	struct said s;
	int64_t apparent;

	read_all(f, &s);
	memset(out, 0, sizeof(*out));
	if (!may_be_kept(f, &s) || (out->lifetime = lifetime(f, &s)) == -1)
		return -1;
	out->stored = f->now;
	apparent = s.date != -1 && f->now > s.date ? f->now - s.date : 0;
	out->age = s.age > apparent ? s.age : apparent;
	if (s.cc.stale_while_revalidate > 0)
		out->while_revalidate = s.cc.stale_while_revalidate;
	if (s.cc.stale_if_error > 0)
		out->if_error = s.cc.stale_if_error;
	if (s.cc.flags & CC_NO_CACHE)
		out->flags |= FRESH_NO_CACHE | FRESH_NO_STALE;
	/* s-maxage means it, too, unless it is said how stale it may be. */
	if (s.cc.flags & CC_MUST_REVALIDATE || (s.cc.s_maxage != -1 &&
	    out->while_revalidate + out->if_error == 0))
		out->flags |= FRESH_NO_STALE;
	if (s.cc.flags & (CC_PUBLIC | CC_MUST_REVALIDATE) ||
	    s.cc.s_maxage != -1)
		out->flags |= FRESH_SHARED;
	if (fresh_is(out, f->now) || s.validator)
		return 0;
	return out->while_revalidate + out->if_error > 0 &&
	    !(out->flags & FRESH_NO_STALE) ? 0 : -1;
}

/* A clock that went back makes it no younger. */
int64_t
fresh_age(const struct freshness *f, int64_t now)
{
	return f->age + (now > f->stored ? now - f->stored : 0);
}

int
fresh_is(const struct freshness *f, int64_t now)
{
	return !(f->flags & FRESH_NO_CACHE) && now >= f->stored - 1 &&
	    f->lifetime > fresh_age(f, now);
}

int64_t
fresh_over(const struct freshness *f, int64_t now)
{
	int64_t over = fresh_age(f, now) - f->lifetime;

	return fresh_is(f, now) ? 0 : over > 0 ? over : 1;
}
