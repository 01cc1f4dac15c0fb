/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/mem.h"
#include "net/pipes.h"

struct pipes {
	SLIST_HEAD(, pipes_pipe) kept;
	unsigned nkept, nused;
};

struct pipes *
pipes_new(void)
{
	struct pipes *ps = xcalloc(1, sizeof(*ps));

	SLIST_INIT(&ps->kept);
	return ps;
}

static void
pipe_close(struct pipes_pipe *p)
{
	(void)close(p->out);
	(void)close(p->in);
	free(p);
}

void
pipes_free(struct pipes *ps)
{
	struct pipes_pipe *p;

	while ((p = SLIST_FIRST(&ps->kept)) != NULL) {
		SLIST_REMOVE_HEAD(&ps->kept, link);
		pipe_close(p);
	}
	free(ps);
}

static struct pipes_pipe *
pipe_open(void)
{
	struct pipes_pipe *p;
	int fds[2];

	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) == -1)
		return NULL;
	/* Above the user's share it stays as small as it is. */
	(void)fcntl(fds[1], F_SETPIPE_SZ, PIPES_SIZE);
	p = xmalloc(sizeof(*p));
	p->out = fds[0];
	p->in = fds[1];
	return p;
}

struct pipes_pipe *
pipes_take(struct pipes *ps)
{
	struct pipes_pipe *p = SLIST_FIRST(&ps->kept);

	if (p != NULL) {
		SLIST_REMOVE_HEAD(&ps->kept, link);
		ps->nkept--;
	} else if (ps->nused >= PIPES_MAX) {
		errno = EMFILE;
		return NULL;
	} else if ((p = pipe_open()) == NULL) {
		return NULL;
	}
	ps->nused++;
	return p;
}

void
pipes_give(struct pipes *ps, struct pipes_pipe *p, int empty)
{
	ps->nused--;
	if (!empty || ps->nkept >= PIPES_KEPT) {
		pipe_close(p);
		return;
	}
	SLIST_INSERT_HEAD(&ps->kept, p, link);
	ps->nkept++;
}
