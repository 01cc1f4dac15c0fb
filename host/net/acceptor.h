/* SPDX-License-Identifier: BSD-2-Clause */
/* A listening socket on the loop: new connections, at a pace. */
#ifndef NET_ACCEPTOR_H
#define NET_ACCEPTOR_H

#include <sys/queue.h>
#include <sys/socket.h>
#include "net/loop.h"

struct conf_listen;

struct acceptor {
	struct loop_fd io;		/* first */
	TAILQ_ENTRY(acceptor) link;
	struct loop *loop;
	int shared;			/* other processes accept from it too */
	int on;
	int resting;			/* on, but out of descriptors */
	struct wheel_timer rested;
	uint64_t muted_ms;		/* last complaint, they are rare */
	/* Take the connected socket fd.  Returns 0, or -1 to accept no more
	 * in this turn. */
	int (*accepted)(struct acceptor *, int fd, const struct sockaddr *);
	/* One could not be taken for want of descriptors or memory; may be
	 * NULL. */
	void (*starved)(struct acceptor *);
	void *arg;
	uint32_t slot;			/* the user's: whose socket it is, */
	char name[64];			/* of its listen block, */
	const struct conf_listen *listen;	/* and that, or NULL */
};

/* Takes fd, which must not block. */
void	acceptor_init(struct acceptor *, struct loop *, int fd, int shared);
/* 0, or -1 with errno. */
int	acceptor_start(struct acceptor *);
/* Stop listening to it; what waits in the queue stays there. */
void	acceptor_stop(struct acceptor *);
/* Accept what waits in the queue now. */
void	acceptor_empty(struct acceptor *);
void	acceptor_close(struct acceptor *);

#endif
