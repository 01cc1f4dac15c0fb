/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"
#include "master/child.h"
#include "master/peers.h"

/* Who c is, and both sockets. */
static void
peers_tell(struct child *to, const struct child *c, int bus, int chan)
{
	const struct board_cell *cell = &c->all->board->cells[c->cell];
	struct chan_peer who = { .slot = cell->slot,
		.cell = (uint32_t)c->cell, .generation = c->generation };
	int fds[2] = { bus, chan };

	memcpy(who.pool, cell->pool, sizeof(who.pool));
	child_send_fds(to, CHAN_PEER, &who, sizeof(who), fds, 2);
}

static void
peers_pair(struct child *a, struct child *b)
{
	int bus[2], chan[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    bus) == -1) {
		log_warn("%s and %s can't hear of each other: a socket pair",
		    a->name, b->name);
		return;
	}
	if (chan_pair(chan) == -1) {
		log_warn("%s and %s can't hear of each other: a channel",
		    a->name, b->name);
		(void)close(bus[0]);
		(void)close(bus[1]);
		return;
	}
	peers_tell(a, b, bus[0], chan[0]);
	peers_tell(b, a, bus[1], chan[1]);
	(void)close(bus[0]);
	(void)close(bus[1]);
	(void)close(chan[0]);
	(void)close(chan[1]);
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
