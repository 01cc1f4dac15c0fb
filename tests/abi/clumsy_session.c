/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As clumsy.c, of routes that ask for their sessions: a page that says who is
 * there, and counts.
 *
 * 1	touched memory lent to
 * 2	called get of hostd.session/1 with no key
 * 3	called get of hostd.session/1 with a key and flags 0x6
 * 4	called open of hostd.session/1 without a place for the session
 * 5	called open of hostd.session/1 without a function
 * 6	but there was no answer
 * 7	crashed with SIGSEGV
 * 8	is there a global variable?
 * 9	which is [loop], on another thread
 * 10	called set of hostd.session/1 with 3 bytes at NULL
 * 11	called keys of hostd.session/1 without a place
 * 12	without hostd.session/1: crashed with SIGSEGV
 * 13	crashed with SIGABRT, while in on_headers
 * 14	leaks about
 */
#include <pthread.h>

#include <hostd/easy.h>
#include <hostd/session.h>

#ifndef MISTAKE
#define MISTAKE 0
#endif
/* A constant, so that all of it is compiled, whichever is chosen. */
#define IS(n) (MISTAKE == (n))

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_session_api *session;
};

static const struct hostd_host *global_host;
static const volatile char *seen;
static void *lost;

struct visit {
	hostd_req req;
	hostd_session session;
};

static void *
ask_badly(void *arg)
{
	struct hostd_inst *in = arg;
	hostd_session none = { 1 };

	(void)in->session->is_new(in->easy.host, none);
	return NULL;
}

static void
misuse(struct hostd_inst *in, hostd_session s)
{
	const struct hostd_host *host = in->easy.host;
	hostd_buf b = { NULL, 3 };
	pthread_t t;

	if (IS(2))
		(void)in->session->get(host, s, NULL, 0, &b);
	if (IS(3))
		(void)in->session->get(host, s, "user", 6, &b);
	if (IS(9) && pthread_create(&t, NULL, ask_badly, in) == 0)
		(void)pthread_join(t, NULL);
	if (IS(10))
		(void)in->session->set(host, s, "a", 0, b);
	if (IS(11))
		(void)in->session->keys(host, s, NULL);
	if (IS(14))
		lost = malloc(50);
}

static void
page(struct hostd_inst *in, void *arg, hostd_session s, int32_t status)
{
	const struct hostd_host *host = IS(8) ? global_host : in->easy.host;
	struct visit *v = arg;
	hostd_buf user = { NULL, 0 }, one = { "1", 1 };
	char text[2000];

	if (IS(13) && status != HOSTD_OK)
		abort();
	misuse(in, s);
	if (status != HOSTD_OK || in->session->get(host, s, "user", 0,
	    &user) != HOSTD_OK) {
		if (!IS(6))
			(void)hostd_respond(in, v->req, 503, "text/plain",
			    "later\n");
		return;
	}
	if (IS(1) && seen != NULL && *seen == '?')
		return;
	if (IS(1))
		seen = user.p;
	(void)in->session->set(host, s, "visits", 0, one);
	/* It is no C string. */
	(void)snprintf(text, sizeof(text), "%zu %.*s\n",
	    IS(7) ? strlen(user.p) : user.n, (int)user.n,
	    user.p == NULL ? "" : (const char *)user.p);
	(void)hostd_respond(in, v->req, 200, "text/plain", text);
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	struct visit *v = d;
	int32_t rc;

	v->req = req;
	rc = in->session->open(in->easy.host, req, IS(4) ? NULL : &v->session,
	    IS(5) ? NULL : page, v);
	if (rc == HOSTD_DEFER)
		return rc;
	page(in, v, v->session, rc);
	return HOSTD_OK;
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = calloc(1, sizeof(*in));

	(void)conf;
	if (in == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	if (hostd_easy_init(&in->easy, host, err) != HOSTD_OK) {
		free(in);
		return HOSTD_E_NOTSUP;
	}
	in->session = in->easy.session;
	if ((in->session == NULL || !HOSTD_HAS(in->session, save)) &&
	    !IS(12)) {
		free(in);
		return hostd_fail(err, HOSTD_E_NOTSUP, "too old a host");
	}
	if (global_host == NULL)
		global_host = host;
	*out = in;
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	if (lost == in)
		abort();
	if (global_host == in->easy.host)
		global_host = NULL;
	free(in);
}

static const struct hostd_http_ops ops = { .struct_size = sizeof(ops),
	.data_size = sizeof(struct visit), .on_headers = on_headers };
static const struct hostd_provide provide = { .struct_size = sizeof(provide),
	.kind = HOSTD_KIND_HTTP_ROUTE, .ops = &ops };
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(3), "clumsy_session", "1.0",
	HOSTD_SDK_VERSION, provides, NULL, NULL, create, NULL, NULL, destroy,
	NULL };
