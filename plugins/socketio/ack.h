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
/* It has come.  0; -1: nobody here waits for it. */
int	ack_came(struct sio_socket *, uint64_t id,
	    const struct hostd_sio_args *);
/* The socket goes: all that it owes is E_GONE. */
void	acks_gone(struct sio_socket *);
/* It was not sent: fn is not called. */
void	ack_unexpect(struct sio_socket *, uint64_t id);
/* Nobody wants those any more for which is_of(arg, owner) is so: fn is not
 * called; is_of frees what arg is. */
void	acks_forget(struct hostd_inst *, ack_fn,
	    int (*is_of)(void *arg, const void *owner), const void *owner);

/*
 * What a handler gets to acknowledge with: one for each event that wants it, of
 * a socket, or of whoever fn tells, also from within a call of the handler's.
 * A socket that is owed more than max_acks loses the oldest.  id 0: no memory.
 */
hostd_sio_ack ack_owe(struct sio_socket *, uint64_t id);
hostd_sio_ack ack_owe_other(struct hostd_inst *, ack_fn, void *arg);
/* Once: what is owed.  -1: stale, or the socket has gone. */
struct owed_to {
	struct sio_socket *socket;	/* NULL: it is fn's */
	uint64_t id;
	ack_fn fn;
	void *arg;
};
int	ack_take(struct hostd_inst *, hostd_sio_ack, struct owed_to *);
/* Nobody waits for it any more. */
void	ack_cancel(struct hostd_inst *, hostd_sio_ack);

int32_t	acks_create(struct hostd_inst *);
void	acks_destroy(struct hostd_inst *);

#endif
