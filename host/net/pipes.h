/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pipes of a worker, for splice(2).  One is taken for as long as bytes lie
 * in it: where they are sent on at once, one does for all connections.
 */
#ifndef NET_PIPES_H
#define NET_PIPES_H

#include <sys/queue.h>

#define PIPES_KEPT	8		/* empty, for the next */
#define PIPES_MAX	256		/* in use; more connections are
					   copied */
#define PIPES_SIZE	(256u << 10)	/* where the kernel lets us */

struct pipes;

struct pipes_pipe {
	SLIST_ENTRY(pipes_pipe) link;
	int out, in;
};

struct pipes *pipes_new(void);
/* All must have been given back. */
void	pipes_free(struct pipes *);
/* An empty one, not blocking; NULL with errno. */
struct pipes_pipe *pipes_take(struct pipes *);
/* One that is not empty is closed. */
void	pipes_give(struct pipes *, struct pipes_pipe *, int empty);

#endif
