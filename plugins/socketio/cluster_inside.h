/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the cluster share. */
#ifndef SOCKETIO_CLUSTER_INSIDE_H
#define SOCKETIO_CLUSTER_INSIDE_H

#include "cluster.h"
#include "line.h"
#include "log.h"
#include "order.h"

#define ELDERS_MAX 8

struct adapter;
struct ask;
struct held;
struct kept;
struct seeking;

/* Another worker that is there, or was a moment ago. */
struct peer {
	LIST_ENTRY(peer) link;
	uint64_t process;
	uint64_t node;			/* the machine */
	uint32_t slot;
	uint64_t started_ms;		/* by now_ms of its machine */
	uint64_t heard_ms;
	uint64_t doubt_ms;		/* somebody has its place; 0: not */
	char address[];			/* key internal_address */
};

struct cluster {
	struct hostd_inst *in;
	uint64_t process;		/* random, and even */
	uint64_t foreign;		/* whose orders those are that came by
					   the adapter: process + 1 */
	uint64_t node;			/* 0: not known yet */
	uint32_t slot;			/* and a hash of the pool */
	uint32_t workers;
	uint64_t started_ms;
	uint64_t saved_ms;		/* for a successor, see move.c */
	uint64_t seq;			/* of our last order, or foreign one */
	uint64_t line_seq;		/* of the last that an heir was told */
	struct line line;		/* what we have heard by the adapter */
	LIST_HEAD(, line) lines;	/* what workers before us have */
	char *address;
	struct marks heard;
	struct order_log log;
	uint64_t log_until;		/* without recovery: not after that */
	LIST_HEAD(, peer) peers;
	LIST_HEAD(, adapter) adapters;
	struct table asks, seeking;	/* by id; those may be many at once */
	LIST_HEAD(, answering) answering;
	struct table away;		/* sockets, see away.h */
	uint64_t elders[ELDERS_MAX];	/* processes: see there */
	uint32_t nelders;
	TAILQ_HEAD(, held) held;
	struct table coming;		/* namespaces, see coming.c */
	uint64_t sync_for;		/* process that waits; 0: none */
	hostd_timer sync_late;
	uint32_t nsyncing;		/* those who have not answered */
	int is_syncing;
	uint64_t elder_ms;		/* a worker before us was there */
	uint64_t last_ask;
	struct pack out;		/* scratch: one message */
	struct kept *kept;
	uint64_t last_seek;
	hostd_timer beat;
	int has_left;			/* our last session has gone */
	int has_ended;			/* and what it was owed has come */
	int is_ending;			/* nothing can be said any more */
};

/* -- the bus (bus.c) -- */

enum bus_type {
	BUS_ORDER = 1,
	BUS_HELLO = 2,
	BUS_BYE = 3,
	BUS_QUESTION = 4,
	BUS_REPLY = 5,
	BUS_RECOVER = 6,		/* who has it? */
	BUS_RECOVERED = 7,		/* I had */
	BUS_KEPT = 8,			/* keep it, I end */
	BUS_SESSION = 9,		/* goes on with you: see move.c */
	BUS_SAY = 10,			/* to such a one */
	BUS_ACK = 11,			/* to a client: see away.c */
	BUS_ANSWER = 12,		/* of one */
	BUS_ENDED = 13,			/* it has gone */
	BUS_LINE = 14,			/* I have heard that by the adapter */
	BUS_ROOM = 15,			/* it is here: see coming.c */
	BUS_SYNC = 16,			/* have you heard it all? */
	BUS_SYNCED = 17			/* I have: see sync.c */
};

struct bus_message {
	uint32_t type;
	uint64_t node, process, seq;
	struct unpack body;
};

int32_t	bus_create(struct cluster *);
/* A message in the scratch, with nothing behind its head. */
struct pack *bus_begin(struct cluster *, enum bus_type, uint64_t seq);
/* Send it to all, or to one.  OK, AGAIN or negative. */
#define BUS_MAX (16u << 20)	/* bytes of one message, by hostd.channel/1 */
int32_t	bus_tell(struct cluster *);
int32_t	bus_send(struct cluster *, uint64_t process);
/* Or to whoever takes our place: those who drain themselves do not listen. */
int32_t	bus_send_heir(struct cluster *);
/* Is anybody there to be told? */
int	bus_has_others(const struct cluster *);

/* -- who is there (peer.c) -- */

void	peers_start(struct cluster *);
/* Those have not answered in time: they are not waited for again. */
void	peers_silent(struct cluster *, const uint64_t *, uint32_t n);
void	peers_destroy(struct cluster *);
void	peer_hello(struct cluster *, struct bus_message *);
void	peer_left(struct cluster *, uint64_t process);
void	peer_bye(struct cluster *, struct bus_message *);
/* Something came from it. */
void	peer_heard(struct cluster *, const struct bus_message *);
struct peer *peer_find(const struct cluster *, uint64_t process);
/* The worker whose place we take; NULL: none. */
struct peer *peer_elder(const struct cluster *);
uint32_t peer_elders(const struct cluster *);
/* Which we know of without its word. */
void	peer_add_elder(struct cluster *, uint64_t process,
	    uint64_t started_ms);
/* Does another one take our place? */
int	peer_has_heir(const struct cluster *);

/* -- orders (cluster.c) -- */

/* Was it said on this machine? */
int	cluster_is_here(const struct cluster *, uint64_t node);
void	cluster_order_came(struct cluster *, struct bus_message *);
/* The packet of a broadcast; NULL: no memory. */
struct eio_message *cluster_message(struct cluster *,
	    const struct hostd_sio_order *, uint64_t process, uint64_t seq);
/* Without the engine's '4'. */
hostd_buf cluster_text(const struct eio_message *);
/* How far we have heard everybody, ourselves too. */
void	cluster_pack_marks(const struct cluster *, struct pack *);
/* One order, again, only for this socket. */
void	cluster_repeat(const struct log_entry *, struct sio_socket *);
/* Is that socket meant? */
int	order_means(const struct hostd_sio_to *, const struct sio_socket *);
/* May somebody come who has not had them? */
int	cluster_is_logging(const struct cluster *);
void	cluster_log(struct cluster *, uint64_t process, uint64_t seq,
	    hostd_buf head, struct eio_message *);

/* -- orders of the adapter, in two workers (lines.c) -- */

/* We have heard one. */
void	lines_heard(struct cluster *, uint64_t seq, uint64_t id);
/* A worker before us has. */
void	lines_came(struct cluster *, struct bus_message *);
/* What that process has heard; NULL: nothing that we know of. */
struct line *lines_find(const struct cluster *, uint64_t process);
/* Orders come by the adapter from now on. */
void	lines_up(struct cluster *);
void	lines_beat(struct cluster *);
void	lines_destroy(struct cluster *);

/* -- the adapter (adapter.c) -- */

void	adapters_start(struct cluster *);
void	adapters_beat(struct cluster *);
void	adapters_destroy(struct cluster *);
/* NULL: none is up. */
struct adapter *adapter_up(const struct cluster *);
int32_t	adapter_tell(struct adapter *, const struct hostd_sio_order *);
int32_t	adapter_ask(struct adapter *, const struct hostd_sio_question *,
	    uint64_t id);
void	adapter_cancel(struct adapter *, uint64_t id);
/* This worker has it from now on, or not any more. */
void	adapters_open(struct cluster *, hostd_buf nsp, int on);
void	adapters_room(struct cluster *, hostd_buf nsp, hostd_buf room, int on);
/* Ask the adapter for what is on its way; 0: it can't. */
int	adapters_sync(struct cluster *);
/* The workers before us have heard what we could not. */
void	adapters_settled(struct cluster *);
/* Does an adapter begin something for this room? */
int	cluster_is_apart(const struct cluster *, hostd_buf nsp, hostd_buf room);

/* -- namespaces and rooms whose sockets are about to come (coming.c) -- */

void	coming_pack(struct cluster *, struct pack *);
int	coming_unpack(struct cluster *, struct unpack *);
/* The successor should know of it, too; room.n 0: of the namespace. */
void	coming_tell(struct cluster *, hostd_buf nsp, hostd_buf room);
void	coming_came(struct cluster *, struct bus_message *);
int	coming_has(const struct cluster *, hostd_buf nsp, hostd_buf room);
/* The namespaces, each before its rooms. */
void	coming_each(struct cluster *, void (*)(struct cluster *, hostd_buf nsp,
	    hostd_buf room));
/* Have all come? */
void	coming_look(struct cluster *, uint64_t now_ms);
void	coming_destroy(struct cluster *);

/* -- what was said before we could hear it (sync.c) -- */

/* The adapter is up. */
void	sync_begin(struct cluster *);
void	sync_answered(struct cluster *);
void	sync_asked(struct cluster *, const struct bus_message *);
/* All that was on its way to us has come. */
void	sync_done(struct cluster *);

/* -- questions (ask.c) -- */

void	ask_came(struct cluster *, struct bus_message *);
void	ask_replied(struct cluster *, struct bus_message *);
/* By the adapter. */
void	ask_reply(struct cluster *, uint64_t id,
	    const struct hostd_sio_reply *);
void	ask_ended(struct cluster *, uint64_t id, int32_t status);
/* That worker will not answer any more. */
void	asks_peer_left(struct cluster *, uint64_t process);
void	asks_destroy(struct cluster *);
void	answers_destroy(struct cluster *);

/* -- for a successor (bequest.c) -- */

void	bequest_pack_log(const struct order_log *, struct pack *,
	    uint64_t now_ms);
int	bequest_unpack_log(struct order_log *, struct unpack *,
	    uint64_t now_ms);

/* -- sessions that have come (held.c) -- */

/*
 * This socket has heard all up to these marks elsewhere.  What we have heard
 * beyond them is sent to it later in the turn; what we have not heard yet, and
 * it has, will not be.  -1: we can't know.
 */
int	held_add(struct cluster *, struct sio_socket *, const struct marks *);
/* The same at once, as well as we can. */
void	held_catch_up(struct cluster *, struct sio_socket *,
	    const struct marks *);
int	held_excludes(const struct sio_socket *, uint64_t process,
	    uint64_t seq);
/* Some order was carried out: who need not be looked at any more? */
void	held_look(struct cluster *);
void	held_destroy(struct cluster *);

#endif
