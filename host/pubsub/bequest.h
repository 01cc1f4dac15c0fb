/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker that ends leaves what it remembers to another one of the machine:
 *
 *	KEEP	of each channel: how much is to be kept, from now on
 *	 then all workers are asked twice whether what they had published has
 *	 left them, so that nothing is said between the two
 *	PAST	each message that we remember
 *
 * The heir keeps it for as long as we would have; plugins of its own may want
 * it as well.
 */
#ifndef PUBSUB_BEQUEST_H
#define PUBSUB_BEQUEST_H

#include <stddef.h>
#include <stdint.h>
#include "net/loop.h"
#include "net/wheel.h"

struct bus_peer;
struct envelope;
struct hub;

struct bequest {
	void (*done)(struct hub *);
	uint32_t heir;			/* a worker's number on the bus */
	int state;
	size_t at;			/* in the map of channels */
	struct loop_task send;
	struct wheel_timer late;
	struct wheel_timer sweep;	/* of what we have inherited */
};

/*
 * Leave it to the worker with this cell of the board; done is called once,
 * later: at the latest after some seconds.
 */
void	hub_bequeath(struct hub *, uint32_t cell, void (*done)(struct hub *));

/* -- for the other files here -- */

void	bequest_init(struct hub *);
void	bequest_close(struct hub *);
/* ENV_KEEP or ENV_PAST came. */
void	bequest_received(struct hub *, const struct envelope *);
/* A worker takes more. */
void	bequest_room(struct hub *);

#endif
