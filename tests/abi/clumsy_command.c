/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As clumsy.c, of plugins with commands.
 *
 * 1	called put of hostd.op/1 with 5 bytes at NULL
 * 2	called complete of hostd.op/1 with status 1
 * 3	command later returned 1
 * 4	command later has not answered within 10 s, and waits for nothing
 * 5	says that its result is JSON, and it is not: {
 * 6	the result of command later is not UTF-8
 * 7	called complete of hostd.op/1, which is [loop], on another thread
 * 8	without hostd.op/1: crashed with SIGSEGV
 * 9	from create to destroy leaks about
 */
#include <pthread.h>

#include <hostd/easy.h>
#include <hostd/timer.h>

#ifndef MISTAKE
#define MISTAKE 0
#endif
/* A constant, so that all of it is compiled, whichever is chosen. */
#define IS(n) (MISTAKE == (n))

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_timer_api *timers;
};

struct job {
	struct hostd_inst *in;
	hostd_op op;
};

static void *
answer(void *arg)
{
	struct job *j = arg;
	const char *text = IS(5) ? "{" : IS(6) ? "\xff" : "\"done\"";

	(void)hostd_reply(j->in, j->op, IS(2) ? 1 : HOSTD_OK, "%s", text);
	return NULL;
}

static void
fire(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct job *j = arg;
	pthread_t thread;

	(void)in, (void)t;
	if (!IS(7) || pthread_create(&thread, NULL, answer, j) != 0)
		(void)answer(j);
	else
		(void)pthread_join(thread, NULL);
	if (!IS(9))
		free(j);
}

static int32_t
later(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv, hostd_op op)
{
	hostd_buf nothing = { NULL, IS(1) ? 5 : 0 };
	struct job *j;
	hostd_timer t;

	(void)argc, (void)argv;
	if (IS(8))
		(void)in->easy.op->put(in->easy.host, op, nothing);
	if (in->easy.op == NULL || in->timers == NULL ||
	    !HOSTD_HAS(in->easy.op, complete) ||
	    !HOSTD_HAS(in->timers, start))
		return HOSTD_E_NOTSUP;
	(void)in->easy.op->put(in->easy.host, op, nothing);
	if (IS(3))
		return 1;
	if (IS(4))
		return HOSTD_DEFER;
	if ((j = calloc(1, sizeof(*j))) == NULL)
		return HOSTD_E_NOMEM;
	j->in = in;
	j->op = op;
	(void)in->timers->start(in->easy.host, 50, 0, fire, j, &t);
	return HOSTD_DEFER;
}

static const struct hostd_cmd row = {
	sizeof(row), IS(6) ? 0 : HOSTD_CMD_JSON, "later", "[WORD]", NULL, 0, 1,
	later
};
static const struct hostd_cmd *const cmds[] = { &row, NULL };

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	(void)d;
	return hostd_respond(in, req, 200, "text/plain", "ready");
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	int32_t rc = hostd_easy_create(sizeof(**out), host, out, err);

	(void)conf;
	if (rc == HOSTD_OK)
		(*out)->timers = host->get_ext(host, HOSTD_EXT_TIMER);
	return rc;
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
	provides, NULL, cmds, create, NULL, NULL, destroy, NULL };
