/* SPDX-License-Identifier: BSD-2-Clause */
/* A child that its master's successor goes on with: the process stays what it
 * is to us, as an exec changes neither its parent nor the channel. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/child.h"
#include "master/output.h"

static json_t *
child_out_save(const struct child_out *o, struct record *r)
{
	json_t *fds = json_array();
	int i;

	for (i = 0; i < o->nfds; i++)
		(void)json_array_append_new(fds, record_fd(r, o->fds[i]));
	return json_pack("{s:i,s:o,s:o}", "type", (int)o->type, "data",
	    record_bytes(o->data, o->len), "fds", fds);
}

/* In how many ms its timer goes off; -1: it is not set. */
static json_int_t
timer_due(const uv_timer_t *t)
{
	if (!uv_is_active((const uv_handle_t *)t))
		return -1;
	return (json_int_t)uv_timer_get_due_in(t);
}

/* What pulse.c knows of it. */
static json_t *
child_pulse_save(const struct child *c)
{
	return json_pack("{s:I,s:I,s:b,s:b,s:b,s:b}", "beat",
	    (json_int_t)c->beat, "silent_ms", (json_int_t)c->silent_ms,
	    "asked", c->asked, "silent", c->silent, "stuck", c->stuck,
	    "aborted", c->aborted);
}

json_t *
child_save(const struct child *c, struct record *r)
{
	const struct child_out *o;
	json_t *out = json_array();
	json_int_t up = (json_int_t)(uv_now(c->all->loop) - c->started);

	TAILQ_FOREACH(o, &c->out, entry)
		(void)json_array_append_new(out, child_out_save(o, r));
	return json_pack("{s:i,s:o,s:i,s:b,s:b,s:b,s:b,s:b,s:b,s:i,s:I,s:I,"
			 "s:o,s:o,s:o,s:o,s:o,s:o}",
	    "pid", (int)c->pid, "channel", record_fd(r, c->fd), "cell",
	    c->cell, "ready", c->ready, "failed", c->failed, "ending",
	    c->ending, "killed", c->killed, "elsewhere", c->elsewhere,
	    "calls", c->calls, "next_signal", c->killing, "up_ms",
	    up, "timer_ms", timer_due(&c->timer), "why",
	    record_bytes(c->why, strlen(c->why)), "held",
	    record_bytes(c->held, strlen(c->held)), "pulse",
	    child_pulse_save(c),
	    "stdout", output_save(c, 0, r), "stderr", output_save(c, 1, r),
	    "out", out);
}

/* One that can't be sent as it was is left out: the worker of another version
 * would not understand it either. */
static void
child_out_restore(struct child *c, const json_t *j, struct record *r)
{
	const json_t *fds = json_object_get(j, "fds");
	struct buf data = {0};
	struct child_out *o;
	size_t i;

	record_get_bytes(j, "data", &data);
	if (data.len <= sizeof(o->data)) {
		o = child_queue(c, (enum chan_type)record_int(j, "type", 0),
		    data.p, data.len);
		for (i = 0; i < json_array_size(fds) && o->nfds < 2; i++)
			o->fds[o->nfds++] =
			    record_take(r, json_array_get(fds, i));
	}
	buf_free(&data);
}

/*
 * On a new board it has the cell of the same number, as that is what others
 * know it by.  It writes to the old one, so what it does is not known.
 */
static void
child_cell_restore(struct child *c, const struct child_opts *o)
{
	struct board_cell *cell = &c->all->board->cells[c->cell];

	if (!c->all->board_is_new)
		return;
	c->elsewhere = 1;
	child_cell_fill(c, o);
	cell->pid = (uint32_t)c->pid;
	cell->state = c->ending ? CELL_DRAINING
	    : c->ready		? CELL_READY
				: CELL_STARTING;
}

static void
child_timer_restore(struct child *c, int64_t ms)
{
	if (ms >= 0)
		(void)uv_timer_start(&c->timer,
		    c->ending ? child_escalate : child_late, (uint64_t)ms, 0);
}

static void
child_pulse_restore(struct child *c, const json_t *j)
{
	c->beat = (uint64_t)record_int(j, "beat", 0);
	c->silent_ms = (uint64_t)record_int(j, "silent_ms", 0);
	c->asked = record_flag(j, "asked");
	c->silent = record_flag(j, "silent");
	c->stuck = record_flag(j, "stuck");
	c->aborted = record_flag(j, "aborted");
}

static void
text_restore(const json_t *j, const char *name, char *to, size_t size)
{
	char *text = record_get_text(j, name);

	if (text != NULL)
		(void)snprintf(to, size, "%s", text);
	free(text);
}

struct child *
child_restore(struct children *all, const struct child_opts *o,
    const json_t *j, struct record *r)
{
	const json_t *out = json_object_get(j, "out");
	pid_t pid = (pid_t)record_int(j, "pid", 0);
	int64_t cell = record_int(j, "cell", -1);
	struct child *c;
	size_t i;

	if (pid <= 0 || cell < 0 || cell >= BOARD_CELLS)
		return NULL;
	c = child_new(all, o, record_take_fd(r, j, "channel"), (int)cell);
	c->pid = pid;
	c->ready = record_flag(j, "ready");
	c->failed = record_flag(j, "failed");
	c->ending = record_flag(j, "ending");
	c->killed = record_flag(j, "killed");
	c->elsewhere = record_flag(j, "elsewhere");
	c->calls = record_flag(j, "calls");
	c->killing = (int)record_int(j, "next_signal", 0);
	c->started -= (uint64_t)record_int(j, "up_ms", 0);
	text_restore(j, "why", c->why, sizeof(c->why));
	text_restore(j, "held", c->held, sizeof(c->held));
	output_restore(c, 0, json_object_get(j, "stdout"), r);
	output_restore(c, 1, json_object_get(j, "stderr"), r);
	child_pulse_restore(c, json_object_get(j, "pulse"));
	child_cell_restore(c, o);
	for (i = 0; c->fd != -1 && i < json_array_size(out); i++)
		child_out_restore(c, json_array_get(out, i), r);
	if (c->fd != -1)
		child_poll(c);
	child_timer_restore(c, record_int(j, "timer_ms", -1));
	return c;
}
