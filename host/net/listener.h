/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listening sockets, as the master makes them for its workers.
 *
 * A TCP socket is one of an SO_REUSEPORT group: each worker slot has its own.
 * A unix socket exists once per path and is shared.  Bound at first, a socket
 * takes connections only after listener_start, so that nobody waits in a queue
 * that no worker will ever look at.
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include <stddef.h>
#include <sys/types.h>
#include "net/addr.h"

struct listener {
	struct addr addr;
	int fd;
	int refs;
	int listening;
	int shared;		/* unix */
	dev_t dev;		/* unix: of the path, as we made it */
	ino_t ino;
};

struct listener_opts {
	const struct addr *addr;
	int mode;		/* unix: permission bits */
	int v6only;
	int alone;		/* refuse when any other socket listens there,
				   even one that would share */
};

/* One reference, or NULL with a reason (and errno) in why. */
struct listener *listener_open(const struct listener_opts *, char *why,
	    size_t size);
/* Also to change the backlog.  0 or -1 with errno. */
int	listener_start(struct listener *, int backlog);
struct listener *listener_ref(struct listener *);
/* The last one closes it, and removes a unix socket's path. */
void	listener_unref(struct listener *);

struct conf;
struct conf_listen;

/* The block that a connection, here or in another worker, was accepted by;
 * NULL: its address is configured no more. */
const struct conf_listen *listener_block(const struct conf *, int fd);

int	listener_is_at(const struct listener *, const struct addr *);

#endif
