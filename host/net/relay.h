/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two connected sockets whose bytes go to each other: an upgraded connection
 * and its server, or a TCP connection and its.  Each side is read only as fast
 * as the other takes it.  A side that is closed for sending is closed so on the
 * other as well, once everything before it was sent, and the rest goes on; one
 * that is reset has the other reset, too.
 *
 * Small messages go through the worker's read buffer, for two system calls
 * each and no allocation; bulk through one of its pipes, as long as there is
 * much to read.
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
	uint64_t sent;			/* to it, when the relay has ended */
	uint8_t bulk;			/* it is worth a pipe */
	uint8_t ended;			/* its FIN was read */
	uint8_t done;			/* and passed on */
};

struct relay {
	struct relay_side left, right;
	struct wheel_timer idle;
	uint32_t idle_ms;		/* 0: any */
	/*
	 * Once, from the loop: both sockets are closed, the relay may be freed
	 * at the end of this turn.  error: an errno, 0 with RELAY_CLOSED.
	 */
	void (*ended)(struct relay *, enum relay_end, int error);
};

/*
 * Take two streams' places (stream_move); nothing may be pending on either.
 * nleft bytes at pleft were read from left and not passed on yet, and the same
 * of right: they are copied.  Set idle_ms and ended before, the rest zeroed.
 */
void	relay_start(struct relay *, struct stream *left, const char *pleft,
	    size_t nleft, struct stream *right, const char *pright,
	    size_t nright);
/* Close both now; ended is not called.  Harmless after it was. */
void	relay_close(struct relay *);

#endif
