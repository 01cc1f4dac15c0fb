/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Socket.IO over one Engine.IO session: what the packets of a client do, its
 * sockets in the namespaces that it has connected to, and attachments that are
 * still to come.
 */
#ifndef SOCKETIO_CLIENT_H
#define SOCKETIO_CLIENT_H

#include "eio.h"

struct sio_packet;
struct sio_partial;
struct sio_socket;
struct space;

struct client {
	struct hostd_inst *in;
	struct eio *eio;
	TAILQ_HEAD(, sio_socket) sockets;	/* also those that connect */
	TAILQ_ENTRY(client) fresh;	/* none was accepted yet; by deadline */
	struct sio_partial *partial;	/* a packet whose attachments are to
					   come; NULL: none */
	uint32_t connect_by;		/* ms of the clock, cut */
	uint32_t nsockets;
	uint32_t turn;			/* that of the last acceptance */
	uint8_t was_accepted;		/* by some namespace */
	uint8_t was_put_out;		/* of one: what comes for it was sent
					   before the client knew */
	uint8_t is_fresh;		/* in clients->fresh */
	uint8_t revision;		/* of its Engine.IO: 3 is Socket.IO 2 */
};

int32_t	clients_create(struct hostd_inst *);
/* All have gone. */
void	clients_destroy(struct hostd_inst *);

/* -- what the engine calls -- */

/* A session has opened.  NULL: no memory, refuse it. */
struct client *client_new(struct hostd_inst *, struct eio *);
/* It knows that it is open.  [call]. */
void	client_opened(struct client *);
/*
 * A message, without the '4'; a text is UTF-8.  [call].  0, or -1: it is
 * invalid, end the session with HOSTD_SIO_FORCED_CLOSE.  In it anything may be
 * sent and ended.
 */
int	client_text(struct client *, hostd_buf packet);
int	client_binary(struct client *, hostd_buf data);
/* The session has ended: its sockets leave.  Then it is freed.  Not from within
 * a call of a handler's. */
void	client_gone(struct client *, int32_t reason);
/* Another worker has it now: it is freed, and no handler hears of it. */
void	client_moved(struct client *);
/* As if a namespace had, here. */
void	client_was_accepted(struct client *);

/* -- what others call -- */

/* All handlers want it, or one does not; data n 0: none.  For one that has gone
 * meanwhile this does nothing. */
void	client_accepted(struct sio_socket *);
void	client_refused(struct sio_socket *, hostd_buf message, hostd_buf data);
/* What recover_begin has looked for was found, or not: it goes on. */
void	client_recovered(struct sio_socket *, int found);
/*
 * The server's disconnect: the client is told now, handlers at the end of the
 * turn; close: of all its namespaces, and its session ends.
 */
void	client_disconnect(struct sio_socket *, int close);
/* Its socket of a namespace that has accepted it; NULL: none has. */
struct sio_socket *client_socket(const struct client *, hostd_buf nsp);
/* Is it one of the first values of the packet of which handlers are being told,
 * so one that is known to be JSON? */
int	client_has_said(const struct hostd_inst *, hostd_buf value);

#endif
