/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes wait here while those before them are written: one batch at a time,
 * on a thread.  What is answered is in the file.
 */
#include <errno.h>
#include <stdlib.h>
#include "store.h"

#define BATCH_MAX	512
#define BATCH_BYTES	((size_t)4 << 20)
#define WAITING_BYTES	((size_t)64 << 20)
#define FLUSH_MS	1000

static void queue_run(struct hostd_inst *);

static size_t
size_of(const struct change *c)
{
	return sizeof(*c) + c->key.n + c->value.n + c->expect.n;
}

/* -- ends -- */

static void
answer(struct hostd_inst *in, struct change *c)
{
	const struct hostd_op_api *op = in->easy.op;

	if (c->told != NULL)
		c->told(in, c);
	else if (c->op.id != 0)
		(void)op->complete(in->easy.host, c->op, c->status,
		    (hostd_buf){ NULL, 0 });
	free(c);
}

static void
on_flush(struct hostd_inst *in, hostd_timer t, void *arg)
{
	hostd_buf none = { NULL, 0 };
	struct change *c = change_new(CHANGE_FLUSH, none, none, NULL);

	(void)t;
	(void)arg;
	in->unflushed = 0;
	if (c != NULL)
		(void)queue_put(in, c);
}

static int
has_written(const struct changes *batch)
{
	const struct change *c;

	STAILQ_FOREACH(c, batch, link)
		if (c->what != CHANGE_FLUSH)
			return 1;
	return 0;
}

/* What was written reaches the disk some time later. */
static void
flush_later(struct hostd_inst *in)
{
	hostd_timer t;

	if (in->env.sync != ENV_SYNC_OFF || in->unflushed)
		return;
	in->unflushed = in->timer->start(in->easy.host, FLUSH_MS, 0, on_flush,
	    NULL, &t) == HOSTD_OK;
}

/* After a write of its first pages has failed nothing else works. */
static void
reopen(struct hostd_inst *in)
{
	char why[200];

	env_close(&in->env);
	if (env_open(&in->env, why, sizeof(why)) == -1)
		trouble_say(in, &in->failing, HOSTD_LOG_ERROR,
		    "can't be opened again", why);
}

/* Nothing is under way now.  1: all of it has to be done once more. */
static int
look_at_outcome(struct hostd_inst *in, const struct outcome *o)
{
	if (o->evicted > 0)
		trouble_say(in, &in->evicting, HOSTD_LOG_WARN, "it is full",
		    "sessions that would end first are removed before their "
		    "time; max_size says how large it may be");
	sweep_metrics(in, o);
	if (o->rc == MDB_MAP_RESIZED && env_resize(&in->env) == 0)
		return 1;
	if (o->rc != 0)
		trouble_say(in, &in->failing, HOSTD_LOG_ERROR,
		    "can't be written", env_say(o->rc));
	if (o->rc == MDB_PANIC)
		reopen(in);
	return 0;
}

/* Another process has made it larger: those changes have done nothing. */
static void
put_back(struct queue *q)
{
	struct change *c;

	STAILQ_FOREACH(c, &q->under_way, link)
		q->bytes += size_of(c);
	STAILQ_CONCAT(&q->under_way, &q->waiting);
	STAILQ_CONCAT(&q->waiting, &q->under_way);
}

/* -- a batch -- */

/* [work] */
static void
batch_run(void *arg)
{
	struct hostd_inst *in = arg;
	struct queue *q = &in->queue;

	changes_apply(&in->env, &q->under_way, in->evict, &q->outcome);
}

static void
answer_all(struct hostd_inst *in, struct changes *done)
{
	struct change *c;

	while ((c = STAILQ_FIRST(done)) != NULL) {
		STAILQ_REMOVE_HEAD(done, link);
		answer(in, c);
	}
}

static void
batch_done(struct hostd_inst *in, void *arg, int32_t status)
{
	struct queue *q = &in->queue;
	struct changes done = STAILQ_HEAD_INITIALIZER(done);
	struct change *c;

	(void)arg;
	q->busy = 0;
	if (status != HOSTD_OK) {
		STAILQ_FOREACH(c, &q->under_way, link)
			c->status = status;
	} else if (look_at_outcome(in, &q->outcome))
		put_back(q);
	else if (has_written(&q->under_way))
		flush_later(in);
	STAILQ_CONCAT(&done, &q->under_way);
	read_waiting(in);
	queue_run(in);
	answer_all(in, &done);
}

static void
take_batch(struct queue *q)
{
	struct change *c;
	size_t n = 0, bytes = 0;

	while ((c = STAILQ_FIRST(&q->waiting)) != NULL && n < BATCH_MAX &&
	    bytes < BATCH_BYTES) {
		STAILQ_REMOVE_HEAD(&q->waiting, link);
		STAILQ_INSERT_TAIL(&q->under_way, c, link);
		n++;
		bytes += size_of(c);
	}
	q->bytes -= bytes;
}

static int32_t
submit(struct hostd_inst *in)
{
	return in->env.mdb == NULL ? HOSTD_E_IO :
	    in->work->submit(in->easy.host, batch_run, batch_done, in);
}

static void
queue_run(struct hostd_inst *in)
{
	struct changes failed = STAILQ_HEAD_INITIALIZER(failed);
	struct queue *q = &in->queue;
	struct change *c;
	int32_t rc;

	while (!q->busy && !STAILQ_EMPTY(&q->waiting)) {
		take_batch(q);
		if ((rc = submit(in)) == HOSTD_OK) {
			q->busy = 1;
			break;
		}
		STAILQ_FOREACH(c, &q->under_way, link)
			c->status = rc;
		STAILQ_CONCAT(&failed, &q->under_way);
	}
	answer_all(in, &failed);
}

int32_t
queue_put(struct hostd_inst *in, struct change *c)
{
	struct queue *q = &in->queue;

	if (in->env.mdb == NULL || q->bytes >= WAITING_BYTES) {
		free(c);
		return in->env.mdb == NULL ? HOSTD_E_IO : HOSTD_E_FULL;
	}
	STAILQ_INSERT_TAIL(&q->waiting, c, link);
	q->bytes += size_of(c);
	queue_run(in);
	return HOSTD_DEFER;
}

void
queue_free(struct hostd_inst *in)
{
	struct changes all = STAILQ_HEAD_INITIALIZER(all);
	struct waiting *w;
	struct change *c;

	STAILQ_CONCAT(&all, &in->queue.under_way);
	STAILQ_CONCAT(&all, &in->queue.waiting);
	while ((c = STAILQ_FIRST(&all)) != NULL) {
		STAILQ_REMOVE_HEAD(&all, link);
		free(c);
	}
	while ((w = STAILQ_FIRST(&in->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&in->waiting, link);
		free(w);
	}
}
