/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <strings.h>
#include "cache_control.h"

struct directive {
	hostd_buf name, value;		/* without quotes; p NULL: none */
};

void
cache_control_init(struct cache_control *c)
{
	c->flags = 0;
	c->max_age = c->s_maxage = -1;
	c->stale_while_revalidate = c->stale_if_error = -1;
}

int64_t
cache_seconds(const char *p, size_t n)
{
	int64_t v = 0;

	if (n == 0)
		return -1;
	for (; n > 0; p++, n--) {
		if (*p < '0' || *p > '9')
			return -1;
		v = v * 10 + (*p - '0');
		if (v > CC_SECONDS_MAX)
			v = CC_SECONDS_MAX;
	}
	return v;
}

static int
is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* A quoted string at *p, which gets behind it; -1: it does not end. */
static int
read_quoted(const char **p, const char *end, hostd_buf *out)
{
	const char *q = *p + 1;

	while (q < end && *q != '"')
		q += *q == '\\' && end - q > 1 ? 2 : 1;
	if (q >= end)
		return -1;
	out->p = *p + 1;
	out->n = (size_t)(q - *p) - 1;
	*p = q + 1;
	return 0;
}

static void
read_token(const char **p, const char *end, hostd_buf *out)
{
	out->p = *p;
	while (*p < end && **p != ',' && **p != '=' && **p != '"' &&
	    !is_space(**p))
		(*p)++;
	out->n = (size_t)(*p - (const char *)out->p);
}

/* The next directive: 1, 0 at the end, -1: malformed. */
static int
next_directive(const char **p, const char *end, struct directive *d)
{
	while (*p < end && (is_space(**p) || **p == ','))
		(*p)++;
	d->value = (hostd_buf){ NULL, 0 };
	if (*p == end)
		return 0;
	read_token(p, end, &d->name);
	if (*p < end && **p == '=') {
		(*p)++;
		if (*p < end && **p == '"') {
			if (read_quoted(p, end, &d->value) == -1)
				return -1;
		} else
			read_token(p, end, &d->value);
	}
	while (*p < end && is_space(**p))
		(*p)++;
	return d->name.n > 0 && (*p == end || **p == ',') ? 1 : -1;
}

/* Said twice, the shorter time counts; no number is no time at all. */
static void
least(int64_t *at, const struct directive *d)
{
	int64_t v = cache_seconds(d->value.p, d->value.n);

	if (v == -1)
		v = 0;
	if (*at == -1 || v < *at)
		*at = v;
}

static int
is_called(const struct directive *d, const char *name)
{
	return d->name.n == strlen(name) &&
	    strncasecmp(d->name.p, name, d->name.n) == 0;
}

static const struct {
	const char *name;
	unsigned flag;
} words[] = {
	{ "no-store", CC_NO_STORE },
	{ "no-cache", CC_NO_CACHE },
	{ "private", CC_PRIVATE },
	{ "public", CC_PUBLIC },
	{ "must-revalidate", CC_MUST_REVALIDATE },
	{ "proxy-revalidate", CC_MUST_REVALIDATE },
};

static void
take(struct cache_control *c, const struct directive *d)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_called(d, words[i].name))
			c->flags |= words[i].flag;
	if (is_called(d, "max-age"))
		least(&c->max_age, d);
	else if (is_called(d, "s-maxage"))
		least(&c->s_maxage, d);
	else if (is_called(d, "stale-while-revalidate"))
		least(&c->stale_while_revalidate, d);
	else if (is_called(d, "stale-if-error"))
		least(&c->stale_if_error, d);
}

void
cache_control_add(struct cache_control *c, hostd_buf value)
{
	const char *p = value.p, *end = p + value.n;
	struct directive d;
	int rc;

	if (value.n == 0)
		return;
	while ((rc = next_directive(&p, end, &d)) == 1)
		take(c, &d);
	if (rc == -1)
		c->flags |= CC_NO_STORE;
}
