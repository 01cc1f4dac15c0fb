/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What has to be looked at now and then: whether sessions have expired, which
 * one worker of all removes, readers that have died, and whether the file is
 * still the one that was opened.
 */
#include <inttypes.h>
#include "store.h"

/* -- metrics -- */

static int32_t
define(struct hostd_inst *in, uint32_t type, const char *name,
    const char *help, uint32_t *id, struct hostd_err *err)
{
	const struct hostd_metric m = { .struct_size = sizeof(m), .type = type,
		.name = name, .help = help };
	int32_t rc = in->metrics->define(in->easy.host, &m, id);

	return rc < 0 ? hostd_fail(err, rc, "metrics can't be defined") :
	    HOSTD_OK;
}

int32_t
sweep_define_metrics(struct hostd_inst *in, struct hostd_err *err)
{
	int32_t rc;

	if (in->metrics == NULL)
		return HOSTD_OK;
	rc = define(in, HOSTD_METRIC_GAUGE, "sessions", "Sessions that are "
	    "kept, those included that have expired since the last sweep.",
	    &in->sessions_gauge, err);
	if (rc == HOSTD_OK)
		rc = define(in, HOSTD_METRIC_GAUGE, "bytes", "Bytes of the "
		    "file that are in use.", &in->bytes_gauge, err);
	if (rc == HOSTD_OK)
		rc = define(in, HOSTD_METRIC_COUNTER, "expired_total",
		    "Sessions that were removed because their time was over.",
		    &in->expired_counter, err);
	if (rc == HOSTD_OK)
		rc = define(in, HOSTD_METRIC_COUNTER, "evicted_total",
		    "Sessions that were removed because the file was full.",
		    &in->evicted_counter, err);
	return rc;
}

void
sweep_metrics(struct hostd_inst *in, const struct outcome *o)
{
	const struct hostd_host *h = in->easy.host;

	if (in->metrics == NULL)
		return;
	if (o->expired > 0)
		in->metrics->add(h, in->expired_counter, (int64_t)o->expired);
	if (o->evicted > 0)
		in->metrics->add(h, in->evicted_counter, (int64_t)o->evicted);
}

/* Sums over workers are what is shown, so only one says something. */
static void
set_gauges(struct hostd_inst *in, uint64_t sessions, uint64_t bytes)
{
	if (in->metrics == NULL)
		return;
	in->metrics->set(in->easy.host, in->sessions_gauge, (int64_t)sessions);
	in->metrics->set(in->easy.host, in->bytes_gauge, (int64_t)bytes);
}

/* -- expired ones -- */

static void
on_swept(struct hostd_inst *in, struct change *c)
{
	hostd_op op = c->op;
	uint64_t n = c->before + c->removed;

	in->sweeping = 0;
	if (c->status == HOSTD_OK && c->removed >= SWEEP_STEP &&
	    sweep_ask(in, op, n) == HOSTD_DEFER)
		return;
	if (op.id == 0)
		return;
	if (c->status == HOSTD_OK)
		(void)hostd_reply(in, op, HOSTD_OK, "%" PRIu64 " expired "
		    "session%s removed\n", n, n == 1 ? "" : "s");
	else
		(void)hostd_reply(in, op, c->status, "the file can't be "
		    "written; the log says why");
}

int32_t
sweep_ask(struct hostd_inst *in, hostd_op op, uint64_t before)
{
	hostd_buf none = { NULL, 0 };
	struct change *c = change_new(CHANGE_SWEEP, none, none, NULL);
	int32_t rc;

	if (c == NULL)
		return HOSTD_E_NOMEM;
	c->op = op;
	c->before = before;
	c->told = on_swept;
	in->sweeping = 1;
	if ((rc = queue_put(in, c)) != HOSTD_DEFER)
		in->sweeping = 0;
	return rc;
}

/* In the loop's transaction. */
static int
is_due(struct hostd_inst *in)
{
	MDB_cursor *cursor;
	hostd_buf key;
	uint64_t ms = UINT64_MAX;
	MDB_val k, v;

	if (mdb_cursor_open(in->env.reader, in->env.expiry, &cursor) != 0)
		return 0;
	if (mdb_cursor_get(cursor, &k, &v, MDB_FIRST) == 0)
		(void)expiry_read(k.mv_data, k.mv_size, &ms, &key);
	mdb_cursor_close(cursor);
	return ms <= change_now_ms();
}

static void
sweep(struct hostd_inst *in)
{
	hostd_op nobody = { 0 };
	int dead, due;

	if (!claim_sweep(&in->env.claim))
		return;
	(void)mdb_reader_check(in->env.mdb, &dead);
	if (read_begin(in) != HOSTD_OK)
		return;
	set_gauges(in, env_count(&in->env, in->env.reader),
	    env_used(&in->env, in->env.reader));
	due = !in->sweeping && is_due(in);
	env_read_end(&in->env);
	if (due)
		(void)sweep_ask(in, nobody, 0);
}

/* -- the file -- */

static void
look_after(struct hostd_inst *in)
{
	char why[200];

	if (in->queue.busy)
		return;
	if (in->env.mdb != NULL && env_is_replaced(&in->env)) {
		trouble_say(in, &in->failing, HOSTD_LOG_ERROR, "it, or its "
		    "-lock, was removed or replaced",
		    "its sessions are gone; what is there now is opened");
		set_gauges(in, 0, 0);
		env_close(&in->env);
		return;		/* the others have to notice, too */
	}
	if (in->env.mdb == NULL && env_open(&in->env, why, sizeof(why)) == -1)
		trouble_say(in, &in->failing, HOSTD_LOG_ERROR,
		    "can't be opened", why);
}

static void
on_tick(struct hostd_inst *in, hostd_timer t, void *arg)
{
	(void)t;
	(void)arg;
	look_after(in);
	if (in->env.mdb != NULL)
		sweep(in);
}

int32_t
sweep_start(struct hostd_inst *in)
{
	hostd_timer t;

	return in->timer->start(in->easy.host, in->sweep_ms, in->sweep_ms,
	    on_tick, NULL, &t);
}
