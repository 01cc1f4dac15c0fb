/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bus between the workers of one machine: a stream socket for each pair,
 * made by the master.  This is pubsub_local, the default that is always there.
 *
 * Each worker tells the others which channels it has subscribers of, and gets
 * only what is published to those; of a worker that has not told yet, all are
 * assumed.  A subscription holds from the moment it is made: the board says
 * that there is word of one, and nobody publishes before having read it.  What
 * one worker publishes arrives in order.  What a client says in one worker and
 * then in another one, which it was moved to, arrives in that order as well:
 * before anything else, the word of workers that drain is read.
 *
 * A worker that does not read has at most `queue` bytes waiting for it in each
 * sender, or one message if that is larger; then messages for it are dropped
 * and counted, and when it reads again it is told of the gap.
 */
#ifndef PUBSUB_BUS_H
#define PUBSUB_BUS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "base/board.h"
#include "base/buf.h"
#include "net/stream.h"
#include "pubsub/channel.h"
#include "pubsub/envelope.h"

struct bus;
struct ws_message;

struct bus_peer {
	struct stream stream;		/* first */
	struct bus *bus;
	TAILQ_ENTRY(bus_peer) link;
	struct bus_peer *next_closed;
	struct buf in;			/* came, and was not taken yet */
	hostd_buf rest;			/* of what is being taken, see bus_in.c */
	int ahead;			/* in has more since that began */
	uint32_t ref;			/* names it in queries */
	uint32_t cell;			/* of the board */
	uint64_t heard;			/* the number of its last message */
	uint64_t told_to;		/* of what was ever queued: word of our
					   channels, which no limit holds for */
	int told;			/* has said all its channels */
	int lossy;			/* something was dropped; to be told */
	int drains;			/* or has ended */
};

struct bus {
	struct stream_io *sio;
	struct board_cell *cell;
	const struct board_cell *cells;	/* everybody's */
	struct channels *channels;
	_Atomic uint32_t *interests;	/* of the board */
	uint32_t interests_seen;
	uint64_t queue;			/* limit of what waits, bytes */
	uint64_t complained_ms;		/* a stalled worker was logged */
	TAILQ_HEAD(bus_peers, bus_peer) peers;
	struct bus_peer *closed;
	struct loop_task reap;
	uint32_t npeers, last_ref;
	/* A message, a gap (name empty), a query or a reply came. */
	void (*received)(struct bus *, struct bus_peer *,
	    const struct envelope *);
	/* One has taken some of what waited for it. */
	void (*room)(struct bus *);
	/* A worker has gone, and with it its subscribers. */
	void (*left)(struct bus *, struct bus_peer *);
};

/* Zeroed memory with cell, channels, interests, queue and the functions set.
 * sio is needed before the first bus_add. */
void	bus_init(struct bus *);
void	bus_close(struct bus *);
/* Another worker, with that cell of the board, behind a connected socket. */
void	bus_add(struct bus *, int fd, uint32_t cell);

/* Our first subscriber of the channel has come, or the last has gone. */
void	bus_interest(struct bus *, const struct channel *, int on);
/*
 * Learn of all interest that has been told: to be called before what other
 * workers want decides anything.  A client who has been told that it has joined
 * may have told another one, whose message was read before that of the worker.
 */
void	bus_catch_up(struct bus *);
/* Take all that other workers have said by now; that one has said. */
void	bus_read(struct bus *);
void	bus_read_peer(struct bus_peer *);
/* All that we have said is on its way, if they take it. */
void	bus_flush(struct bus *);

/*
 * Send a message to all workers that have subscribers of ch (NULL: that may
 * have some); its payload is m's.  1 when one of them is above half of what may
 * wait.
 */
int	bus_publish(struct bus *, const struct channel *ch,
	    const struct envelope *, struct ws_message *m);
/* A query or reply, to one worker.  0, or -1 when too much waits for it; that
 * is no gap. */
int	bus_send(struct bus_peer *, const struct envelope *);
/* Bytes that wait for it. */
uint64_t bus_waiting(const struct bus_peer *);
/* By its number, and by its cell; NULL when it has gone. */
struct bus_peer *bus_find(const struct bus *, uint32_t ref);
struct bus_peer *bus_find_cell(const struct bus *, uint32_t cell);

/* May it have subscribers of ch (NULL: of a channel nobody here knows)? */
int	bus_peer_may_want(const struct bus_peer *, const struct channel *ch);

/* -- for the other files here -- */

void	bus_peer_close(struct bus_peer *);
/* Nothing is known of what it has subscribers of. */
void	bus_peer_forget(struct bus_peer *);
void	bus_in_readable(struct stream *);
/* Take what one that has ended said last. */
void	bus_in_last(struct bus_peer *);

#endif
