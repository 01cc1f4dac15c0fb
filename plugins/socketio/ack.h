/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acknowledgements that clients owe us, and those that we owe them.  Ids of the
 * former are counted per namespace.
 */
#ifndef SOCKETIO_ACK_H
#define SOCKETIO_ACK_H

#include "space.h"

/* fn(in, arg, status, args) once: HOSTD_OK and args, E_TIMEOUT, or E_GONE. */
typedef void (*ack_fn)(struct hostd_inst *, void *arg, int32_t status,
	    const struct hostd_sio_args *);

/* This socket will be sent an event with that id.  timeout_ms 0: none.  OK,
 * E_FULL (max_acks), E_NOMEM. */
int32_t	ack_expect(struct sio_socket *, uint64_t id, uint32_t timeout_ms,
	    ack_fn, void *arg);
/* It has come.  An id that nobody waits for is ignored. */
void	ack_came(struct sio_socket *, uint64_t id,
	    const struct hostd_sio_args *);
/* The socket goes: all that it owes is E_GONE. */
void	acks_gone(struct sio_socket *);
/* Nobody wants these any more: fn is not called. */
void	acks_forget(struct hostd_inst *, const void *arg);

/*
 * What a handler gets to acknowledge with: one for each event that wants it.
 * ack_take: whose it was, once; NULL: stale, or the socket has gone.  Those of
 * other servers' events (server_ask) are in it too: see ack.c.
 */
hostd_sio_ack ack_owe(struct sio_socket *, uint64_t id);
struct sio_socket *ack_take(struct hostd_inst *, hostd_sio_ack, uint64_t *id);

int32_t	acks_create(struct hostd_inst *);
void	acks_destroy(struct hostd_inst *);

#endif
