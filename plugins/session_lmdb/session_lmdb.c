/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_lmdb: sessions in a file, which all workers of a machine share.
 *
 * They read it as memory, on the loop, without waiting for anybody; what they
 * write waits in a queue (queue.c), of which a thread writes as much as there
 * is in one transaction (change.c).  LMDB sees to it that a transaction is
 * there as a whole, or not at all, whenever a process is killed.
 */
#include <stdlib.h>
#include "store.h"

static const char *const syncs[] = { "on", "data", "off", NULL };
static const char *const fulls[] = { "refuse", "evict", NULL };

/* -- session_store/1 -- */

static int32_t
store_get(struct hostd_inst *in, hostd_buf key, hostd_op op)
{
	return read_get(in, key, op);
}

static int
is_last(const struct hostd_inst *in, hostd_buf key)
{
	return in->last.nkey == key.n &&
	    memcmp(in->last.key, key.p, key.n) == 0;
}

/* Only to the end of time. */
static uint64_t
end_of(uint64_t ttl_ms)
{
	uint64_t now = change_now_ms();

	return ttl_ms > UINT64_MAX - now ? UINT64_MAX : now + ttl_ms;
}

static int32_t
put(struct hostd_inst *in, struct change *c, uint64_t expires_ms, hostd_op op)
{
	if (c == NULL)
		return HOSTD_E_NOMEM;
	c->expires_ms = expires_ms;
	c->op = op;
	return queue_put(in, c);
}

static int32_t
store_set(struct hostd_inst *in, hostd_buf key, hostd_buf value,
    uint64_t ttl_ms, const hostd_buf *expect, hostd_op op)
{
	if (is_last(in, key))
		in->last.nkey = 0;
	return put(in, change_new(CHANGE_SET, key, value, expect),
	    end_of(ttl_ms), op);
}

/* One that would make little difference is left out: most are. */
static int32_t
store_touch(struct hostd_inst *in, hostd_buf key, uint64_t ttl_ms,
    hostd_op op)
{
	hostd_buf none = { NULL, 0 };
	uint64_t end = end_of(ttl_ms), ms;
	int32_t rc = read_expires(in, key, &ms);

	if (rc < 0)
		return rc;
	if (rc == HOSTD_OK) {
		if (ms == 0 || (ms > end ? ms - end : end - ms) < ttl_ms / 100)
			return HOSTD_OK;
		in->last.expires_ms = end;
	}
	return put(in, change_new(CHANGE_TOUCH, key, none, NULL), end, op);
}

static int32_t
store_del(struct hostd_inst *in, hostd_buf key, hostd_op op)
{
	hostd_buf none = { NULL, 0 };

	if (is_last(in, key))
		in->last.nkey = 0;
	return put(in, change_new(CHANGE_DEL, key, none, NULL), 0, op);
}

/* -- life -- */

static int64_t
number(const struct hostd_conf *conf, const char *key)
{
	int64_t n = 0;

	(void)conf->get_int(conf, key, &n);
	return n;
}

static int32_t
bind(struct hostd_inst *in, const struct hostd_host *host,
    struct hostd_err *err)
{
	int32_t rc = hostd_easy_init(&in->easy, host, err);

	if (rc != HOSTD_OK)
		return rc;
	in->metrics = host->get_ext(host, HOSTD_EXT_METRICS);
	in->timer = host->get_ext(host, HOSTD_EXT_TIMER);
	in->work = host->get_ext(host, HOSTD_EXT_WORK);
	if (in->metrics != NULL && !HOSTD_HAS(in->metrics, set))
		in->metrics = NULL;
	if (in->easy.op == NULL || !HOSTD_HAS(in->easy.op, complete) ||
	    in->timer == NULL || !HOSTD_HAS(in->timer, start) ||
	    in->work == NULL || !HOSTD_HAS(in->work, submit))
		return hostd_fail(err, HOSTD_E_NOTSUP, "this host does not "
		    "serve " HOSTD_EXT_OP ", " HOSTD_EXT_TIMER " and "
		    HOSTD_EXT_WORK);
	return sweep_define_metrics(in, err);
}

static int32_t
open_it(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	hostd_buf path = { NULL, 0 };
	char why[200];

	(void)conf->get_str(conf, "path", &path);
	in->env.path = path.p;
	in->env.max_size = (uint64_t)number(conf, "max_size");
	in->env.sync = (int)number(conf, "sync");
	in->evict = number(conf, "when_full") == 1;
	in->sweep_ms = (uint64_t)number(conf, "sweep_interval");
	if (env_open(&in->env, why, sizeof(why)) == -1)
		return hostd_fail(err, HOSTD_E_IO, "%s: %s", in->env.path, why);
	if (in->env.was_empty)
		hostd_logf(in->easy.host, HOSTD_LOG_WARN, "%s: it was there, "
		    "but empty; there are no sessions", in->env.path);
	return HOSTD_OK;
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = calloc(1, sizeof(*in));
	int32_t rc;

	if (in == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	STAILQ_INIT(&in->queue.waiting);
	STAILQ_INIT(&in->queue.under_way);
	STAILQ_INIT(&in->waiting);
	if ((rc = bind(in, host, err)) == HOSTD_OK)
		rc = open_it(in, conf, err);
	if (rc != HOSTD_OK) {
		free(in);
		return rc;
	}
	*out = in;
	return HOSTD_OK;
}

static int32_t
start(struct hostd_inst *in)
{
	return sweep_start(in);
}

static void
destroy(struct hostd_inst *in)
{
	queue_free(in);
	env_close(&in->env);
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

static const struct hostd_key path_key = {
	.struct_size = sizeof(path_key), .type = HOSTD_KEY_PATH,
	.flags = HOSTD_KEY_WRITE,
	.name = "path", .dflt = "$state/sessions.mdb", .min = 1, .max = 4000,
	.help = "The file, on a disk of this machine; workers must be able to "
	    "write to it and to its directory.  What begins with \"$state/\" "
	    "is below a directory in state_dir that is the plugin's own.",
};
static const struct hostd_key size_key = {
	.struct_size = sizeof(size_key), .type = HOSTD_KEY_SIZE,
	.name = "max_size", .dflt = "1g", .min = 4 << 20,
	.max = (int64_t)1 << 40,
	.help = "How large the file may become; it never shrinks.  An eighth "
	    "is kept free, so that sessions can be removed.",
};
static const struct hostd_key full_key = {
	.struct_size = sizeof(full_key), .type = HOSTD_KEY_ENUM,
	.name = "when_full", .dflt = "refuse", .choices = fulls,
	.help = "refuse: there are no new sessions, and those that are there "
	    "do not grow (status 503); evict: those go that would end first.",
};
static const struct hostd_key sync_key = {
	.struct_size = sizeof(sync_key), .type = HOSTD_KEY_ENUM,
	.name = "sync", .dflt = "on", .choices = syncs,
	.help = "What a power failure may take: on: nothing that was answered; "
	    "data: the changes of the last moment; off: those of the last "
	    "seconds, and on some file systems the whole file.  The end of a "
	    "process, however it comes, takes nothing.",
};
static const struct hostd_key sweep_key = {
	.struct_size = sizeof(sweep_key), .type = HOSTD_KEY_DURATION,
	.name = "sweep_interval", .dflt = "10s", .min = 100, .max = 3600000,
	.help = "How often one of the workers removes what has expired.",
};
static const struct hostd_key *const keys[] = {
	&path_key, &size_key, &full_key, &sync_key, &sweep_key, NULL
};

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(4), "session_lmdb", "1.0", HOSTD_SDK_VERSION,
	provides, keys, command_rows, create, start, NULL, destroy, NULL
};
