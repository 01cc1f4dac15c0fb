/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Socket.IO over one Engine.IO session: what the packets of a client do, its
 * sockets in the namespaces that it has connected to, and attachments that are
 * still to come.
 */
#ifndef SOCKETIO_CLIENT_H
#define SOCKETIO_CLIENT_H

#include "eio.h"

struct sio_socket;

struct client {
	struct hostd_inst *in;
	struct eio *eio;
	TAILQ_HEAD(, sio_socket) sockets;	/* also those that connect */
	uint32_t nsockets;
	int was_accepted;		/* by some namespace */
	struct sio_partial *partial;	/* a packet whose attachments are to
					   come; NULL: none */
	TAILQ_ENTRY(client) fresh;	/* none was accepted yet; by deadline */
	uint64_t connect_by;
};

/* -- what the engine calls -- */

/* A session has opened.  NULL: no memory, refuse it. */
struct client *client_new(struct hostd_inst *, struct eio *);
/*
 * A message, without the '4'.  [call].  0, or -1: it is invalid, end the session
 * with HOSTD_SIO_FORCED_CLOSE.  In it anything may be sent and ended.
 */
int	client_text(struct client *, hostd_buf packet);
int	client_binary(struct client *, hostd_buf data);
/* The session has ended: its sockets leave.  Then it is freed. */
void	client_gone(struct client *, int32_t reason);

/* Its sockets, for a successor: see move.h. */

/* -- what others call -- */

/* Send a packet of this namespace to it: SIO_CONNECT and so on of packet.h.
 * body: JSON pieces. */
int32_t	client_send(struct client *, int type, hostd_buf nsp,
	    const hostd_buf *pieces, uint32_t n);
void	clients_destroy(struct hostd_inst *);

#endif
