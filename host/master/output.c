/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "base/mem.h"
#include "master/child.h"
#include "master/output.h"
#include "worker/output.h"

#define PIPE_BYTES (256 * 1024)		/* what a child can be ahead of us */
#define SECOND_BYTES (4 * 1024 * 1024)	/* that are read in a second */

static const char *const names[2] = {"stdout", "stderr"};

/* Goes on over an upgrade of the master: output_save. */
struct output {
	uv_poll_t poll;
	const struct child *child;
	int fd;
	int which;		/* 0: standard output */
	int lines;		/* that may still be logged */
	size_t bytes;		/* read since the last tick */
	uint64_t dropped;	/* lines, since the last tick */
	int paused;		/* until the next tick */
	int quiet;		/* nothing has come since the last tick */
	int naming;		/* within the name of a plugin */
	char plugin[OUTPUT_NAME];	/* who writes; "": not known */
	char line[OUTPUT_LINE];
	size_t len;
	size_t name_len;
};

/* ---- pipes ---- */

static int
output_pipe(int *ours, int *childs)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) == -1)
		return -1;
	/* Not granted to everybody; then it is what it is. */
	(void)fcntl(fds[0], F_SETPIPE_SZ, PIPE_BYTES);
	*ours = fds[0];
	*childs = fds[1];
	return 0;
}

int
output_pipes(int ours[2], int childs[2])
{
	int saved;

	if (output_pipe(&ours[0], &childs[0]) == -1)
		return -1;
	if (output_pipe(&ours[1], &childs[1]) == 0)
		return 0;
	saved = errno;
	(void)close(ours[0]);
	(void)close(childs[0]);
	errno = saved;
	return -1;
}

void
output_redirect(const int childs[2])
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd != -1)
		(void)dup2(fd, STDIN_FILENO);
	(void)dup2(childs[0], STDOUT_FILENO);
	(void)dup2(childs[1], STDERR_FILENO);
}

/* ---- lines ---- */

/* Without a name, those who run now are meant: what is written past stdio is
 * read a moment later, or from who has died there. */
static void
output_log(const struct output *o)
{
	const struct child *c = o->child;
	char context[160], source[OUTPUT_NAME + 16], running[64];
	const char *plugin = o->plugin;

	if (plugin[0] == '\0' &&
	    board_running(&c->all->board->cells[c->cell], running,
		sizeof(running)) != NULL)
		plugin = running;
	(void)snprintf(context, sizeof(context), "%s gen %u pid %d", c->name,
	    c->generation, (int)c->pid);
	(void)snprintf(source, sizeof(source), "%s%s%s", plugin,
	    plugin[0] != '\0' ? " " : "", names[o->which]);
	log_text_as(context, o->which == 0 ? LOG_LVL_INFO : LOG_LVL_WARN,
	    source, o->line, o->len);
}

static void
output_line(struct output *o)
{
	if (o->lines > 0) {
		o->lines--;
		output_log(o);
	} else {
		o->dropped++;
	}
	o->len = 0;
}

static void
output_text(struct output *o, char byte)
{
	if (byte == '\n') {
		output_line(o);
		return;
	}
	if (o->len == sizeof(o->line))
		output_line(o);
	o->line[o->len++] = byte;
}

static void
output_byte(struct output *o, char byte)
{
	if (byte == OUTPUT_NAME_BEGIN) {
		o->naming = 1;
		o->name_len = 0;
	} else if (byte == OUTPUT_NAME_END) {
		o->naming = 0;
		o->plugin[o->name_len] = '\0';
	} else if (!o->naming) {
		output_text(o, byte);
	} else if (o->name_len < sizeof(o->plugin) - 1) {
		o->plugin[o->name_len++] = byte;
	}
}

static void
output_bytes(struct output *o, const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		output_byte(o, p[i]);
	o->bytes += n;
	o->quiet = 0;
}

/* ---- reading ---- */

/* Up to a bound.  1: there may be more; 0: it has closed its end. */
static int
output_read(struct output *o, size_t max)
{
	static char space[65536];
	ssize_t n;

	do {
		n = read(o->fd, space, sizeof(space));
		if (n > 0)
			output_bytes(o, space, (size_t)n);
	} while (n > 0 && o->bytes < max);
	return n > 0 || (n == -1 && (errno == EAGAIN || errno == EINTR));
}

static void
output_polled(uv_poll_t *p, int status, int events)
{
	struct output *o = p->data;

	(void)events;
	if (status < 0 || !output_read(o, SECOND_BYTES)) {
		(void)uv_poll_stop(p);
	} else if (o->bytes >= SECOND_BYTES) {
		(void)uv_poll_stop(p);
		o->paused = 1;
	}
}

static struct output *
output_new(struct child *c, int which, int fd)
{
	struct output *o = xcalloc(1, sizeof(*o));

	o->child = c;
	o->fd = fd;
	o->which = which;
	o->lines = OUTPUT_BURST;
	(void)uv_poll_init(c->all->loop, &o->poll, o->fd);
	o->poll.data = o;
	(void)uv_poll_start(&o->poll, UV_READABLE, output_polled);
	c->output[which] = o;
	return o;
}

void
output_watch(struct child *c, const int ours[2])
{
	int i;

	for (i = 0; i < 2; i++)
		(void)output_new(c, i, ours[i]);
}

static void
output_tell_dropped(struct output *o)
{
	const struct child *c = o->child;

	if (o->dropped > 0)
		log_warnx("%s (pid %d): %s%" PRIu64 " lines of its %s were "
			  "dropped: more than %d a second",
		    c->name, (int)c->pid, o->paused ? "at least " : "",
		    o->dropped, names[o->which], OUTPUT_RATE);
	o->dropped = 0;
}

static void
output_second(struct output *o)
{
	if (o->quiet && o->len > 0)
		output_line(o);
	output_tell_dropped(o);
	o->lines += OUTPUT_RATE;
	if (o->lines > OUTPUT_BURST)
		o->lines = OUTPUT_BURST;
	o->bytes = 0;
	o->quiet = 1;
	if (o->paused)
		(void)uv_poll_start(&o->poll, UV_READABLE, output_polled);
	o->paused = 0;
}

static void
outputs_second(uv_timer_t *t)
{
	struct children *all = t->data;
	struct child *c;
	int i;

	LIST_FOREACH (c, &all->list, link)
		for (i = 0; i < 2; i++)
			if (c->output[i] != NULL)
				output_second(c->output[i]);
	log_flush(); /* what a pipe could not take before */
}

void
outputs_start(struct children *all)
{
	(void)uv_timer_init(all->loop, &all->second);
	all->second.data = all;
	(void)uv_timer_start(&all->second, outputs_second, 1000, 1000);
	uv_unref((uv_handle_t *)&all->second);
}

static void
output_closed(uv_handle_t *h)
{
	free(h->data);
}

void
output_close(struct child *c)
{
	struct output *o;
	int i;

	for (i = 0; i < 2; i++) {
		o = c->output[i];
		if (o == NULL)
			continue;
		c->output[i] = NULL;
		(void)output_read(o, o->bytes + PIPE_BYTES);
		if (o->len > 0)
			output_line(o);
		output_tell_dropped(o);
		uv_close((uv_handle_t *)&o->poll, output_closed);
		(void)close(o->fd);
	}
}

int
output_fd(const struct child *c, int which)
{
	return c->output[which] != NULL ? c->output[which]->fd : -1;
}

/* ---- for a master's successor ---- */

json_t *
output_save(const struct child *c, int which, struct record *r)
{
	const struct output *o = c->output[which];

	if (o == NULL)
		return json_null();
	return json_pack("{s:o,s:i,s:I,s:b,s:o,s:o}", "pipe",
	    record_fd(r, o->fd), "lines", o->lines, "dropped",
	    (json_int_t)o->dropped, "naming", o->naming, "plugin",
	    record_bytes(o->plugin, o->naming ? o->name_len
					      : strlen(o->plugin)),
	    "line", record_bytes(o->line, o->len));
}

static size_t
output_get(const json_t *j, const char *name, char *to, size_t size)
{
	struct buf b = {0};
	size_t n;

	record_get_bytes(j, name, &b);
	n = b.len < size ? b.len : size;
	if (n > 0)
		memcpy(to, b.p, n);
	buf_free(&b);
	return n;
}

void
output_restore(struct child *c, int which, const json_t *j, struct record *r)
{
	int fd = record_take_fd(r, j, "pipe");
	struct output *o;

	if (fd == -1)
		return;
	o = output_new(c, which, fd);
	o->lines = (int)record_int(j, "lines", OUTPUT_BURST);
	o->dropped = (uint64_t)record_int(j, "dropped", 0);
	o->naming = record_flag(j, "naming");
	o->name_len =
	    output_get(j, "plugin", o->plugin, sizeof(o->plugin) - 1);
	o->len = output_get(j, "line", o->line, sizeof(o->line));
}
