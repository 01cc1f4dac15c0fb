/* SPDX-License-Identifier: BSD-2-Clause */
/* For session_route.c: steps that are done at once. */
#ifndef SESSION_ROUTE_STEPS_H
#define SESSION_ROUTE_STEPS_H

#include "run.h"

/* -- steps on keys; texts are decoded, "": there is none -- */

static int32_t
do_get(struct run *r, const char *key, const char *value)
{
	hostd_buf b = { NULL, 0 };
	int32_t rc = r->in->session->get(r->in->easy.host, r->s, key, 0, &b);

	(void)value;
	put_result(r, rc, b);
	return HOSTD_OK;
}

static int32_t
do_text(struct run *r, const char *key, const char *value)
{
	hostd_buf b = { NULL, 0 };
	int32_t rc = r->in->session->get(r->in->easy.host, r->s, key,
	    HOSTD_SESSION_TEXT, &b);

	(void)value;
	put_text(r, rc, b);
	return HOSTD_OK;
}

static int32_t
set(struct run *r, const char *key, uint32_t flags, const char *value)
{
	return r->in->session->set(r->in->easy.host, r->s, key, flags,
	    hostd_str(value));
}

static int32_t
do_set(struct run *r, const char *key, const char *value)
{
	return put_code(r, set(r, key, 0, value));
}

static int32_t
do_settext(struct run *r, const char *key, const char *value)
{
	return put_code(r, set(r, key, HOSTD_SESSION_TEXT, value));
}

static int32_t
do_big(struct run *r, const char *key, const char *value)
{
	size_t n = strtoul(value, NULL, 10);
	char *text = malloc(n + 1);

	memset(text, 'x', n);
	text[n] = '\0';
	put_code(r, set(r, key, HOSTD_SESSION_TEXT, text));
	free(text);
	return HOSTD_OK;
}

static int32_t
do_del(struct run *r, const char *key, const char *value)
{
	(void)value;
	return put_code(r, r->in->session->del(r->in->easy.host, r->s, key));
}

static int32_t
do_count(struct run *r, const char *key, const char *value)
{
	hostd_buf b = { NULL, 0 };
	char text[32] = "";
	int32_t rc = r->in->session->get(r->in->easy.host, r->s, key, 0, &b);

	(void)value;
	if (b.p != NULL)
		(void)snprintf(text, sizeof(text), "%.*s", (int)b.n,
		    (const char *)b.p);
	(void)snprintf(text, sizeof(text), "%ld", strtol(text, NULL, 10) + 1);
	if (rc == HOSTD_OK)
		rc = set(r, key, 0, text);
	return put_result(r, rc, hostd_str(text));
}

/* -- steps on the session -- */

static int32_t
do_keys(struct run *r, const char *arg, const char *value)
{
	hostd_buf b = { NULL, 0 };
	int32_t rc = r->in->session->keys(r->in->easy.host, r->s, &b);

	(void)arg;
	(void)value;
	return put_result(r, rc, b);
}

static int32_t
do_id(struct run *r, const char *arg, const char *value)
{
	hostd_buf b = { NULL, 0 };
	int32_t rc = r->in->session->id(r->in->easy.host, r->s, &b);

	(void)arg;
	(void)value;
	return put_text(r, rc, b);
}

static int32_t
do_new(struct run *r, const char *arg, const char *value)
{
	int32_t rc = r->in->session->is_new(r->in->easy.host, r->s);

	(void)arg;
	(void)value;
	return put_number(r, rc, (unsigned)rc);
}

static int32_t
do_age(struct run *r, const char *arg, const char *value)
{
	(void)value;
	return put_code(r, r->in->session->set_max_age(r->in->easy.host, r->s,
	    strtoll(arg, NULL, 10)));
}

static int32_t
do_regenerate(struct run *r, const char *arg, const char *value)
{
	(void)arg;
	(void)value;
	return put_code(r, r->in->session->regenerate(r->in->easy.host,
	    r->s));
}

static int32_t
do_destroy(struct run *r, const char *arg, const char *value)
{
	(void)arg;
	(void)value;
	return put_code(r, r->in->session->destroy(r->in->easy.host, r->s));
}

/* Beyond the integers of JavaScript. */
static int32_t
do_handle(struct run *r, const char *arg, const char *value)
{
	char text[32];

	(void)arg;
	(void)value;
	(void)snprintf(text, sizeof(text), "%llu",
	    (unsigned long long)r->s.id);
	return put_text(r, HOSTD_OK, hostd_str(text));
}

static int32_t
do_misuse(struct run *r, const char *arg, const char *value)
{
	const struct hostd_session_api *api = r->in->session;
	const struct hostd_host *h = r->in->easy.host;
	hostd_buf v = hostd_str("1"), none = { NULL, 0 }, b;
	hostd_session stale = { ~r->s.id };
	const int32_t rc[] = {
		/* 0: E_INVAL */
		api->open(h, r->req, NULL, NULL, NULL),
		api->get(h, r->s, NULL, 0, &b),
		api->get(h, r->s, "k", 8, &b),
		api->get(h, r->s, "k", 0, NULL),
		api->set(h, r->s, NULL, 0, v),
		api->set(h, r->s, "k", 8, v),
		api->set(h, r->s, "k", 0, none),
		api->set(h, r->s, "", 0, v),
		api->set(h, r->s, "cookie", 0, v),
		api->del(h, r->s, NULL),
		api->keys(h, r->s, NULL),
		api->id(h, r->s, NULL),
		api->set_max_age(h, r->s, -1),
		api->set_max_age(h, r->s, INT64_MAX),
		/* 14: E_GONE */
		api->open(h, (hostd_req){ 0 }, &stale, NULL, NULL),
		api->open_ws(h, (hostd_ws){ 0 }, &stale, NULL, NULL),
		api->get(h, stale, "k", 0, &b), api->set(h, stale, "k", 0, v),
		api->del(h, stale, "k"), api->keys(h, stale, &b),
		api->id(h, stale, &b), api->is_new(h, stale),
		api->set_max_age(h, stale, 1), api->regenerate(h, stale),
		api->destroy(h, stale), api->save(h, stale, NULL, NULL),
	};
	char text[512] = "[";
	size_t i, n = 1;

	(void)arg;
	(void)value;
	for (i = 0; i < sizeof(rc) / sizeof(rc[0]); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "\"%s\",",
		    name_of(rc[i]));
	text[n - 1] = ']';
	return put_result(r, HOSTD_OK, hostd_str(text));
}

#endif
