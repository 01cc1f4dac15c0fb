/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.op/1, and the commands that are answered by it. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "ctl/fake_op.h"

/* Of one instance; those that are answered are forgotten by settling. */
struct fake_op {
	LIST_ENTRY(fake_op) entry;
	struct fake *fake;
	uint64_t id, until;
	size_t max;
	int answered, has_result;
	int32_t status;
	struct buf result;
};

static LIST_HEAD(, fake_op) ops = LIST_HEAD_INITIALIZER(ops);
static uint64_t last_op;

static struct fake_op *
op_find(struct fake *f, hostd_op h)
{
	struct fake_op *o;

	LIST_FOREACH(o, &ops, entry)
	if (o->id == h.id && o->fake == f && !o->answered &&
	    o->until > fake_now())
		return o;
	return NULL;
}

static void
judge_part(hostd_buf part, const char *function)
{
	if (part.p == NULL && part.n > 0)
		check_fail("called %s of " HOSTD_EXT_OP " with %zu bytes at "
			   "NULL", function, part.n);
}

static int32_t
op_add(struct fake_op *o, hostd_buf part)
{
	if (part.n > o->max - o->result.len)
		return HOSTD_E_FULL;
	if (part.n > 0)
		buf_append(&o->result, part.p, part.n);
	o->has_result |= part.p != NULL;
	return HOSTD_OK;
}

static int32_t
op_put(const struct hostd_host *host, hostd_op h, hostd_buf part)
{
	struct fake *f = fake_called(host, "put of " HOSTD_EXT_OP);
	struct fake_op *o = op_find(f, h);

	judge_part(part, "put");
	return o == NULL ? HOSTD_E_GONE : op_add(o, part);
}

static int32_t
op_complete(const struct hostd_host *host, hostd_op h, int32_t status,
    hostd_buf result)
{
	struct fake *f = fake_called(host, "complete of " HOSTD_EXT_OP);
	struct fake_op *o = op_find(f, h);
	int32_t rc;

	if (status > HOSTD_OK)
		check_fail("called complete of " HOSTD_EXT_OP " with status %d",
		    status);
	judge_part(result, "complete");
	if (o == NULL)
		return HOSTD_E_GONE;
	if (status < HOSTD_OK)
		o->has_result = o->result.len = 0;
	rc = op_add(o, result);
	o->answered = 1;
	o->status = rc != HOSTD_OK ? rc : status;
	return rc;
}

static int32_t
op_left_ms(const struct hostd_host *host, hostd_op h, uint64_t *out)
{
	struct fake *f = fake_called(host, "left_ms of " HOSTD_EXT_OP);
	struct fake_op *o = op_find(f, h);

	if (o == NULL)
		return HOSTD_E_GONE;
	if (out == NULL)
		check_fail("called left_ms of " HOSTD_EXT_OP " without room "
			   "for the answer");
	*out = o->until - fake_now();
	return HOSTD_OK;
}

const struct hostd_op_api fake_op_api = {
    .struct_size = sizeof(struct hostd_op_api),
    .put = op_put,
    .complete = op_complete,
    .left_ms = op_left_ms,
};

/* -- one op -- */

struct fake_op *
fake_op_start(struct fake *f, size_t max, uint64_t limit_ms, hostd_op *handle)
{
	struct fake_op *o = xcalloc(1, sizeof(*o));

	handle->id = o->id = ++last_op << 32 | 11;
	o->fake = f;
	o->max = max;
	o->until = fake_now() + limit_ms;
	LIST_INSERT_HEAD(&ops, o, entry);
	return o;
}

void
fake_op_returned(struct fake_op *o, const char *callback, int32_t rc)
{
	if (o->answered || rc == HOSTD_DEFER)
		return;
	if (rc > HOSTD_OK)
		check_fail("%s returned %d", callback, rc);
	if (rc < HOSTD_OK)
		o->has_result = o->result.len = 0;
	o->answered = 1;
	o->status = rc;
}

int
fake_op_is_answered(const struct fake_op *o)
{
	return o->answered;
}

void
fake_op_await(struct fake_op *o)
{
	while (!o->answered && o->until > fake_now())
		if (fake_turn() == 0 && !fake_tick(o->until - 1) &&
		    fake_wait() == 0)
			break;
}

int32_t
fake_op_status(const struct fake_op *o)
{
	return o->answered ? o->status : HOSTD_E_TIMEOUT;
}

hostd_buf
fake_op_result(const struct fake_op *o)
{
	hostd_buf none = {NULL, 0};
	hostd_buf b = {o->result.len > 0 ? o->result.p : "", o->result.len};

	return o->answered && o->status == HOSTD_OK && o->has_result ? b : none;
}

void
fake_op_free(struct fake_op *o)
{
	LIST_REMOVE(o, entry);
	buf_free(&o->result);
	free(o);
}

/* -- commands -- */

struct fake_op *
fake_command_start(struct fake *f, const struct hostd_cmd *c, uint32_t argc,
    const char *word, size_t max)
{
	struct fake_op *o;
	hostd_op h;
	char what[120];
	hostd_buf *argv;
	uint32_t i;

	o = fake_op_start(f, max, FAKE_OP_MS, &h);
	(void)snprintf(what, sizeof(what), "command %s", c->name);
	fake_enter(f, what, NULL);
	argv = fake_lend((argc + 1) * sizeof(*argv));
	for (i = 0; i < argc; i++) {
		argv[i] = fake_lend_copy(word, strlen(word) + 1);
		argv[i].n--;
	}
	fake_op_returned(o, what, c->run(f->inst, argc, argv, h));
	fake_leave(f);
	return o;
}

static void
judge_result(const struct hostd_cmd *c, const struct buf *b)
{
	const char *p = b->len > 0 ? b->p : "";
	json_t *v;

	if ((c->flags & HOSTD_CMD_JSON) != 0) {
		v = json_loadb(p, b->len, JSON_DECODE_ANY, NULL);
		if (v == NULL)
			check_fail("command %s says that its result is JSON, "
				   "and it is not: %.*s", c->name,
			    b->len > 80 ? 80 : (int)b->len, p);
		json_decref(v);
	} else if (!utf8_is_valid(p, b->len)) {
		check_fail("the result of command %s is not UTF-8", c->name);
	}
}

int32_t
fake_command_end(const struct hostd_cmd *c, struct fake_op *o)
{
	int32_t status;

	fake_op_await(o);
	if (!o->answered)
		check_fail("command %s has not answered within %u s, and "
			   "waits for nothing", c->name, FAKE_OP_MS / 1000);
	status = o->status;
	if (status == HOSTD_OK)
		judge_result(c, &o->result);
	fake_op_free(o);
	return status;
}

void
fake_op_end(struct fake *f)
{
	struct fake_op *o, *next;

	for (o = LIST_FIRST(&ops); o != NULL; o = next) {
		next = LIST_NEXT(o, entry);
		if (o->fake == f)
			fake_op_free(o);
	}
}
