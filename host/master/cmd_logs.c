/* SPDX-License-Identifier: BSD-2-Clause */
/* Log files: where they are, opening them anew, emptying them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "master/command.h"
#include "master/control.h"

void
command_logs_reopen(struct control_client *c, const json_t *request)
{
	char why[512];

	(void)request;
	if (master_reopen_logs(c->control->m, why, sizeof(why)) == 0) {
		control_end(c, 1, NULL);
		return;
	}
	control_error(c, why);
	control_end(c, 0, NULL);
}

/* ---- where they are ---- */

const char *
log_kind(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return "closed";
	if (S_ISREG(st.st_mode))
		return "file";
	if (S_ISSOCK(st.st_mode))
		return "socket";
	if (S_ISFIFO(st.st_mode))
		return "pipe";
	return isatty(fd) ? "terminal" : "device";
}

/* {"log": "error_log", "path": ..., "kind": "file"}; of stderr, the path is
 * what stands behind it, as far as the kernel tells. */
static json_t *
log_json(const char *log, const char *path, int fd)
{
	char proc[64], at[4096];
	json_t *o;
	ssize_t n;
	int is_stderr = strcmp(path, "stderr") == 0;

	if (log_is_std(path)) {
		(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
		n = readlink(proc, at, sizeof(at) - 1);
		at[n > 0 ? n : 0] = '\0';
		path = at;
	}
	o = json_pack("{s:s,s:s,s:b}", "log", log, "kind", log_kind(fd),
	    "stderr", is_stderr);
	(void)json_object_set_new(o, "path", control_text(path));
	return o;
}

void
command_logs(struct control_client *c, const json_t *request)
{
	const struct master *m = c->control->m;
	const struct conf_access_log *l;
	json_t *list = json_array(), *o;
	size_t i = 0;

	(void)request;
	(void)json_array_append_new(
	    list, log_json("error_log", m->error_log, m->children.error_log));
	if (m->gen != NULL)
		TAILQ_FOREACH (l, &m->gen->conf->access_logs, entry) {
			if (i < m->gen->logs.n && m->gen->logs.fds[i] != -1) {
				o = log_json("access_log", l->path,
				    m->gen->logs.fds[i]);
				(void)json_object_set_new(
				    o, "format", control_text(l->format));
				(void)json_array_append_new(list, o);
			}
			i++;
		}
	control_end(c, 1, json_pack("{s:o}", "logs", list));
}

/* ---- emptying them ---- */

struct flushed {
	json_t *list;
	int failed;
	struct control_client *c;
};

/* All of us append, so whoever writes next starts at the beginning.  A file
 * that stderr leads to is somebody else's. */
static void
log_flush_file(struct flushed *f, const char *path, int fd)
{
	char text[512];
	struct stat st;

	if (log_is_std(path) || fd == -1 || fstat(fd, &st) == -1 ||
	    !S_ISREG(st.st_mode))
		return;
	if (ftruncate(fd, 0) == -1) {
		(void)snprintf(
		    text, sizeof(text), "%.400s: %s", path, strerror(errno));
		control_error(f->c, text);
		f->failed++;
		return;
	}
	(void)json_array_append_new(f->list,
	    json_pack("{s:o,s:I}", "path", control_text(path), "bytes",
		(json_int_t)st.st_size));
}

static void
generation_flush(struct flushed *f, const struct generation *g)
{
	const struct conf_access_log *l;
	size_t i = 0;

	TAILQ_FOREACH (l, &g->conf->access_logs, entry)
		if (i < g->logs.n)
			log_flush_file(f, l->path, g->logs.fds[i++]);
}

void
command_flush(struct control_client *c, const json_t *request)
{
	struct master *m = c->control->m;
	struct flushed f = {json_array(), 0, c};

	(void)request;
	log_flush_file(&f, m->error_log, m->children.error_log);
	if (m->gen != NULL)
		generation_flush(&f, m->gen);
	event_add(m, EVENT_LOGS_FLUSHED, "log files emptied: %zu",
	    json_array_size(f.list));
	control_end(c, f.failed == 0, json_pack("{s:o}", "emptied", f.list));
}
