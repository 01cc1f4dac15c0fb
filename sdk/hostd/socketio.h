/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Socket.IO applications (protocol 5 over Engine.IO 4): sio_handler/1, which
 * the plugin socketio offers (<hostd/offer.h>), and hostd.socketio/1, what it
 * gives to those who provide it.
 *
 * One socket, as a handler sees it
 *
 *   on_connecting     optional: accept, refuse, or decide later.
 *   on_connect        it is connected: emit, join.
 *   on_event          any number of times.
 *   on_disconnecting  it goes, and still is in its rooms.
 *   on_disconnect     exactly once after on_connect.  The handle is stale when
 *                     it returns.
 *
 * A namespace may have several handlers.  All must accept a socket, in the
 * order in which they are configured; each event is told to one after the other
 * until one does not return HOSTD_PASS.  An event that all pass on, or that
 * nobody is there for, is dropped, as Node does.
 *
 * A socket is of one worker; rooms, broadcasts and questions are of all workers
 * of this machine and, with an adapter, of all nodes, those that run Node.js
 * too.
 *
 * Reload: sockets move to the worker's successor.  There they have the same id,
 * rooms, data and handshake; d goes along when it is plain data, or by save and
 * load.  The client notices nothing.  Acknowledgements that are due then stay
 * where they were: the old worker goes on until they are done, at most for
 * requests_timeout of the plugin socketio (5 s) and seven eighths of
 * drain_timeout, so ack is good there, which is HOSTD_OK also when the client
 * has left meanwhile, and so are answers of ask and ask_all.  What is due at
 * that time is E_GONE.
 *
 * Names: socket, namespace, room, acknowledgement and the rest are those of
 * https://socket.io/docs/v4/.  Namespaces start with "/"; a text at NULL or of
 * 0 bytes is "/".
 */
#ifndef HOSTD_SOCKETIO_H
#define HOSTD_SOCKETIO_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_KIND_SIO_HANDLER	"sio_handler/1"
#define HOSTD_EXT_SOCKETIO	"hostd.socketio/1"

#define HOSTD_SIO_ROOM_MAX	255u	/* bytes of a room's name */
#define HOSTD_SIO_ID_MAX	32u	/* bytes of a socket's id */

/* A socket of this worker. */
typedef struct {
	uint64_t id;
} hostd_sio;

/* An acknowledgement that somebody waits for. */
typedef struct {
	uint64_t id;
} hostd_sio_ack;

/*
 * Arguments.  Each is one JSON value in UTF-8, nested at most 64 deep; binary
 * data stands in them as {"_placeholder":true,"num":i}, which is bins[i].  In:
 * [call], as the client wrote them.  Out: copied.  <hostd/json.h> reads them,
 * <hostd/json_write.h> makes them.
 */
struct hostd_sio_args {
	uint32_t struct_size;
	uint32_t n;
	const hostd_buf *v;
	const hostd_buf *bins;
	uint32_t nbins;
	uint32_t reserved;
};

/* [call] */
struct hostd_sio_event {
	uint32_t struct_size;
	uint32_t reserved;
	hostd_buf name;			/* without quotes and escapes; the
					   digits of a number */
	const struct hostd_sio_args *args;	/* without the name */
	hostd_sio_ack ack;		/* id 0: nobody waits */
};

/* Why a socket has gone. */
enum {
	HOSTD_SIO_CLIENT_DISCONNECT = 1, /* "client namespace disconnect" */
	HOSTD_SIO_SERVER_DISCONNECT = 2, /* "server namespace disconnect" */
	HOSTD_SIO_TRANSPORT_CLOSE = 3,	/* "transport close" */
	HOSTD_SIO_TRANSPORT_ERROR = 4,	/* "transport error" */
	HOSTD_SIO_PING_TIMEOUT = 5,	/* "ping timeout" */
	HOSTD_SIO_PARSE_ERROR = 6,	/* "parse error" */
	HOSTD_SIO_FORCED_CLOSE = 7,	/* "forced close": an invalid packet, or
					   a limit */
	HOSTD_SIO_SHUTTING_DOWN = 8	/* "server shutting down" */
};

/* Flags of hostd_sio_ops. */
#define HOSTD_SIO_PLAIN_DATA	0x1u	/* d is plain data: it moves as it is
					   to a successor with the same
					   data_size */

/*
 * The plugin's table for "sio_handler/1".  All [loop], all optional.
 *
 * d points to data_size zeroed bytes, one block per socket and handler, aligned
 * for any type, good from on_connecting until on_disconnect or on_refused
 * returns.
 */
struct hostd_sio_ops {
	uint32_t struct_size;
	uint32_t flags;			/* HOSTD_SIO_PLAIN_DATA */
	uint32_t data_size;		/* at most 65536 */
	uint32_t reserved;

	/* "/chat", or with "*" for any characters but ",": "/room-*".
	 * NULL-ended; NULL: "/".  [instance] */
	const char *const *namespaces;

	/*
	 * A client asks to connect.  The handshake is by info.
	 * HOSTD_OK     accepted, unless refuse was called
	 * HOSTD_DEFER  accept or refuse comes later, bounded by
	 *              connect_timeout
	 * negative     refused, with the message "Internal error"
	 */
	int32_t (*on_connecting)(struct hostd_inst *, hostd_sio, void *d);
	/* No on_connect will come: refused by it or another, or gone. */
	void (*on_refused)(struct hostd_inst *, hostd_sio, void *d);
	/* recovered 1: it has its id, rooms and data of before back
	 * (connection state recovery). */
	void (*on_connect)(struct hostd_inst *, hostd_sio, void *d,
	    int32_t recovered);
	/*
	 * HOSTD_PASS: not mine, the next handler is asked.  HOSTD_OK and AGAIN,
	 * so the result of an emit may be returned.  Negative: logged; the
	 * socket stays.
	 */
	int32_t (*on_event)(struct hostd_inst *, hostd_sio, void *d,
	    const struct hostd_sio_event *);
	/* reason: HOSTD_SIO_*. */
	void (*on_disconnecting)(struct hostd_inst *, hostd_sio, void *d,
	    int32_t reason);
	void (*on_disconnect)(struct hostd_inst *, hostd_sio, void *d,
	    int32_t reason);
	/* Another node or worker has called server_emit.  As on_event. */
	int32_t (*on_server_event)(struct hostd_inst *, hostd_buf nsp,
	    const struct hostd_sio_event *);
	/* on 1: there is a way to the others of the cluster; 0: this machine is
	 * alone. */
	void (*on_cluster)(struct hostd_inst *, int32_t on);

	/* As save and load of hostd.p.ws_state/1, of d; at most 32768 bytes.
	 * Neither, and no PLAIN_DATA: d is zeroed in the successor. */
	uint32_t version;
	uint32_t reserved2;
	int32_t (*save)(struct hostd_inst *, hostd_sio, void *d,
	    int32_t (*put)(void *arg, hostd_buf part), void *arg);
	int32_t (*load)(struct hostd_inst *, hostd_sio, void *d,
	    uint32_t from_version, hostd_buf state);
};

/* Flags of an emit. */
#define HOSTD_SIO_VOLATILE	0x1u	/* dropped for who can't take it now */
#define HOSTD_SIO_LOCAL		0x2u	/* sockets of this worker only */
#define HOSTD_SIO_PLAIN		0x4u	/* do not compress */

/* Whom a broadcast or a question is for. */
struct hostd_sio_to {
	uint32_t struct_size;
	uint32_t flags;			/* HOSTD_SIO_VOLATILE, LOCAL, PLAIN */
	hostd_buf nsp;
	const hostd_buf *rooms;		/* who is in any of them; a socket is in
					   the room of its own id */
	uint32_t nrooms;		/* 0: all of the namespace */
	uint32_t nexcept;
	const hostd_buf *except;	/* but who is in any of these is not */
	hostd_sio but;			/* nor this socket; id 0: nobody */
};

/* What is known of a socket.  Good for the callback. */
struct hostd_sio_info {
	uint32_t struct_size;
	uint32_t flags;			/* HOSTD_REQ_TLS of <hostd/http.h> */
	hostd_buf id;			/* known to the client and to others */
	hostd_buf nsp;
	hostd_buf auth;			/* what the client said to this
					   namespace, a JSON object */
	/* of the first request of its connection */
	const hostd_hdr *headers;
	uint32_t nheaders;
	uint32_t transport;		/* HOSTD_SIO_POLLING or WEBSOCKET,
					   now */
	hostd_buf url;			/* with its query, as sent */
	hostd_buf query;		/* behind "?"; p NULL: none */
	hostd_buf peer;			/* as in hostd_request */
	int64_t time_ms;		/* since 1970 */
	hostd_buf data;			/* what set_data said; JSON */
	hostd_buf user;			/* who has logged in, by the key "user"
					   of the session or the token's
					   subject; p NULL: not known */
};

enum {
	HOSTD_SIO_POLLING = 1,
	HOSTD_SIO_WEBSOCKET = 2
};

/* A socket of any node: answers of fetch_sockets.  [call] */
struct hostd_sio_remote {
	uint32_t struct_size;
	uint32_t reserved;
	hostd_buf id;
	hostd_buf rooms;		/* a JSON array of names */
	hostd_buf data;			/* JSON */
	hostd_buf handshake;		/* a JSON object, as Node's */
};

/*
 * What the plugin socketio gives to a handler.  All [loop].  The first argument
 * is this table itself.
 *
 * E_GONE: the socket is stale or of a namespace that is not this handler's.
 * E_INVAL: arguments that are no JSON, a reserved event name, a name of a
 * namespace or room that is empty or too long.  Neither is repeated below.
 * done and answer functions are called once, later, never from within the call,
 * and not after the instance's destroy.
 */
struct hostd_sio_api {
	uint32_t struct_size;
	uint32_t reserved;
	void *ctx;			/* socketio's own */

	/* Once, from on_connecting or later if that returned HOSTD_DEFER.
	 * E_STATE: it is decided. */
	int32_t (*accept)(const struct hostd_sio_api *, hostd_sio);
	/* message is what the client's connect_error says; data, one JSON
	 * value, goes with it; n 0: none. */
	int32_t (*refuse)(const struct hostd_sio_api *, hostd_sio,
	    hostd_buf message, hostd_buf data);

	/* NULL for a stale handle. */
	const struct hostd_sio_info *(*info)(const struct hostd_sio_api *,
	    hostd_sio);
	/* The handler's d; NULL for a stale handle. */
	void *(*data)(const struct hostd_sio_api *, hostd_sio);
	/* What fetch_sockets shows of it, on all nodes: one JSON value, copied,
	 * at most 32768 bytes (E_FULL).  n 0: {}. */
	int32_t (*set_data)(const struct hostd_sio_api *, hostd_sio,
	    hostd_buf json);

	/*
	 * To one socket.
	 *   OK      taken
	 *   AGAIN   taken, but its client is slow
	 *   E_FULL  not taken: max_output (the socket is about to be closed),
	 *           or volatile
	 *   E_STATE not connected yet, or not any more
	 */
	int32_t (*emit)(const struct hostd_sio_api *, hostd_sio,
	    uint32_t flags, hostd_buf name, const struct hostd_sio_args *);
	/*
	 * The same; answer(inst, arg, status, args) is called when the client
	 * has acknowledged: HOSTD_OK and what it said; E_TIMEOUT, or E_GONE
	 * when it has left: args NULL.  timeout_ms 0: as long as it is
	 * connected.  E_FULL also: max_acks.
	 */
	int32_t (*ask)(const struct hostd_sio_api *, hostd_sio, uint32_t flags,
	    hostd_buf name, const struct hostd_sio_args *, uint32_t timeout_ms,
	    void (*answer)(struct hostd_inst *, void *arg, int32_t status,
	    const struct hostd_sio_args *), void *arg);
	/* Acknowledge an event, in on_event or later.  E_GONE: the socket is,
	 * it was acknowledged, or max_acks later ones of the socket are
	 * owed. */
	int32_t (*ack)(const struct hostd_sio_api *, hostd_sio_ack,
	    const struct hostd_sio_args *);

	/* To all that `to` says, of all nodes; once each.  AGAIN: the way to
	 * other nodes is above high water.  E_INVAL also: it is over 16 MiB, and
	 * there are other workers. */
	int32_t (*broadcast)(const struct hostd_sio_api *,
	    const struct hostd_sio_to *, hostd_buf name,
	    const struct hostd_sio_args *);
	/*
	 * The same, with acknowledgements: each(inst, arg, args), which may be
	 * NULL, for every answer, then done(inst, arg, status, asked,
	 * answered): HOSTD_OK when all have answered, else E_TIMEOUT.
	 */
	int32_t (*ask_all)(const struct hostd_sio_api *,
	    const struct hostd_sio_to *, hostd_buf name,
	    const struct hostd_sio_args *, uint32_t timeout_ms,
	    void (*each)(struct hostd_inst *, void *arg,
	    const struct hostd_sio_args *),
	    void (*done)(struct hostd_inst *, void *arg, int32_t status,
	    uint32_t asked, uint32_t answered), void *arg);

	/* E_FULL: max_rooms. */
	int32_t (*join)(const struct hostd_sio_api *, hostd_sio,
	    hostd_buf room);
	int32_t (*leave)(const struct hostd_sio_api *, hostd_sio,
	    hostd_buf room);
	/* A JSON array of names, its own id first; good for the callback. */
	int32_t (*rooms)(const struct hostd_sio_api *, hostd_sio,
	    hostd_buf *out);
	/* close 1: its whole connection, with its other namespaces. */
	int32_t (*disconnect)(const struct hostd_sio_api *, hostd_sio,
	    int32_t close);

	/* Of all sockets that `to` says, of all nodes. */
	int32_t (*sockets_join)(const struct hostd_sio_api *,
	    const struct hostd_sio_to *, const hostd_buf *rooms, uint32_t n);
	int32_t (*sockets_leave)(const struct hostd_sio_api *,
	    const struct hostd_sio_to *, const hostd_buf *rooms, uint32_t n);
	int32_t (*disconnect_sockets)(const struct hostd_sio_api *,
	    const struct hostd_sio_to *, int32_t close);
	/* done(inst, arg, status, sockets, n); E_TIMEOUT: those of who has
	 * answered. */
	int32_t (*fetch_sockets)(const struct hostd_sio_api *,
	    const struct hostd_sio_to *,
	    void (*done)(struct hostd_inst *, void *arg, int32_t status,
	    const struct hostd_sio_remote *, uint32_t n), void *arg);
	/* The rooms of a namespace, on all nodes: a JSON array of names. */
	int32_t (*all_rooms)(const struct hostd_sio_api *, hostd_buf nsp,
	    void (*done)(struct hostd_inst *, void *arg, int32_t status,
	    hostd_buf rooms), void *arg);

	/* To the handlers of all others, on_server_event. */
	int32_t (*server_emit)(const struct hostd_sio_api *, hostd_buf nsp,
	    hostd_buf name, const struct hostd_sio_args *);
	/* The same, with an answer of each: each, then done as of ask_all. */
	int32_t (*server_ask)(const struct hostd_sio_api *, hostd_buf nsp,
	    hostd_buf name, const struct hostd_sio_args *, uint32_t timeout_ms,
	    void (*each)(struct hostd_inst *, void *arg,
	    const struct hostd_sio_args *),
	    void (*done)(struct hostd_inst *, void *arg, int32_t status,
	    uint32_t asked, uint32_t answered), void *arg);

	/* In create only: these namespaces instead of those of its table, for
	 * one whose configuration names them.  [instance], as there.  E_INVAL:
	 * the log says which. */
	int32_t (*serve)(const struct hostd_sio_api *,
	    const char *const *namespaces);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_SOCKETIO_H */
