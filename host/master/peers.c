/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"
#include "master/child.h"
#include "master/peers.h"

static void
peers_pair(struct child *a, struct child *b)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    fds) == -1) {
		log_warn("%s and %s can't hear of each other: a socket pair",
		    a->name, b->name);
		return;
	}
	child_send(a, CHAN_PEER, NULL, 0, fds[0]);
	child_send(b, CHAN_PEER, NULL, 0, fds[1]);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

void
peers_connect(struct child *c)
{
	struct child *other;

	LIST_FOREACH(other, &c->all->list, link)
		if (other != c && other->role == CHAN_ROLE_WORKER &&
		    other->fd != -1)
			peers_pair(c, other);
}
