/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Namespaces, their sockets in this worker, rooms, and who is meant by rooms and
 * except.  All of it is local to the worker; cluster.h is about the others.
 */
#ifndef SOCKETIO_SPACE_H
#define SOCKETIO_SPACE_H

#include "client.h"
#include "packet.h"

struct app;
struct room;
struct space;

#define SOCKET_ID_LEN	20

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

struct sio_socket {
	uint64_t handle;		/* hostd_sio of it, see handles below */
	char id[SOCKET_ID_LEN + 1];
	char pid[EIO_ID_LEN + 1];	/* secret of recovery; "": none */
	struct space *space;
	struct client *client;		/* NULL: its session has ended */
	TAILQ_ENTRY(sio_socket) of_client;
	uint32_t place;			/* in space->sockets */
	enum socket_state state;
	struct member *rooms;		/* nrooms, the one of its id first */
	uint32_t nrooms, size_rooms;
	uint32_t mark;			/* of the last broadcast that chose it */
	hostd_buf auth;			/* JSON object; malloc'ed */
	hostd_buf data;			/* JSON; malloc'ed; n 0: {} */
	struct app_data *apps;
	uint32_t napps, deciding;	/* deciding: the app whose turn it is */
	struct ack *acks;		/* that the client owes, see ack.h */
	uint32_t nacks;
	int recovered;
};

/* A socket's place in a room. */
struct member {
	struct room *room;
	uint32_t place;			/* in room->members */
};

struct room {
	struct table_entry entry;	/* of space->rooms */
	struct space *space;
	struct sio_socket **members;	/* dense, in no order */
	uint32_t n, size;
};

struct space {
	struct table_entry entry;	/* of spaces->all; its name */
	struct hostd_inst *in;
	struct table rooms;
	struct sio_socket **sockets;	/* connected, dense */
	uint32_t n, size;
	uint32_t mark;			/* of the present broadcast */
	uint64_t next_ack;		/* ids of acknowledgements */
	struct app **apps;		/* its handlers, in order */
	uint32_t napps;
	int is_child;			/* of a pattern: ends with its last
					   socket */
	uint32_t metrics;		/* of metrics.h */
};

struct spaces {
	struct table all;
	/* handle -> socket */
	struct {
		struct sio_socket *socket;
		uint32_t generation;
	} *handles;
	uint32_t nhandles, free_handle;
};

int32_t	spaces_create(struct hostd_inst *, const struct hostd_conf *,
	    struct hostd_err *);
void	spaces_destroy(struct hostd_inst *);

/* The namespace of that name, made if a handler's pattern or a rule has it; NULL:
 * there is none, which is "Invalid namespace", or no memory. */
struct space *space_get(struct hostd_inst *, hostd_buf name);
/* Only if it is there. */
struct space *space_find(const struct hostd_inst *, hostd_buf name);
struct space *space_next(const struct hostd_inst *, const struct space *);

/* -- sockets -- */

/* Connecting, not in any room. */
struct sio_socket *socket_new(struct client *, struct space *, hostd_buf auth);
/* In the namespace and the room of its id. -1: no memory. */
int	socket_enter(struct sio_socket *);
/* Out of all rooms and the namespace. */
void	socket_leave_all(struct sio_socket *);
/* Its memory; nobody knows it any more. */
void	socket_free(struct sio_socket *);
/* NULL: stale. */
struct sio_socket *socket_of(const struct hostd_inst *, uint64_t handle);
struct sio_socket *socket_find(const struct space *, hostd_buf id);
/* OK, E_FULL (max_rooms), E_NOMEM, E_INVAL.  Twice is once. */
int32_t	socket_join(struct sio_socket *, hostd_buf room);
void	socket_leave(struct sio_socket *, hostd_buf room);
int	socket_is_in(const struct sio_socket *, hostd_buf room);

/* -- whom `to` means, of this worker -- */

/* Connected sockets, each once.  *out is malloc'ed by the space and good until
 * the next call of this; returns how many; -1: no memory. */
int64_t	space_select(struct space *, const struct hostd_sio_to *,
	    struct sio_socket ***out);

/* A packet to them.  Returns how many there were. */
uint32_t space_send(struct space *, const struct hostd_sio_to *,
	    struct eio_message *);

#endif
