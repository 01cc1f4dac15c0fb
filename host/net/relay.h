/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two connected sockets whose bytes go to each other: an upgraded connection and
 * its server, or a TCP connection and its.  Each side is read only as fast as
 * the other takes it.  A side that is closed for sending is closed so on the
 * other as well, once everything before it was sent, and the rest goes on.
 *
 * Bulk goes through a pipe (splice(2)) when it pays; small messages through the
 * worker's read buffer, for two system calls each.
 */
#ifndef NET_RELAY_H
#define NET_RELAY_H

#include <stddef.h>
#include <stdint.h>
#include "net/stream.h"
#include "net/wheel.h"

enum relay_end {
	RELAY_CLOSED,		/* both sides have ended in order */
	RELAY_LEFT,		/* the left one failed, or reset */
	RELAY_RIGHT,
	RELAY_IDLE		/* nothing came for too long */
};

struct relay_side {
	struct stream stream;		/* first */
	struct relay *relay;
	uint64_t bytes;			/* read from it */
	int pipe[2];			/* what was spliced; -1: none */
	uint32_t in_pipe;
	uint8_t done;			/* its FIN was passed on */
};

struct relay {
	struct relay_side left, right;
	struct wheel_timer idle;
	uint32_t idle_ms;		/* 0: any */
	/*
	 * Once, from the loop: both sockets are closed, the relay may be freed
	 * at the end of this turn.
	 */
	void (*ended)(struct relay *, enum relay_end, int error);
};

/*
 * Take two streams' places (stream_move); nothing may be pending on either.
 * nleft bytes at pleft were read from left and not passed on yet, and the same
 * of right: they are copied.  Set idle_ms and ended before.
 */
void	relay_start(struct relay *, struct stream *left, const char *pleft,
	    size_t nleft, struct stream *right, const char *pright,
	    size_t nright);
/* Close both now; ended is not called. */
void	relay_close(struct relay *);

#endif
