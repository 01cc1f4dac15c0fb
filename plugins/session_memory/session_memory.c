/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_memory: sessions in the memory of one worker.  For tests, and for one
 * worker that may forget: nothing outlives it, neither a crash nor a reload,
 * and other workers know nothing of it.
 */
#include <stdlib.h>
#include <hostd/easy.h>
#include <hostd/timer.h>
#include "table.h"

#define SWEEP_MS	1000
#define SWEEP_PARTS	16	/* of the table, one each time, */
#define SWEEP_MIN	1024	/* but at least so many buckets */

struct hostd_inst {
	HOSTD_EASY_HEAD;
	struct table table;
	size_t max;
	uint64_t full_ms;	/* when it was full, and all was swept */
	int told;		/* since then */
};

static uint64_t
now_ms(const struct hostd_inst *in)
{
	return in->easy.host->now_ms(in->easy.host);
}

static uint64_t
end_of(const struct hostd_inst *in, uint64_t ttl_ms)
{
	uint64_t now = now_ms(in);

	return ttl_ms >= UINT64_MAX - now ? UINT64_MAX - 1 : now + ttl_ms;
}

static int32_t
store_get(struct hostd_inst *in, hostd_buf key, hostd_op op)
{
	const struct entry *e = table_find(&in->table, key, now_ms(in));

	if (e == NULL)
		return HOSTD_OK;
	(void)in->easy.op->complete(in->easy.host, op, HOSTD_OK, e->value);
	return HOSTD_DEFER;
}

/* What is over makes room; looked for once a second at most. */
static int
has_room(struct hostd_inst *in)
{
	uint64_t now = now_ms(in);

	if (in->table.n < in->max)
		return 1;
	if (now - in->full_ms < SWEEP_MS)
		return 0;
	in->full_ms = now;
	table_sweep(&in->table, in->table.nbuckets, now);
	if (in->table.n < in->max) {
		in->told = 0;
		return 1;
	}
	if (!in->told)
		hostd_logf(in->easy.host, HOSTD_LOG_WARN, "there are "
		    "max_sessions, %zu; no new ones are taken", in->max);
	in->told = 1;
	return 0;
}

static int
is_expected(const struct entry *e, const hostd_buf *expect)
{
	if (e == NULL || expect->p == NULL)
		return e == NULL && expect->p == NULL;
	return e->value.n == expect->n && (expect->n == 0 ||
	    memcmp(e->value.p, expect->p, expect->n) == 0);
}

static int32_t
store_set(struct hostd_inst *in, hostd_buf key, hostd_buf value,
    uint64_t ttl_ms, const hostd_buf *expect, hostd_op op)
{
	const struct entry *e = table_find(&in->table, key, now_ms(in));

	(void)op;
	if (expect != NULL && !is_expected(e, expect))
		return HOSTD_E_STATE;
	if (e == NULL && !has_room(in))
		return HOSTD_E_FULL;
	return table_put(&in->table, key, value, end_of(in, ttl_ms)) == NULL ?
	    HOSTD_E_NOMEM : HOSTD_OK;
}

static int32_t
store_touch(struct hostd_inst *in, hostd_buf key, uint64_t ttl_ms,
    hostd_op op)
{
	struct entry *e = table_find(&in->table, key, now_ms(in));

	(void)op;
	if (e != NULL)
		e->expires_ms = end_of(in, ttl_ms);
	return HOSTD_OK;
}

static int32_t
store_del(struct hostd_inst *in, hostd_buf key, hostd_op op)
{
	(void)op;
	table_remove(&in->table, key);
	return HOSTD_OK;
}

static int32_t
run_count(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv,
    hostd_op op)
{
	(void)argc;
	(void)argv;
	return hostd_reply(in, op, HOSTD_OK, "{\"sessions\":%zu,"
	    "\"max_sessions\":%zu}", in->table.n, in->max);
}

static void
on_tick(struct hostd_inst *in, hostd_timer t, void *arg)
{
	size_t all = in->table.nbuckets, n = all / SWEEP_PARTS;

	(void)t;
	(void)arg;
	if (n < SWEEP_MIN)
		n = all < SWEEP_MIN ? all : SWEEP_MIN;
	table_sweep(&in->table, n, now_ms(in));
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = calloc(1, sizeof(*in));
	int64_t max = 0;
	int32_t rc;

	if (in == NULL || table_init(&in->table) == -1) {
		free(in);
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	}
	rc = hostd_easy_init(&in->easy, host, err);
	if (rc == HOSTD_OK && (in->easy.op == NULL ||
	    !HOSTD_HAS(in->easy.op, complete)))
		rc = hostd_fail(err, HOSTD_E_NOTSUP, "this host does not "
		    "serve " HOSTD_EXT_OP);
	if (rc != HOSTD_OK) {
		table_free(&in->table);
		free(in);
		return rc;
	}
	(void)conf->get_int(conf, "max_sessions", &max);
	in->max = (size_t)max;
	*out = in;
	return HOSTD_OK;
}

/* Without timers what is over goes when it is asked for. */
static int32_t
start(struct hostd_inst *in)
{
	const struct hostd_host *host = in->easy.host;
	const struct hostd_timer_api *timer = host->get_ext(host,
	    HOSTD_EXT_TIMER);
	hostd_timer t;

	if (timer == NULL || !HOSTD_HAS(timer, start))
		return HOSTD_OK;
	return timer->start(host, SWEEP_MS, SWEEP_MS, on_tick, NULL, &t);
}

static void
destroy(struct hostd_inst *in)
{
	table_free(&in->table);
	free(in);
}

static const struct hostd_session_store_ops ops = {
	.struct_size = sizeof(ops),
	.flags = HOSTD_STORE_CAS | HOSTD_STORE_LOCAL,
	.get = store_get, .set = store_set, .touch = store_touch,
	.del = store_del,
};

static const struct hostd_provide store = {
	.struct_size = sizeof(store), .kind = HOSTD_KIND_SESSION_STORE,
	.ops = &ops,
};
static const struct hostd_provide *const provides[] = { &store, NULL };

static const struct hostd_key max_key = {
	.struct_size = sizeof(max_key), .type = HOSTD_KEY_INT,
	.name = "max_sessions", .dflt = "10000", .min = 1,
	.max = 100 * 1000 * 1000,
	.help = "How many sessions a worker keeps; beyond that there are no "
	    "new ones (status 503).",
};
static const struct hostd_key *const keys[] = { &max_key, NULL };

static const struct hostd_cmd count_cmd = {
	.struct_size = sizeof(count_cmd),
	.flags = HOSTD_CMD_EVERY | HOSTD_CMD_JSON,
	.name = "count", .run = run_count,
	.help = "How many sessions each worker has, with those that have "
	    "expired in the last seconds.",
};
static const struct hostd_cmd *const commands[] = { &count_cmd, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(3), "session_memory", "1.0", HOSTD_SDK_VERSION,
	provides, keys, commands, create, start, NULL, destroy, NULL
};
