/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions about a channel to all workers and nodes, and their answers put
 * together: how many subscribers, who they are, what was said.  And one about
 * all channels, to the workers of this machine: which are the largest.
 *
 * A question goes over the bus to the workers that have an interest in the
 * channel, and to all processes of other nodes; it is answered when all of them
 * have, those who have gone meanwhile left out, or query_timeout has passed.
 *
 * Whoever is asked answers a turn later, after all that it had said to others
 * has left it and all that others had said to it was read.  So when all workers
 * have answered, all that they had published before is where it is kept; that
 * is what a replay waits for, before it asks those who keep something.  With a
 * subscription made before, nothing falls between the two.
 */
#ifndef PUBSUB_QUERY_H
#define PUBSUB_QUERY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <hostd/abi.h>
#include "base/buf.h"
#include "net/loop.h"
#include "net/wheel.h"

struct bus_peer;
struct envelope;
struct hub;
struct query;
struct question;

enum query_kind {
	QUERY_COUNT = 1, QUERY_LIST, QUERY_REPLAY,
	QUERY_SETTLE,		/* of all workers, for no channel: nothing but
				   the answer */
	QUERY_LARGEST		/* of all workers, for no channel */
};

/*
 * Answers, one behind the other in the order they came; ours first.
 *	COUNT	8 bytes each
 *	LIST	a length byte and a label, each
 *	REPLAY	envelopes
 *	LARGEST	see largest.h
 */
typedef void (*query_done)(void *owner, void *arg, int32_t status,
    struct buf *answers);

struct queries {
	TAILQ_HEAD(, query) list;
	uint32_t last;
	TAILQ_HEAD(, question) questions;	/* others', to be answered */
	uint32_t nquestions;
	struct loop_task answering;
	/* Append the labels of the sockets of a channel here, or as many as
	 * anybody is told. */
	void (*list_here)(struct hub *, hostd_buf channel, struct buf *out);
};

void	queries_init(struct hub *);
/* done is called once, later, unless the owner is forgotten before; arg is
 * freed after it. */
void	query_start(struct hub *, enum query_kind, hostd_buf channel,
	    query_done, void *owner, void *arg);
/* Owner ends; tell: its questions are answered E_TIMEOUT before. */
void	query_forget(struct hub *, const void *owner, int tell);
void	queries_close(struct hub *);

/* A question or an answer came: from a worker, or (peer NULL) a node. */
void	query_received(struct hub *, struct bus_peer *,
	    const struct envelope *);
/* A worker or the backend takes more: questions may wait for that. */
void	query_room(struct hub *);
/* This worker will not answer any more. */
void	query_peer_left(struct hub *, const struct bus_peer *);
/* Nor will this process of another node. */
void	query_remote_left(struct hub *, uint64_t node, uint64_t process);

#endif
