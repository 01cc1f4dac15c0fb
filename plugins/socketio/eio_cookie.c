/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/easy.h>
#include "eio_cookie.h"

#define VALUE_MAX_LEN	64

/* RFC 6265 section 4.1.1: a token. */
static int
is_name(hostd_buf b)
{
	const unsigned char *p = b.p;
	size_t i;

	for (i = 0; i < b.n; i++)
		if (p[i] <= 0x20 || p[i] >= 0x7f ||
		    strchr("()<>@,;:\\\"/[]?={}", p[i]) != NULL)
			return 0;
	return 1;
}

static int
is_attribute(hostd_buf b)
{
	const unsigned char *p = b.p;
	size_t i;

	for (i = 0; i < b.n; i++)
		if (p[i] < 0x20 || p[i] >= 0x7f || p[i] == ';')
			return 0;
	return 1;
}

static const char *
flag(const struct hostd_conf *conf, const char *key, const char *text)
{
	int64_t on = 0;

	(void)conf->get_int(conf, key, &on);
	return on ? text : "";
}

static int32_t
make_rest(struct eio_cookie *c, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	static const char *const same_site[] = { "", "; SameSite=Lax",
		"; SameSite=Strict", "; SameSite=None" };
	char age[40] = "", rest[EIO_COOKIE_MAX];
	hostd_buf path = { NULL, 0 }, domain = { NULL, 0 };
	int64_t max_age = 0, site = 0;

	(void)conf->get_int(conf, "cookie_max_age", &max_age);
	(void)conf->get_int(conf, "cookie_same_site", &site);
	(void)conf->get_str(conf, "cookie_path", &path);
	(void)conf->get_str(conf, "cookie_domain", &domain);
	if (!is_attribute(path) || !is_attribute(domain))
		return hostd_fail(err, HOSTD_E_INVAL, "cookie_path, "
		    "cookie_domain: they can't have \";\" or control bytes");
	if (max_age > 0)
		(void)snprintf(age, sizeof(age), "; Max-Age=%lld",
		    (long long)(max_age / 1000));
	if ((size_t)snprintf(rest, sizeof(rest), "%s%s%.*s%s%.*s%s%s%s", age,
	    domain.n > 0 ? "; Domain=" : "", (int)domain.n,
	    domain.n > 0 ? (const char *)domain.p : "",
	    path.n > 0 ? "; Path=" : "", (int)path.n,
	    path.n > 0 ? (const char *)path.p : "",
	    flag(conf, "cookie_http_only", "; HttpOnly"),
	    flag(conf, "cookie_secure", "; Secure"), same_site[site]) +
	    c->name.n + VALUE_MAX_LEN > sizeof(rest))
		return hostd_fail(err, HOSTD_E_INVAL, "cookie: with its "
		    "attributes it is too long");
	c->rest = strdup(rest);
	return c->rest == NULL ? hostd_fail(err, HOSTD_E_NOMEM,
	    "out of memory") : HOSTD_OK;
}

int32_t
eio_cookie_read(struct eio_cookie *c, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	(void)conf->get_str(conf, "cookie", &c->name);
	if (c->name.n == 0)
		return HOSTD_OK;
	if (!is_name(c->name))
		return hostd_fail(err, HOSTD_E_INVAL, "cookie: \"%s\" is no "
		    "name for one", (const char *)c->name.p);
	return make_rest(c, conf, err);
}

void
eio_cookie_free(struct eio_cookie *c)
{
	free(c->rest);
}

hostd_buf
eio_cookie_make(const struct eio_cookie *c, const char *id, char *room)
{
	int n = snprintf(room, EIO_COOKIE_MAX, "%s=%s%s",
	    (const char *)c->name.p, id, c->rest);
	hostd_buf b = { room, (size_t)n };

	return b;
}
