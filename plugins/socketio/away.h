/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acknowledgements over a reload.  A socket that goes to another worker while
 * some are due stays here without its client, away, until they are done: what a
 * handler here acknowledges is sent to the client there, and what the client
 * answers there comes here.  This worker, its elder, does not end before.
 */
#ifndef SOCKETIO_AWAY_H
#define SOCKETIO_AWAY_H

#include "space.h"

struct bus_message;
struct cluster;
struct eio_message;
struct pack;
struct unpack;

/* -- in the worker that it was of -- */

/* Its client has gone.  0: it stays; -1: nothing is due, or no memory. */
int	away_begin(struct sio_socket *);
static inline int
is_away(const struct sio_socket *s)
{
	return s->client == NULL;
}
/* To its client. */
int32_t	away_send(const struct sio_socket *, struct eio_message *);
/* Something is not due any more. */
void	away_settle(struct sio_socket *);
/* Does this worker have something to end? */
int	away_is_owing(const struct cluster *);
/* That may have changed, or this worker drains now. */
void	away_look(struct hostd_inst *);
/* What is due by then will not come. */
void	away_drain(struct hostd_inst *, uint32_t deadline_ms);
void	away_destroy(struct cluster *);

/* -- in the one that it is of -- */

/* Elders of the sessions here: this worker, and its own. */
void	away_pack_elders(const struct cluster *, struct pack *);
int	away_unpack_elders(struct cluster *, struct unpack *);
void	away_forget(struct cluster *, uint64_t process);
/* The client has answered what nobody here has asked. */
void	away_answered(const struct sio_socket *, uint64_t id,
	    const struct hostd_sio_args *);
/* It has ended: nothing more is due. */
void	away_ended(const struct sio_socket *);

/* -- what comes by the bus -- */

void	away_send_came(struct cluster *, struct bus_message *);
void	away_answer_came(struct cluster *, struct bus_message *);
void	away_end_came(struct cluster *, struct bus_message *);

#endif
