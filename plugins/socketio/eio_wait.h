/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is due at some time.  Each kind waits equally long, so what begins to
 * wait mostly goes to the end of its list; one timer is for the earliest of
 * all.
 */
#ifndef SOCKETIO_EIO_WAIT_H
#define SOCKETIO_EIO_WAIT_H

#include <stdint.h>
#include <sys/queue.h>
#include <hostd/timer.h>

struct hostd_inst;

#define EIO_WAIT_PARTS	32

enum eio_wait_kind {
	EIO_WAIT_NONE,
	EIO_WAIT_PING,		/* it is sent then */
	EIO_WAIT_PONG,		/* it must have come */
	EIO_WAIT_PINGED,	/* so must the ping of revision 3 */
	EIO_WAIT_LINGER,	/* nobody asks for the rest any more */
	EIO_WAIT_PROBE,		/* it must have been upgraded */
	EIO_WAIT_POLL,		/* a GET has waited long enough */
	EIO_WAIT_HELD,		/* its session must have come */
	EIO_WAIT_MOVING,	/* it should have gone to another worker */
	EIO_WAIT_MOVED,		/* a ping: one list for each part of the
				   interval, as they come in any order */
	EIO_WAIT_KINDS = EIO_WAIT_MOVED + EIO_WAIT_PARTS
};

/* Zeroed memory is one that waits for nothing. */
struct eio_wait {
	TAILQ_ENTRY(eio_wait) link;
	uint64_t due;
	uint32_t kind;
};

TAILQ_HEAD(eio_wait_list, eio_wait);

struct eio_waits {
	struct eio_wait_list lists[EIO_WAIT_KINDS];
	hostd_timer timer;
	uint64_t at;			/* of the timer; 0: there is none */
};

void	eio_waits_init(struct eio_waits *);
/* It waits from now on; it has not waited before. */
void	eio_wait_begin(struct hostd_inst *, struct eio_wait *,
	    enum eio_wait_kind, uint64_t ms);
/* It does not; that it hasn't is all right. */
void	eio_wait_end(struct hostd_inst *, struct eio_wait *);

#endif
