/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.op/1: answers that plugins owe. */
#include <stddef.h>
#include <string.h>
#include <hostd/op.h>
#include "base/log.h"
#include "plugin/instance.h"
#include "plugin/op.h"
#include "plugin/plugins.h"

#define OPS_MAX	65536	/* of a worker */

/* -- whoever asked -- */

/* Its memory may be gone when this returns. */
static void
op_tell(struct op *op)
{
	struct buf result = op->result;
	hostd_buf all = { NULL, 0 };

	LIST_REMOVE(op, link);
	memset(&op->result, 0, sizeof(op->result));
	if (op->given)
		all = (hostd_buf){ result.len > 0 ? result.p : "",
		    result.len };
	op->done(op, op->status, all);
	buf_free(&result);
}

static void
op_answered(struct loop_task *t)
{
	op_tell((struct op *)(void *)((char *)t - offsetof(struct op, task)));
}

/* Stale from now on. */
static void
op_end(struct op *op)
{
	struct plugins *all = op->in->all;

	handle_free(&all->ops, op->id);
	op->id = 0;
	wheel_remove(&all->loop->wheel, &op->timer);
}

static void
op_answer(struct op *op, int32_t status)
{
	op_end(op);
	op->status = status;
	loop_defer(op->in->all->loop, &op->task);
}

/* What was put is no result. */
static void
op_drop(struct op *op)
{
	op->result.len = 0;
	op->given = 0;
}

static void
op_late(struct wheel_timer *t)
{
	struct op *op = (struct op *)(void *)((char *)t -
	    offsetof(struct op, timer));

	op_drop(op);
	op_answer(op, HOSTD_E_TIMEOUT);
}

hostd_op
op_start(struct op *op, struct instance *in, uint64_t limit_ms, size_t max,
    void (*done)(struct op *, int32_t, hostd_buf))
{
	struct plugins *all = in->all;
	hostd_op h;

	memset(op, 0, sizeof(*op));
	all->ops.max = OPS_MAX;
	h.id = handle_new(&all->ops, op);
	if (h.id == 0)
		return h;
	op->in = in;
	op->id = h.id;
	op->max = max;
	op->done = done;
	op->task.run = op_answered;
	op->timer.fire = op_late;
	wheel_set(&all->loop->wheel, &op->timer, all->loop->now_ms + limit_ms);
	LIST_INSERT_HEAD(&in->ops, op, link);
	return h;
}

void
op_returned(struct op *op, int32_t rc)
{
	if (op->id == 0 || rc == HOSTD_DEFER)
		return;
	if (rc > HOSTD_OK) {
		log_errorx("plugin %s: a callback that owes an answer returned "
		    "%d", op->in->conf->name, rc);
		rc = HOSTD_E_INVAL;
	}
	if (rc < HOSTD_OK)
		op_drop(op);
	op_answer(op, rc);
}

void
op_tell_now(struct op *op)
{
	if (op->id != 0)
		return;
	loop_undefer(op->in->all->loop, &op->task);
	op_tell(op);
}

void
op_cancel(struct op *op)
{
	if (op->id != 0)
		op_end(op);
	else
		loop_undefer(op->in->all->loop, &op->task);
	LIST_REMOVE(op, link);
	buf_free(&op->result);
}

void
op_service_stop(struct instance *in)
{
	struct op *op;

	while ((op = LIST_FIRST(&in->ops)) != NULL) {
		if (op->id == 0) {
			loop_undefer(in->all->loop, &op->task);
		} else {
			op_end(op);
			op_drop(op);
			op->status = HOSTD_E_GONE;
		}
		op_tell(op);
	}
}

/* -- the plugin -- */

static int32_t
op_find(const struct hostd_host *host, hostd_op h, const char *function,
    struct op **out)
{
	struct instance *in = host->ctx;
	int32_t rc;

	if ((rc = instance_check_thread(in, function)) != HOSTD_OK)
		return rc;
	*out = handle_get(&in->all->ops, h.id);
	if (*out != NULL && (*out)->in == in)
		return HOSTD_OK;
	board_add(&in->all->cell->counters.stale_handles, 1);
	return HOSTD_E_GONE;
}

static int32_t
op_add(struct op *op, hostd_buf part)
{
	if (part.n > op->max - op->result.len)
		return HOSTD_E_FULL;
	if (part.p == NULL)
		return HOSTD_OK;
	op->given = 1;
	if (part.n > 0)
		buf_append(&op->result, part.p, part.n);
	return HOSTD_OK;
}

static int32_t
api_put(const struct hostd_host *host, hostd_op h, hostd_buf part)
{
	struct op *op;
	int32_t rc;

	if ((rc = op_find(host, h, "put of " HOSTD_EXT_OP, &op)) != HOSTD_OK)
		return rc;
	if (part.p == NULL && part.n > 0)
		return HOSTD_E_INVAL;
	return op_add(op, part);
}

static int32_t
api_complete(const struct hostd_host *host, hostd_op h, int32_t status,
    hostd_buf result)
{
	struct op *op;
	int32_t rc;

	if ((rc = op_find(host, h, "complete of " HOSTD_EXT_OP, &op)) !=
	    HOSTD_OK)
		return rc;
	if (status > HOSTD_OK || (result.p == NULL && result.n > 0))
		return HOSTD_E_INVAL;
	if (status < HOSTD_OK) {
		op_drop(op);
		op->max = OP_TEXT_MAX;
		if (result.n > OP_TEXT_MAX)
			result.n = OP_TEXT_MAX;
	}
	if ((rc = op_add(op, result)) != HOSTD_OK)
		op_drop(op);
	op_answer(op, rc != HOSTD_OK ? rc : status);
	return rc;
}

static int32_t
api_left_ms(const struct hostd_host *host, hostd_op h, uint64_t *out)
{
	uint64_t now;
	struct op *op;
	int32_t rc;

	if ((rc = op_find(host, h, "left_ms of " HOSTD_EXT_OP, &op)) !=
	    HOSTD_OK)
		return rc;
	if (out == NULL)
		return HOSTD_E_INVAL;
	now = op->in->all->loop->now_ms;
	*out = op->timer.deadline > now ? op->timer.deadline - now : 0;
	return HOSTD_OK;
}

const struct hostd_op_api *
op_service(void)
{
	static const struct hostd_op_api api = {
		.struct_size = sizeof(struct hostd_op_api),
		.put = api_put,
		.complete = api_complete,
		.left_ms = api_left_ms,
	};

	return &api;
}
