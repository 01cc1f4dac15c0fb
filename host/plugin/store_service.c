/* SPDX-License-Identifier: BSD-2-Clause */
/* The plugin's session_store/1 table as the session room's store. */
#include <stddef.h>
#include <stdlib.h>
#include "base/mem.h"
#include "plugin/instance.h"
#include "plugin/op.h"
#include "plugin/plugins.h"
#include "session/id.h"

#define SPARE_MAX	64

/* One call under way. */
struct store_op {
	struct op op;
	struct store_call *call;
	enum board_store_op what;
	struct store_op *next_spare;
};

static struct instance *
instance_of(struct session_store *s)
{
	return (struct instance *)(void *)((char *)s -
	    offsetof(struct instance, store));
}

static struct store_op *
store_op_of(struct op *op)
{
	return (struct store_op *)(void *)((char *)op -
	    offsetof(struct store_op, op));
}

static void
store_op_free(struct instance *in, struct store_op *o)
{
	struct plugins *all = in->all;

	if (all->nspare_ops >= SPARE_MAX) {
		free(o);
		return;
	}
	all->nspare_ops++;
	o->next_spare = all->spare_ops;
	all->spare_ops = o;
}

/* That somebody else was faster is no failure. */
static void
store_count(struct instance *in, enum board_store_op what, int32_t status)
{
	struct board_counters *n = &in->all->cell->counters;

	board_add(&n->store_calls[what], 1);
	if (status < HOSTD_OK && status != HOSTD_E_STATE)
		board_add(&n->store_failures[what], 1);
}

static void
store_answered(struct op *op, int32_t status, hostd_buf result)
{
	struct store_op *o = store_op_of(op);
	struct store_call *call = o->call;

	store_count(op->in, o->what, status);
	store_op_free(op->in, o);
	store_answer(call, status, status == HOSTD_OK ? result :
	    (hostd_buf){ NULL, 0 });
}

/* NULL: there are too many, which has been answered. */
static struct store_op *
store_begin(struct instance *in, enum board_store_op what,
    struct store_call *c, hostd_op *handle)
{
	struct plugins *all = in->all;
	struct store_op *o = all->spare_ops;
	size_t max = in->store.flags & HOSTD_STORE_STATELESS ?
	    SESSION_TOKEN_MAX : (size_t)1 << 30;

	if (o != NULL) {
		all->spare_ops = o->next_spare;
		all->nspare_ops--;
	} else
		o = xmalloc(sizeof(*o));
	o->call = c;
	o->what = what;
	*handle = op_start(&o->op, in, (uint64_t)c->timeout_ms, max,
	    store_answered);
	if (handle->id != 0) {
		c->token = (uint64_t)(uintptr_t)o;
		return o;
	}
	store_op_free(in, o);
	store_count(in, what, HOSTD_E_FULL);
	store_answer(c, HOSTD_E_FULL, (hostd_buf){ NULL, 0 });
	return NULL;
}

/* What was answered at once is told at once. */
static void
store_returned(struct store_op *o, int32_t rc)
{
	op_returned(&o->op, rc);
	op_tell_now(&o->op);
}

static void
store_get(struct session_store *s, struct store_call *c, hostd_buf key)
{
	struct instance *in = instance_of(s);
	struct instance_outer outer;
	struct store_op *o;
	hostd_op h;
	int32_t rc;

	if ((o = store_begin(in, BOARD_STORE_GET, c, &h)) == NULL)
		return;
	instance_enter_within(in, BOARD_CB_GET, &outer);
	rc = in->keeps->get(in->inst, key, h);
	instance_leave_within(in, &outer);
	store_returned(o, rc);
}

static void
store_set(struct session_store *s, struct store_call *c, hostd_buf key,
    hostd_buf value, int64_t ttl_ms, const hostd_buf *expect)
{
	struct instance *in = instance_of(s);
	struct instance_outer outer;
	struct store_op *o;
	hostd_op h;
	int32_t rc;

	if ((o = store_begin(in, BOARD_STORE_SET, c, &h)) == NULL)
		return;
	instance_enter_within(in, BOARD_CB_SET, &outer);
	rc = in->keeps->set(in->inst, key, value, (uint64_t)ttl_ms, expect, h);
	instance_leave_within(in, &outer);
	store_returned(o, rc);
}

static void
store_touch(struct session_store *s, struct store_call *c, hostd_buf key,
    int64_t ttl_ms)
{
	struct instance *in = instance_of(s);
	struct instance_outer outer;
	struct store_op *o;
	hostd_op h;
	int32_t rc = HOSTD_OK;

	if ((o = store_begin(in, BOARD_STORE_TOUCH, c, &h)) == NULL)
		return;
	if (in->keeps->touch != NULL) {
		instance_enter_within(in, BOARD_CB_TOUCH, &outer);
		rc = in->keeps->touch(in->inst, key, (uint64_t)ttl_ms, h);
		instance_leave_within(in, &outer);
	}
	store_returned(o, rc);
}

static void
store_del(struct session_store *s, struct store_call *c, hostd_buf key)
{
	struct instance *in = instance_of(s);
	struct instance_outer outer;
	struct store_op *o;
	hostd_op h;
	int32_t rc = HOSTD_OK;

	if ((o = store_begin(in, BOARD_STORE_DELETE, c, &h)) == NULL)
		return;
	if (in->keeps->del != NULL) {
		instance_enter_within(in, BOARD_CB_DELETE, &outer);
		rc = in->keeps->del(in->inst, key, h);
		instance_leave_within(in, &outer);
	}
	store_returned(o, rc);
}

static void
store_forget(struct session_store *s, struct store_call *c)
{
	struct store_op *o = (struct store_op *)(uintptr_t)c->token;

	op_cancel(&o->op);
	store_op_free(instance_of(s), o);
}

void
store_binding_init(struct instance *in)
{
	const struct hostd_session_store_ops *ops = in->keeps;

	if (ops == NULL)
		return;
	in->store = (struct session_store){
		.name = in->conf->name, .flags = ops->flags,
		.max_value = ops->max_value,
		.max_key = ops->flags & HOSTD_STORE_STATELESS ?
		    SESSION_TOKEN_MAX : SESSION_KEY_MAX,
		.get = store_get, .set = store_set, .touch = store_touch,
		.del = store_del, .cancel = store_forget,
	};
}

void
store_service_close(struct plugins *all)
{
	struct store_op *o;

	while ((o = all->spare_ops) != NULL) {
		all->spare_ops = o->next_spare;
		free(o);
	}
	all->nspare_ops = 0;
}
