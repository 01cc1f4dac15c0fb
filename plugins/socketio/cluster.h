/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other workers and nodes.  What an application wants of many is done here
 * first, then told or asked of the others: by the bus, an own channel of this
 * instance, and by an adapter, if there is one (<hostd/socketio_adapter.h>).
 */
#ifndef SOCKETIO_CLUSTER_H
#define SOCKETIO_CLUSTER_H

#include "space.h"

/* hostd.p.offer/1's row for HOSTD_KIND_SIO_ADAPTER. */
extern const struct hostd_offer cluster_offer;

int32_t	cluster_create(struct hostd_inst *, const struct hostd_conf *,
	    struct hostd_err *);
int32_t	cluster_start(struct hostd_inst *);
void	cluster_destroy(struct hostd_inst *);
/* A worker that drains may have lost its last session. */
void	cluster_leave(struct hostd_inst *);

/* A namespace or room of this worker has come or gone: for adapters. */
void	cluster_open(struct hostd_inst *, hostd_buf nsp);
void	cluster_close(struct hostd_inst *, hostd_buf nsp);
void	cluster_room(struct hostd_inst *, hostd_buf nsp, hostd_buf room,
	    int on);

/*
 * Do it here, and tell the others unless to->flags has HOSTD_SIO_LOCAL.
 * SERVER_EVENT is only told.  OK, AGAIN, or negative: only here.
 */
int32_t	cluster_tell(struct hostd_inst *, const struct hostd_sio_order *);
/* Only here: what others have told. */
void	cluster_do(struct hostd_inst *, const struct hostd_sio_order *);

/*
 * Ask this worker and the others: each reply, then done, later, never from
 * within.  The asker frees what arg is in done.  sockets, clients and answers
 * of all are told as they come.  timeout_ms 0: requests_timeout.
 */
int32_t	cluster_ask(struct hostd_inst *, const struct hostd_sio_question *,
	    void (*reply)(struct hostd_inst *, void *arg,
	    const struct hostd_sio_reply *),
	    void (*done)(struct hostd_inst *, void *arg, int32_t status),
	    void *arg);

/*
 * This worker's answer to a question, its own or another's: reply(arg, reply)
 * any number of times, the last with HOSTD_SIO_LAST, now or later.
 */
void	cluster_answer_here(struct hostd_inst *,
	    const struct hostd_sio_question *,
	    void (*reply)(struct hostd_inst *, void *arg,
	    const struct hostd_sio_reply *), void *arg);

/* What ids of sessions have of a machine: 24 bits. */
static inline uint32_t
cluster_short_node(uint64_t node)
{
	return (uint32_t)node & 0xffffffu;
}
/*
 * The internal_address of the machine with that short name: done is called
 * once, now or later; E_GONE: nobody knows it.  Negative: done is not called.
 */
int32_t	cluster_node_address(struct hostd_inst *, uint32_t node,
	    void (*done)(void *arg, int32_t status, hostd_buf address),
	    void *arg);

/* Sessions are about to go to who takes this worker's place. */
int	cluster_has_heir(const struct hostd_inst *);

/* The socket goes. */
void	held_forget(struct sio_socket *);

#endif
