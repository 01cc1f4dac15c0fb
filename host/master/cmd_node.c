/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What workers can't see for themselves:
 *
 *	{"cmd": "node"}
 *	{"cmd": "log-tail", "name": "mark of an earlier answer"}
 *
 * The answers are in <hostd/control.h>.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "master/command.h"
#include "master/control.h"
#include "master/generations.h"
#include "master/proc.h"

#define TAIL_MAX	(32 * 1024)

/* ---- the node ---- */

static json_t *
processes_json(const struct master *m)
{
	json_t *list = json_array();
	const struct child *c;

	LIST_FOREACH (c, &m->children.list, link)
		if (c->role == CHAN_ROLE_WORKER)
			(void)json_array_append_new(list,
			    json_pack("{s:i,s:I}", "pid", (int)c->pid, "rss",
				(json_int_t)proc_rss(c->pid)));
	return list;
}

static json_t *
pools_json(const struct master *m)
{
	json_t *list = json_array();
	const struct pool *p;

	TAILQ_FOREACH (p, &m->pools.list, link)
		(void)json_array_append_new(list,
		    json_pack("{s:o,s:i,s:b}", "name", control_text(p->name),
			"target", p->target, "stopped",
			p->stopped || p->deleted));
	return list;
}

void
command_node(struct control_client *c, const json_t *request)
{
	const struct master *m = c->control->m;

	(void)request;
	control_end(c, 1,
	    json_pack("{s:s,s:o,s:o,s:o}", "state", master_state(m), "pools",
		pools_json(m), "processes", processes_json(m), "generations",
		generations_json(m)));
}

/* ---- the log ---- */

struct tail {
	struct stat st;
	unsigned long long file;	/* the mark's: which one it was */
	long long at;			/* and how far it was read; -1: not */
	char text[TAIL_MAX + 1];
	size_t n;
};

/* We have it for writing only; who has named it may not be here any more. */
static int
tail_open(int fd)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

/* Lines that are complete; of the first, if it was cut, nothing. */
static void
tail_trim(struct tail *t, int cut)
{
	const char *nl = memrchr(t->text, '\n', t->n), *first;

	t->n = nl == NULL ? 0 : (size_t)(nl - t->text) + 1;
	t->at += (long long)t->n;
	first = cut ? memchr(t->text, '\n', t->n) : NULL;
	if (first != NULL) {
		t->n -= (size_t)(first + 1 - t->text);
		memmove(t->text, first + 1, t->n);
	}
	t->text[t->n] = '\0';
}

static void
tail_read(struct tail *t, int fd)
{
	int cut = 0;
	ssize_t n;

	/* Another file, an emptied one, or far behind. */
	if (t->file != (unsigned long long)t->st.st_ino ||
	    t->at > t->st.st_size || t->at < 0 ||
	    t->st.st_size - t->at > TAIL_MAX) {
		t->at = t->st.st_size > TAIL_MAX ? t->st.st_size - TAIL_MAX :
		    0;
		cut = t->at > 0;
	}
	t->file = (unsigned long long)t->st.st_ino;
	n = pread(fd, t->text, TAIL_MAX, (off_t)t->at);
	t->n = n > 0 ? (size_t)n : 0;
	tail_trim(t, cut);
}

static json_t *
tail_json(struct tail *t, const char *kind)
{
	char mark[64];
	size_t i;

	/* A line is a line, whatever is in it. */
	for (i = 0; i < t->n; i++)
		if ((unsigned char)t->text[i] < ' ' && t->text[i] != '\n' &&
		    t->text[i] != '\t')
			t->text[i] = '?';
	(void)snprintf(mark, sizeof(mark), "%llu:%lld", t->file, t->at);
	return json_pack("{s:s,s:s,s:o}", "kind", kind, "mark", mark, "text",
	    control_text(t->text));
}

void
command_log_tail(struct control_client *c, const json_t *request)
{
	const char *mark = json_string_value(json_object_get(request, "name"));
	int log = c->control->m->children.error_log, fd = -1;
	struct tail *t = xcalloc(1, sizeof(*t));
	const char *kind = log_kind(log);

	if (mark == NULL || sscanf(mark, "%llu:%lld", &t->file, &t->at) != 2)
		t->at = -1;
	if (strcmp(kind, "file") == 0)
		fd = tail_open(log);
	if (fd != -1 && fstat(fd, &t->st) == 0)
		tail_read(t, fd);
	if (fd != -1)
		(void)close(fd);
	control_end(c, 1, tail_json(t, fd == -1 && strcmp(kind, "file") == 0 ?
	    "unreadable" : kind));
	free(t);
}
