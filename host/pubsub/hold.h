/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets that go from one worker of the machine to another lose no message of
 * their channels, get none twice, and get each publisher's in order:
 *
 *	HOLD	the giver names the channels that its sockets are in; the taker
 *		subscribes to them and keeps what comes
 *	HELD	all of them are in force, at the backend as well
 *	 then the giver lets its backend bring a mark, and asks all workers
 *	 whether what they had published has left them: what the taker has not
 *	 got, the giver has delivered
 *	 then, with each socket, come the marks of that moment (marks.h): the
 *	 taker subscribes it, gives it what is held beyond them, and drops what
 *	 still comes from before
 *
 * At a backend of several servers the mark is one server's word; what another
 * one has not delivered yet may be lost or come twice.
 */
#ifndef PUBSUB_HOLD_H
#define PUBSUB_HOLD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "base/buf.h"
#include "base/pack.h"
#include "net/loop.h"
#include "net/wheel.h"

struct bus_peer;
struct channel;
struct envelope;
struct hold;
struct hub;
struct subscriber;

/* -- the giver's side: hold_ask.c -- */

struct hold_ask {
	void (*done)(struct hub *);
	uint32_t heir;			/* a worker's number on the bus */
	int state;
	uint32_t round;			/* the last begun */
	uint32_t settled;		/* the last that was held */
	uint32_t before;		/* those up to here were for another */
	size_t at;			/* in the map of channels */
	int looks;			/* for a mark that is not back */
	struct loop_task tell;
	struct wheel_timer late;
};

/*
 * Have the worker with this cell of the board hold what our sockets are
 * subscribed to.  done is called later, when all that is; never when that
 * worker ends before.  Nothing happens while that is under way for the same
 * worker.
 */
void	hub_hold(struct hub *, uint32_t cell, void (*done)(struct hub *));
/* Nothing more will be given. */
void	hub_hold_end(struct hub *);
/* Does that worker hold all channels of that socket?  NULL: it has none. */
int	hub_is_held(const struct hub *, uint32_t cell,
	    const struct subscriber *);
/* What hub_take wants: its channels, and what it has heard by now. */
void	hub_give(const struct hub *, const struct subscriber *, struct buf *);

/* -- the taker's -- */

/*
 * Subscribe to what it was subscribed to in its former worker, and deliver what
 * has come meanwhile.  0, or -1: that is not held.
 */
int	hub_take(struct hub *, struct subscriber *, struct unpack *);

/* -- for the other files here -- */

void	hold_init(struct hub *);
void	hold_close(struct hub *);
/* ENV_HOLD or ENV_HELD came. */
void	hold_received(struct hub *, struct bus_peer *,
	    const struct envelope *);
void	hold_ask_held(struct hub *, const struct bus_peer *, uint32_t round);
/* Our mark came back. */
void	hold_ask_marked(struct hub *, const struct envelope *);
/* A worker takes more. */
void	hold_ask_room(struct hub *);
/* Some subscription is in force, or need not be waited for. */
void	hold_check(struct hub *);
/* This worker has gone. */
void	hold_peer_left(struct hub *, const struct bus_peer *);

#endif
