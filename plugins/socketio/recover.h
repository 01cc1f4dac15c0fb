/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connection state recovery: a socket that was cut off can come back, at any
 * worker, with its id, rooms and data, and is sent what it has missed.  All of
 * it does nothing without max_disconnection_duration.
 */
#ifndef SOCKETIO_RECOVER_H
#define SOCKETIO_RECOVER_H

#include "space.h"

struct bus_message;
struct cluster;
struct pack;
struct unpack;

#define RECOVER_OFFSET	24

/* What names an order to clients, in room. */
hostd_buf recover_offset(char room[RECOVER_OFFSET], uint64_t process,
	    uint64_t seq);

/* -- what client.c calls -- */

/*
 * A new socket, which has a pid from now on, wants to connect.  1: it may be
 * one that comes back, and client_recovered follows, later; 0: it is not.
 */
int	recover_begin(struct sio_socket *, hostd_buf auth);
/* It has entered its namespace: it gets its rooms back, and what it has
 * missed. */
void	recover_enter(struct sio_socket *);
/* It goes, and is still in its rooms. */
void	recover_keep(struct sio_socket *, int32_t reason);
/* It will be freed. */
void	recover_forget(struct sio_socket *);

/* -- what api.c calls -- */

/* An event to one socket that nobody acknowledges: it may be kept.  NULL: out
 * of memory. */
struct eio_message *recover_event(struct sio_socket *, uint32_t flags,
	    hostd_buf name, const struct hostd_sio_args *);

/* -- what the cluster calls -- */

void	recover_destroy(struct cluster *);
void	recover_asked(struct cluster *, struct bus_message *);
void	recover_replied(struct cluster *, struct bus_message *);
void	recover_peer_left(struct cluster *, uint64_t process);
/* Another worker's, which ends. */
void	recover_kept(struct cluster *, struct bus_message *);
/* Those that are kept here, and the log, for a successor. */
void	recover_save(struct cluster *, struct pack *);
int	recover_load(struct cluster *, struct unpack *);

#endif
