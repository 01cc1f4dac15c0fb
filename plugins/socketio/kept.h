/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets that were cut off here, for when they come back. */
#ifndef SOCKETIO_KEPT_H
#define SOCKETIO_KEPT_H

#include "cluster_inside.h"

/* What is read of one's record. */
struct session_view {
	hostd_buf pid, nsp, id, data;
	struct order rooms;		/* in to.rooms */
};

int	session_read(struct session_view *, struct unpack *);
/* Keep a record, anew.  -1: no memory. */
int	session_keep(struct cluster *, hostd_buf record);
int	session_is_here(struct cluster *, hostd_buf pid);
/* Answer for one, and forget it.  1: it is found, and packed behind what b has:
 * its record, marks, and events that it has missed. */
int	session_take(struct cluster *, hostd_buf pid, hostd_buf nsp,
	    hostd_buf offset, struct pack *b);

int32_t	kept_create(struct cluster *);
void	kept_destroy(struct cluster *);

#endif
