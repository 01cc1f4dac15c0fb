/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sio_adapter/1: how the workers of Socket.IO reach those of other nodes, over
 * Redis for one; the plugin socketio offers the kind (<hostd/offer.h>).  What
 * an adapter is given is hostd.socketio.adapter/1.
 *
 * Each worker has an instance of the adapter, which is a node of the cluster of
 * its own, with its own uid.  Workers of one machine also reach each other by
 * the bus of socketio:
 *
 *   broadcasts, actions and server events of this machine come by the bus; an
 *   adapter drops those that other workers of its machine have sent.
 *   Questions go by the adapter as long as it is up, else by the bus.
 *
 * All is [loop]; nothing calls back before it returns.
 */
#ifndef HOSTD_SOCKETIO_ADAPTER_H
#define HOSTD_SOCKETIO_ADAPTER_H

#include <hostd/abi.h>
#include <hostd/socketio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_KIND_SIO_ADAPTER	"sio_adapter/1"
#define HOSTD_EXT_SIO_ADAPTER	"hostd.socketio.adapter/1"

/* Of what hostd_sio_to says, `but` is in except, by its id. */

/* What others are told, and nobody answers. */
enum {
	HOSTD_SIO_BROADCAST = 1,	/* name, args to sockets */
	HOSTD_SIO_JOIN = 2,		/* sockets join rooms */
	HOSTD_SIO_LEAVE = 3,
	HOSTD_SIO_DISCONNECT = 4,	/* close */
	HOSTD_SIO_SERVER_EVENT = 5	/* name, args to handlers */
};

/* [call] */
struct hostd_sio_order {
	uint32_t struct_size;
	uint32_t type;			/* HOSTD_SIO_BROADCAST ... */
	const struct hostd_sio_to *to;	/* of SERVER_EVENT: only its nsp */
	hostd_buf name;
	const struct hostd_sio_args *args;
	const hostd_buf *rooms;
	uint32_t nrooms;
	int32_t close;
	/*
	 * Since 1.5.  Of what was told: a hash of the message and of where it
	 * came by, so that it is the same in all workers of this machine; over
	 * a reload each socket has it once.  0: none, and it may be lost to a
	 * socket that moves just then, or come twice.
	 */
	uint64_t id;
};

/* What others are asked. */
enum {
	HOSTD_SIO_ASK_SOCKETS = 1,	/* fetchSockets */
	HOSTD_SIO_ASK_ROOMS = 2,	/* allRooms */
	HOSTD_SIO_ASK_SERVERS = 3,	/* serverSideEmit with answers */
	HOSTD_SIO_ASK_CLIENTS = 4	/* broadcast with acknowledgements */
};

/* [call] */
struct hostd_sio_question {
	uint32_t struct_size;
	uint32_t type;			/* HOSTD_SIO_ASK_* */
	const struct hostd_sio_to *to;
	hostd_buf name;
	const struct hostd_sio_args *args;
	uint32_t timeout_ms;
	uint32_t reserved;
};

/* A part of an answer.  [call] */
struct hostd_sio_reply {
	uint32_t struct_size;
	uint32_t flags;			/* HOSTD_SIO_LAST */
	const struct hostd_sio_remote *sockets;	/* of ASK_SOCKETS */
	uint32_t nsockets;
	uint32_t clients;		/* of ASK_CLIENTS: so many are asked;
					   the first reply says it */
	hostd_buf rooms;		/* of ASK_ROOMS: a JSON array */
	/* Of ASK_SERVERS and ASK_CLIENTS: one answer; NULL: none. */
	const struct hostd_sio_args *args;
};

#define HOSTD_SIO_LAST	0x1u	/* this node has nothing more to say; of
				   ASK_CLIENTS it may come without args */

/* The adapter's table. */
struct hostd_sio_adapter_ops {
	uint32_t struct_size;
	uint32_t reserved;

	/* A namespace has come to exist in this worker, or has ended. */
	void (*open)(struct hostd_inst *, hostd_buf nsp);
	void (*close)(struct hostd_inst *, hostd_buf nsp);
	/* Optional.  A room has its first socket in this worker (on 1), or has
	 * lost its last. */
	void (*room)(struct hostd_inst *, hostd_buf nsp, hostd_buf room,
	    int32_t on);

	/* Tell all other nodes.  OK; AGAIN: taken, above high water; negative:
	 * they are not told. */
	int32_t (*tell)(struct hostd_inst *, const struct hostd_sio_order *);
	/* Ask all other nodes; id is the caller's.  Replies come by `reply`,
	 * then `done`.  Negative: neither. */
	int32_t (*ask)(struct hostd_inst *, const struct hostd_sio_question *,
	    uint64_t id);
	/* Nobody waits for it any more. */
	void (*cancel)(struct hostd_inst *, uint64_t id);
	/* What this worker answers to a question that came by `asked`, with
	 * the ref that was given there. */
	void (*answer)(struct hostd_inst *, uint64_t ref,
	    const struct hostd_sio_reply *);

	/*
	 * Optional: a few words that all nodes see, under names, for ttl_ms:
	 * the addresses of nodes.  get: done(table, arg, status, value) of the
	 * api's caller is called once, later; E_GONE: there is none.
	 */
	int32_t (*set)(struct hostd_inst *, hostd_buf name, hostd_buf value,
	    uint32_t ttl_ms);
	int32_t (*get)(struct hostd_inst *, hostd_buf name,
	    void (*done)(void *arg, int32_t status, hostd_buf value),
	    void *arg);

	/*
	 * Optional, since 1.5.  1: to hear of this room takes something of its
	 * own, which `room` begins.  The worker that takes our place is told of
	 * such rooms before sockets come to it.
	 */
	int32_t (*is_apart)(struct hostd_inst *, hostd_buf nsp, hostd_buf room);
	/*
	 * Optional, both, since 1.5, for a reload.  In the old worker: sync;
	 * when all that others had told before has come, `synced` is called,
	 * later.  In its successor: the old one has it, from before `up`, so an
	 * adapter that holds the worker back (hostd.ready/1) may release it.
	 */
	void (*sync)(struct hostd_inst *);
	void (*settled)(struct hostd_inst *);
};

/* What the adapter is given.  The first argument is this table itself. */
struct hostd_sio_adapter_api {
	uint32_t struct_size;
	uint32_t reserved;
	void *ctx;			/* socketio's own */

	/* The adapter can (1) or can't (0) reach the others now.  Nothing is
	 * asked of it before the first 1. */
	void (*up)(const struct hostd_sio_adapter_api *, int32_t on);
	/* Another node has told this. */
	void (*told)(const struct hostd_sio_adapter_api *,
	    const struct hostd_sio_order *);
	/* Another node asks; `answer` follows, with ref, once or more, the last
	 * with HOSTD_SIO_LAST. */
	void (*asked)(const struct hostd_sio_adapter_api *, uint64_t ref,
	    const struct hostd_sio_question *);
	/* A reply of another node to question id, then how it ended: HOSTD_OK:
	 * all have answered; E_TIMEOUT: not all; E_GONE: the way was lost. */
	void (*reply)(const struct hostd_sio_adapter_api *, uint64_t id,
	    const struct hostd_sio_reply *);
	void (*done)(const struct hostd_sio_adapter_api *, uint64_t id,
	    int32_t status);
	/* Since 1.5.  See sync. */
	void (*synced)(const struct hostd_sio_adapter_api *);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_SOCKETIO_ADAPTER_H */
