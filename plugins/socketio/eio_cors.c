/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <channel/pattern.h>
#include <hostd/easy.h>
#include "eio_cors.h"

#define ALLOW "Access-Control-Allow-"

/* -- the configuration -- */

/* The items of a list with commas between them.  *out NULL: there are none. */
static int
join(const struct hostd_conf *conf, const char *key, char **out)
{
	size_t size = 1, n = 0;
	hostd_buf word;
	uint32_t i;

	*out = NULL;
	for (i = 0; conf->get_item(conf, key, i, &word) == HOSTD_OK; i++)
		size += word.n + 1;
	if (i == 0)
		return 0;
	if ((*out = malloc(size)) == NULL)
		return -1;
	for (i = 0; conf->get_item(conf, key, i, &word) == HOSTD_OK; i++)
		n += (size_t)snprintf(*out + n, size - n, "%s%s",
		    i == 0 ? "" : ",", (const char *)word.p);
	return 0;
}

static int
read_origins(struct eio_cors *c, const struct hostd_conf *conf)
{
	uint32_t i;

	(void)conf->get_count(conf, "cors_origin", &c->norigins);
	if (c->norigins == 0)
		return 0;
	if ((c->origins = calloc(c->norigins, sizeof(*c->origins))) == NULL)
		return -1;
	for (i = 0; i < c->norigins; i++)
		(void)conf->get_item(conf, "cors_origin", i, &c->origins[i]);
	c->is_any = c->norigins == 1 && strcmp(c->origins[0].p, "*") == 0;
	c->is_mirror = c->norigins == 1 &&
	    strcmp(c->origins[0].p, "request") == 0;
	return 0;
}

int32_t
eio_cors_read(struct eio_cors *c, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	int64_t credentials = 0, max_age = 0;

	(void)conf->get_int(conf, "cors_credentials", &credentials);
	(void)conf->get_int(conf, "cors_max_age", &max_age);
	c->credentials = credentials != 0;
	if (max_age > 0)
		(void)snprintf(c->max_age, sizeof(c->max_age), "%lld",
		    (long long)(max_age / 1000));
	if (read_origins(c, conf) == -1 ||
	    join(conf, "cors_methods", &c->methods) == -1 ||
	    join(conf, "cors_allowed_headers", &c->allowed) == -1 ||
	    join(conf, "cors_exposed_headers", &c->exposed) == -1)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	if (c->is_any && c->credentials)
		return hostd_fail(err, HOSTD_E_INVAL, "cors_credentials: "
		    "browsers want to know the origin then; in cors_origin, "
		    "name those that may come in place of \"*\"");
	return HOSTD_OK;
}

void
eio_cors_free(struct eio_cors *c)
{
	free(c->origins);
	free(c->methods);
	free(c->allowed);
	free(c->exposed);
}

/* -- a request -- */

static hostd_buf
header_of(const struct hostd_request *r, const char *name)
{
	hostd_buf none = { NULL, 0 };
	size_t n = strlen(name);
	uint32_t i;

	for (i = 0; i < r->nheaders; i++)
		if (r->headers[i].name.n == n &&
		    strncasecmp(r->headers[i].name.p, name, n) == 0)
			return r->headers[i].value;
	return none;
}

/* What Access-Control-Allow-Origin says; p NULL: there is none. */
static hostd_buf
allowed_origin(const struct eio_cors *c, const struct hostd_request *r)
{
	hostd_buf origin = header_of(r, "Origin"), none = { NULL, 0 };

	if (c->is_any || (c->norigins == 1 && !c->is_mirror &&
	    memchr(c->origins[0].p, '*', c->origins[0].n) == NULL))
		return c->origins[0];
	if (origin.p != NULL && (c->is_mirror ||
	    pattern_match(c->origins, c->norigins, origin)))
		return origin;
	return none;
}

static void
add(hostd_hdr *out, uint32_t *n, const char *name, hostd_buf value)
{
	if (value.n == 0)
		return;
	out[*n].name = hostd_str(name);
	out[(*n)++].value = value;
}

static void
add_preflight(const struct eio_cors *c, const struct hostd_request *r,
    hostd_hdr *out, uint32_t *n)
{
	add(out, n, ALLOW "Methods", hostd_str(c->methods));
	add(out, n, ALLOW "Headers", c->allowed != NULL ?
	    hostd_str(c->allowed) :
	    header_of(r, "Access-Control-Request-Headers"));
	add(out, n, "Access-Control-Max-Age", hostd_str(c->max_age));
}

uint32_t
eio_cors_headers(const struct eio_cors *c, const struct hostd_request *r,
    int is_preflight, hostd_hdr *out)
{
	int mirrors = is_preflight && c->allowed == NULL;
	uint32_t n = 0;

	if (c->norigins == 0)
		return 0;
	add(out, &n, ALLOW "Origin", allowed_origin(c, r));
	if (c->credentials)
		add(out, &n, ALLOW "Credentials", hostd_str("true"));
	if (!c->is_any)
		add(out, &n, "Vary", hostd_str(mirrors ?
		    "Origin, Access-Control-Request-Headers" : "Origin"));
	else if (mirrors)
		add(out, &n, "Vary",
		    hostd_str("Access-Control-Request-Headers"));
	if (is_preflight)
		add_preflight(c, r, out, &n);
	add(out, &n, "Access-Control-Expose-Headers", hostd_str(c->exposed));
	return n;
}
