/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands of plugins that the master has been asked for.  Answers wait here
 * until it reads: a master that is slow, or stands still, keeps nobody.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/pack.h"
#include "plugin/cmd.h"
#include "worker/state.h"

#define CALLS_MAX	256	/* at a time */
#define ARGS_MAX	(CHAN_DATA_MAX / sizeof(uint32_t))
#define PART_MAX	(CHAN_DATA_MAX - sizeof(struct chan_called))

struct call {
	TAILQ_ENTRY(call) link;
	struct op op;
	struct worker *worker;
	struct chan_called head;	/* of its last message */
	struct buf text;		/* what is still to be told */
};

/* What the master asks for, as it lies in its message. */
struct order {
	struct chan_call call;
	char instance[128], command[128];
	hostd_buf *argv;		/* NULs behind them */
	char *bytes;
};

/* -- telling -- */

static void
call_free(struct call *c)
{
	buf_free(&c->text);
	free(c);
}

/* A part of it.  1: that was the last; 0: there is more; -1: not now. */
static int
call_send(struct call *c)
{
	struct chan_called head = c->head;
	size_t n = c->text.len < PART_MAX ? c->text.len : PART_MAX;
	char data[CHAN_DATA_MAX];
	int last = n == c->text.len;

	if (!last)
		head.how = CALLED_PART;
	memcpy(data, &head, sizeof(head));
	if (n > 0)
		memcpy(data + sizeof(head), c->text.p, n);
	if (chan_send(CHAN_FD, CHAN_CALLED, data, sizeof(head) + n, NULL,
	    0) == -1)
		return errno == EAGAIN ? -1 : 1;
	buf_consume(&c->text, n);
	return last;
}

/* Have us told when there is room in the channel, or not. */
static void
calls_wait(struct worker *w, int on)
{
	if (w->calls.waiting == on || w->master_gone)
		return;
	w->calls.waiting = on;
	loop_move(&w->loop, &w->chan, on ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void
worker_calls_flush(struct worker *w)
{
	struct call *c;
	int rc = 1;

	while (rc != -1 && (c = TAILQ_FIRST(&w->calls.answered)) != NULL) {
		while ((rc = call_send(c)) == 0)
			;
		if (rc == -1)
			break;
		TAILQ_REMOVE(&w->calls.answered, c, link);
		w->calls.n--;
		call_free(c);
	}
	calls_wait(w, rc == -1);
}

static void
call_answer(struct call *c, uint32_t how, int32_t status)
{
	c->head.how = how;
	c->head.status = status;
	TAILQ_INSERT_TAIL(&c->worker->calls.answered, c, link);
	worker_calls_flush(c->worker);
}

static void
call_done(struct op *op, int32_t status, hostd_buf result)
{
	struct call *c = (struct call *)(void *)((char *)op -
	    offsetof(struct call, op));

	TAILQ_REMOVE(&c->worker->calls.running, c, link);
	if (result.n > 0)
		buf_append(&c->text, result.p, result.n);
	call_answer(c, CALLED_DONE, status);
}

/* -- being asked -- */

static int
take_name(struct unpack *u, char *name, size_t size)
{
	hostd_buf b = unpack_bytes(u);

	if (b.n >= size)
		return -1;
	if (b.n > 0)
		memcpy(name, b.p, b.n);
	name[b.n] = '\0';
	return 0;
}

/* 0, or -1: it is not as it should be. */
static int
order_read(struct order *o, const struct chan_msg *m)
{
	struct unpack u = { m->data, m->len, 0 };
	const void *head = unpack_take(&u, sizeof(o->call));
	hostd_buf arg;
	uint32_t i;
	char *p;

	memset(o, 0, sizeof(*o));
	if (head == NULL)
		return -1;
	memcpy(&o->call, head, sizeof(o->call));
	if (take_name(&u, o->instance, sizeof(o->instance)) == -1 ||
	    take_name(&u, o->command, sizeof(o->command)) == -1 ||
	    o->call.nargs > ARGS_MAX)
		return -1;
	p = o->bytes = xmalloc(u.n + o->call.nargs + 1);
	o->argv = xcalloc(o->call.nargs + 1, sizeof(*o->argv));
	for (i = 0; i < o->call.nargs && !u.bad; i++) {
		arg = unpack_bytes(&u);
		if (arg.n > 0)
			memcpy(p, arg.p, arg.n);
		p[arg.n] = '\0';
		o->argv[i] = (hostd_buf){ p, arg.n };
		p += arg.n + 1;
	}
	return unpack_ok(&u) ? 0 : -1;
}

static void
call_run(struct call *c, const struct order *o, const struct cmd *cmd)
{
	struct calls *all = &c->worker->calls;

	TAILQ_INSERT_TAIL(&all->running, c, link);
	if (cmd_run(cmd, o->call.nargs, o->argv, &c->op,
	    o->call.limit_ms > 0 ? o->call.limit_ms : 1, o->call.max,
	    call_done) == 0)
		return;
	TAILQ_REMOVE(&all->running, c, link);
	buf_puts(&c->text, "it owes too many answers already");
	call_answer(c, CALLED_REFUSED, HOSTD_E_FULL);
}

static void
call_begin(struct call *c, const struct order *o)
{
	struct cmd cmd;

	if (o->call.what == CALL_LIST) {
		cmds_list(&c->worker->plugins, &c->text);
		call_answer(c, CALLED_DONE, HOSTD_OK);
		return;
	}
	switch (cmd_find(&c->worker->plugins, o->instance, o->command,
	    o->call.nargs, &cmd, &c->text)) {
	case CMD_ABSENT:
		call_answer(c, CALLED_ABSENT, HOSTD_OK);
		return;
	case CMD_REFUSED:
		call_answer(c, CALLED_REFUSED, cmd.row == NULL ?
		    HOSTD_E_NOTSUP : HOSTD_E_INVAL);
		return;
	case CMD_FOUND:
		break;
	}
	c->head.flags = cmd.row->flags;
	if (o->call.what == CALL_RUN)
		call_run(c, o, &cmd);
	else
		call_answer(c, CALLED_HERE, HOSTD_OK);
}

void
worker_calls_take(struct worker *w, const struct chan_msg *m)
{
	struct order o;
	struct call *c;
	int rc = order_read(&o, m);

	c = xcalloc(1, sizeof(*c));
	c->worker = w;
	c->head.id = o.call.id;
	if (w->calls.n++ < CALLS_MAX && rc == 0) {
		call_begin(c, &o);
	} else {
		buf_puts(&c->text, rc == 0 ? "too many commands run here" :
		    "it does not understand what it is asked for");
		call_answer(c, CALLED_REFUSED, HOSTD_E_FULL);
	}
	free(o.argv);
	free(o.bytes);
}

/* -- life -- */

void
worker_calls_init(struct worker *w)
{
	TAILQ_INIT(&w->calls.running);
	TAILQ_INIT(&w->calls.answered);
}

/* Instances have ended, and with them what runs. */
void
worker_calls_close(struct worker *w)
{
	struct call *c;

	while ((c = TAILQ_FIRST(&w->calls.answered)) != NULL) {
		TAILQ_REMOVE(&w->calls.answered, c, link);
		call_free(c);
	}
}
