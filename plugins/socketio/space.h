/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Namespaces, their sockets in this worker, rooms, and who is meant by rooms
 * and except.  All of it is local to the worker; cluster.h is about the others.
 */
#ifndef SOCKETIO_SPACE_H
#define SOCKETIO_SPACE_H

#include "client.h"
#include "packet.h"

struct app;
struct held;
struct recovered;
struct room;
struct space;

#define SOCKET_ID_LEN	20
#define SPACE_NAME_MAX	255
#define SPACE_APPS_MAX	64		/* handlers of one namespace */

/* What one handler has of one socket. */
struct app_data {
	struct app *app;
	void *d;
};

enum socket_state {
	SOCKET_CONNECTING,	/* handlers decide */
	SOCKET_CONNECTED,
	SOCKET_GONE		/* until its handlers have been told */
};

/* What a handler has said of a socket that connects. */
enum socket_verdict {
	SOCKET_UNDECIDED,
	SOCKET_ACCEPTED,
	SOCKET_REFUSED
};

struct sio_socket {
	uint64_t handle;		/* hostd_sio of it, see handles below */
	char *id;			/* NUL-ended: random_id, or malloc'ed
					   for a client of Socket.IO 2 */
	char random_id[SOCKET_ID_LEN + 1];
	char pid[EIO_ID_LEN + 1];	/* secret of recovery; "": none */
	uint8_t state;			/* enum socket_state */
	uint8_t verdict;		/* enum socket_verdict, of the app whose
					   turn it is */
	uint8_t is_deferred;		/* that app decides later: 1, and how
					   often that was looked at */
	uint8_t was_connected;		/* its handlers were told so */
	uint8_t is_in_own;		/* in the room of its id, see room.c */
	uint8_t recovered;
	uint8_t napps, deciding;	/* deciding: the app whose turn it is */
	uint8_t nasked;			/* those that know of it, while it is
					   not connected */
	uint8_t reason;			/* why it is SOCKET_GONE */
	uint8_t is_settled;		/* away, and nothing is due any more */
	struct space *space;
	struct client *client;		/* NULL: it has gone, see away.h */
	TAILQ_ENTRY(sio_socket) of_client;
	TAILQ_ENTRY(sio_socket) ending;	/* its handlers are to be told */
	struct table_entry by_id;	/* of space->ids, while it is entered */
	uint32_t place;			/* in space->sockets */
	uint32_t mark;			/* of the last broadcast that chose it,
					   or was told not to */
	struct member *rooms;		/* nrooms; not that of its id, mostly */
	uint32_t nrooms, size_rooms;
	hostd_buf auth;			/* JSON object; malloc'ed; n 0: {} */
	hostd_buf data;			/* JSON; malloc'ed; n 0: {} */
	struct app_data *apps;		/* napps; and what they point to */
	struct refusal *refusal;	/* of SOCKET_REFUSED */
	struct ack *acks, **last_ack;	/* that the client owes, see ack.h */
	uint32_t nacks;
	struct held *held;		/* it has just come, see held.c */
	struct recovered *back;		/* it comes back, see recover.h */
	uint32_t nowed, owed;		/* that handlers owe it: the newest */
};

/* A socket's place in a room. */
struct member {
	struct room *room;
	uint32_t place;			/* in room->members */
};

struct room {
	struct table_entry entry;	/* of space->rooms */
	struct space *space;
	struct room_place {
		struct sio_socket *socket;
		uint32_t of_socket;	/* in socket->rooms */
	} *members;			/* dense, in no order */
	uint32_t n, size;
	char name[];
};

struct space {
	struct table_entry entry;	/* of spaces->all; its name */
	struct hostd_inst *in;
	struct table rooms;
	struct table ids;		/* connected sockets */
	struct sio_socket **sockets;	/* the same, dense */
	uint32_t n, size;
	uint32_t mark;			/* of the present broadcast */
	uint32_t refs;			/* sockets, also those that connect or
					   have gone */
	uint64_t next_ack;		/* ids of acknowledgements */
	struct app **apps;		/* its handlers, in order */
	uint32_t napps;
	int is_child;			/* of a pattern: ends with its last
					   socket */
	uint32_t metrics;		/* of metrics.h */
	char name[];
};

struct spaces {
	struct table all;
	/* handle -> socket */
	struct socket_slot {
		struct sio_socket *socket;
		uint32_t generation;
		uint32_t next_free;
	} *handles;
	uint32_t nhandles, free_handle;
	struct sio_socket **chosen;	/* of space_select */
	struct eio **sessions;		/* of space_send */
	uint32_t size_chosen, size_sessions;
	unsigned char random[1020];	/* for ids; nrandom are unused */
	uint32_t nrandom;
};

int32_t	spaces_create(struct hostd_inst *, const struct hostd_conf *,
	    struct hostd_err *);
void	spaces_destroy(struct hostd_inst *);

/* The namespace of that name, made if a handler's pattern has it; NULL: there
 * is none, which is "Invalid namespace", or no memory. */
struct space *space_get(struct hostd_inst *, hostd_buf name);
/* Only if it is there. */
struct space *space_find(const struct hostd_inst *, hostd_buf name);
struct space *space_next(const struct hostd_inst *, const struct space *);
static inline hostd_buf
space_name(const struct space *sp)
{
	return sp->entry.name;
}
/* Handlers have come or gone: those served are there, and know them. */
void	spaces_apps_changed(struct hostd_inst *);
/* It was got for a socket that it does not get after all: if it was made for
 * that, it ends. */
void	space_settle(struct space *);
/* A socket of it has gone. */
void	space_release(struct space *);

/* -- sockets -- */

/* Connecting, not in any room, at the end of the client's list.  NULL: no
 * memory. */
struct sio_socket *socket_new(struct client *, struct space *, hostd_buf auth);
/* A copy, for auth or data; -1: no memory. */
int	socket_keep(hostd_buf *to, hostd_buf from);
/* In the namespace and the room of its id. -1: no memory. */
int	socket_enter(struct sio_socket *);
/* Out of all rooms and the namespace. */
void	socket_leave_all(struct sio_socket *);
/* Its memory, out of its client's list; nobody knows it any more. */
void	socket_free(struct sio_socket *);
/* All sockets, in no order: start with *at 0. */
struct sio_socket *socket_next(const struct hostd_inst *, uint32_t *at);
/* NULL: stale. */
struct sio_socket *socket_of(const struct hostd_inst *, uint64_t handle);
struct sio_socket *socket_find(const struct space *, hostd_buf id);
/* OK, E_FULL (max_rooms), E_NOMEM, E_INVAL.  Twice is once. */
int32_t	socket_join(struct sio_socket *, hostd_buf room);
void	socket_leave(struct sio_socket *, hostd_buf room);
int	socket_is_in(const struct sio_socket *, hostd_buf room);
/* Rooms that it is in: its own first, if it is; at most max are stored; returns
 * how many there are. */
uint32_t socket_rooms(const struct sio_socket *, hostd_buf *out, uint32_t max);
/* The room of its id: at socket_enter and socket_leave_all. */
int32_t	room_own_enter(struct sio_socket *);
void	rooms_leave(struct sio_socket *);
/* Who is in a room: the one of a socket's id may have no struct room.  Returns
 * how many; with at most one, *one is it. */
uint32_t room_members(const struct space *, hostd_buf name,
	    const struct room_place **members, struct room_place *one);
int	space_has_room(const struct hostd_inst *, hostd_buf nsp,
	    hostd_buf room);
struct room *room_next(const struct space *, const struct room *);

/* -- whom `to` means, of this worker -- */

/* Connected sockets, each once.  *out is good until the next call of this or of
 * space_send; returns how many; -1: no memory. */
int64_t	space_select(struct space *, const struct hostd_sio_to *,
	    struct sio_socket ***out);

/* A packet to them.  Returns how many there were. */
uint32_t space_send(struct space *, const struct hostd_sio_to *,
	    struct eio_message *);

#endif
