/* SPDX-License-Identifier: BSD-2-Clause */
/* A client and its sockets as bytes, for the worker that takes our place. */
#ifndef SOCKETIO_CLIENT_MOVE_H
#define SOCKETIO_CLIENT_MOVE_H

#include "cluster_inside.h"

/* Nothing changes.  OK, or negative: a handler can't say what it knows. */
int32_t	client_pack(const struct client *, struct pack *);
/*
 * Into one that is new.  0; -1: a handler or namespace is not there, or it is
 * none: its sockets are freed, and nobody was told.
 */
int	client_unpack(struct client *, struct unpack *);

#endif
