/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections that go from one worker to another: the descriptor, and a record
 * of what it is in the middle of.
 *
 * Each pair of workers has a channel for it (net/chan.h).  The giver keeps the
 * connection, at rest, until the taker has said that it has it, which it says
 * before it touches a byte; from then on it is the taker's.  When the taker
 * refuses, or ends without a word, the giver goes on with it.  When it is the
 * giver who ends the channel, what was sent is as good as taken: whoever reads
 * it later is the only one who has it.
 */
#ifndef NET_HANDOVER_H
#define NET_HANDOVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <hostd/abi.h>
#include "base/buf.h"
#include "net/chan.h"
#include "net/loop.h"

#define HANDOVER_RECORD_MAX	(1u << 20)	/* bytes */
#define HANDOVER_WINDOW		256	/* given to one and not answered */
#define HANDOVER_QUEUE		HANDOVER_RECORD_MAX	/* bytes that wait */

enum handover_kind { HANDOVER_HTTP = 1, HANDOVER_WEBSOCKET, HANDOVER_STREAM };

/* What the taker makes of it. */
enum handover_answer {
	HANDOVER_REFUSED,	/* here it can't go on */
	HANDOVER_TAKEN,
	HANDOVER_ELSEWHERE	/* the taker ends itself, or has ended, or could
				   not say that it has it */
};

struct handover;
struct handover_message;
struct handover_peer;

/* One connection that is given away; part of it. */
struct handover_item {
	TAILQ_ENTRY(handover_item) link;
	uint32_t id;
	int sent;		/* all of it: the taker may have it */
	int next;		/* the taker ended when it was this one's
				   turn */
	/* Called once.  Taken: close your descriptor, nothing else; if not, it
	 * is yours as before. */
	void (*done)(struct handover_item *, enum handover_answer);
};
TAILQ_HEAD(handover_items, handover_item);

/* Another worker. */
struct handover_peer {
	struct loop_fd io;		/* first */
	struct handover *all;
	TAILQ_ENTRY(handover_peer) link;
	struct handover_peer *next_closed;
	struct chan_peer who;
	struct handover_items given;	/* and not answered */
	uint32_t ngiven;
	STAILQ_HEAD(, handover_message) out;	/* the channel was full */
	size_t waiting;			/* bytes in there */
	struct chan_move head;		/* of what comes: id 0: nothing */
	struct buf in;			/* its record so far */
	int fd;				/* its descriptor; -1: lost */
};

struct handover {
	struct loop *loop;
	struct chan_msg *msg;		/* scratch */
	TAILQ_HEAD(handover_peers, handover_peer) peers;
	struct handover_peer *closed;
	struct loop_task reap;
	struct wheel_timer again;	/* the kernel could not, for now */
	uint32_t last_id;
	/* A connection comes.  Taken, it is ours, and its descriptor, which is
	 * not touched before the next turn. */
	enum handover_answer (*take)(struct handover *, unsigned kind, int fd,
	    hostd_buf record);
	/* There is room in the window of a peer, or one has gone. */
	void (*room)(struct handover *);
};

/* Zeroed memory with take and room set; msg is lent. */
void	handover_init(struct handover *, struct loop *, struct chan_msg *);
/* What the other one can't have comes back; the rest is its own. */
void	handover_close(struct handover *);
/* Another worker, behind our end of a chan_pair. */
void	handover_add(struct handover *, int fd, const struct chan_peer *);

/* Would a record of any size be taken now? */
static inline int
handover_has_room(const struct handover_peer *p)
{
	return p->ngiven < HANDOVER_WINDOW && p->waiting < HANDOVER_QUEUE;
}

/*
 * Give fd, of which we read and write no more.  item->done is called later; fd
 * stays open until then.  0, or -1: the record is too large, or the peer has
 * been given so much that it should answer first.
 */
int	handover_give(struct handover_peer *, unsigned kind, int fd,
	    hostd_buf record, struct handover_item *);

/* Hear what it has answered, though its turn has not come. */
void	handover_hear(struct handover_peer *);

#endif
