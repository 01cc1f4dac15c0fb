/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As clumsy.c, of plugins that hold back readiness.
 *
 * 1	held readiness without a reason
 * 2	when start had returned
 * 3	released readiness, of which nothing was held
 * 4	and waits for nothing that could release it
 * 5	released readiness with status 1 and no text
 * 6	without hostd.ready/1: crashed with SIGSEGV
 * 7	which is [loop], on another thread
 */
#include <pthread.h>

#include <hostd/easy.h>
#include <hostd/ready.h>
#include <hostd/timer.h>

#ifndef MISTAKE
#define MISTAKE 0
#endif
/* A constant, so that all of it is compiled, whichever is chosen. */
#define IS(n) (MISTAKE == (n))

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_ready_api *ready;
};

static const hostd_buf none;

static void *
release(void *arg)
{
	struct hostd_inst *in = arg;

	(void)in->ready->release(in->easy.host, IS(5) ? 1 : HOSTD_OK, none);
	return NULL;
}

static void
connected(struct hostd_inst *in, hostd_timer t, void *arg)
{
	pthread_t thread;

	(void)t, (void)arg;
	if (!IS(7) || pthread_create(&thread, NULL, release, in) != 0)
		(void)release(in);
	else
		(void)pthread_join(thread, NULL);
	if (IS(3))
		(void)release(in);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	int32_t rc = hostd_easy_create(sizeof(**out), host, out, err);

	(void)conf;
	if (rc == HOSTD_OK)
		(*out)->ready = host->get_ext(host, HOSTD_EXT_READY);
	return rc;
}

static int32_t
start(struct hostd_inst *in)
{
	const struct hostd_host *host = in->easy.host;
	const struct hostd_timer_api *timers = host->get_ext(host,
	    HOSTD_EXT_TIMER);
	hostd_timer t;

	if (timers == NULL || (in->ready == NULL && !IS(6)))
		return HOSTD_OK;
	(void)in->ready->hold(host, IS(1) ? "" : "connecting");
	if (IS(4))
		return HOSTD_OK;
	return timers->start(host, 500, 0, connected, NULL, &t);
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	(void)d;
	if (IS(2))
		(void)in->ready->hold(in->easy.host, "too late");
	return hostd_respond(in, req, 200, "text/plain", "ready");
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_http_ops ops = { sizeof(ops), 0, 0, 0, on_headers,
	NULL, NULL, NULL };
static const struct hostd_provide provide = { sizeof(provide), 0,
	HOSTD_KIND_HTTP_ROUTE, NULL, &ops, "/clumsy" };
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), "clumsy", "1.0", HOSTD_SDK_VERSION,
	provides, NULL, NULL, create, start, NULL, destroy, NULL };
