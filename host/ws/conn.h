/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One WebSocket: from the upgrade that is being decided to the last byte.
 *
 *	PENDING  the upgrade is not decided, or its 101 not sent
 *	OPEN
 *	MOVING   another worker has been given it, and has not said whether it
 *	         takes it
 *	COMING   of another worker, until its handler has it
 *	CLOSING  we have sent a close and wait for the client's
 *	LINGER   both have, or one broke a rule: our FIN goes out behind what is
 *	         pending, input is dropped until the client has closed, too
 */
#ifndef WS_CONN_H
#define WS_CONN_H

#include <stdint.h>
#include <sys/queue.h>
#include <hostd/ws.h>
#include "base/buf.h"
#include "config/model.h"
#include "http/request.h"
#include "net/handover.h"
#include "net/stream.h"
#include "ws/extension.h"
#include "ws/reader.h"
#include "ws/server.h"

struct identity;
struct session;
struct unpack;
struct ws_deflater;
struct ws_message;
struct ws_move;

/* Whoever talks with the clients of a route: the plugin room's side. */
struct ws_handler {
	const char *name;		/* of the plugin, for the log */
	uint32_t data_size;
	int fragments;
	int moves;			/* its connections can */
	void (*open)(struct ws_handler *, struct ws_conn *);
	int32_t (*message)(struct ws_handler *, struct ws_conn *, hostd_buf,
	    uint32_t flags);
	void (*writable)(struct ws_handler *, struct ws_conn *);
	/* Exactly one of these two ends it.  The upgrade came to nothing; why
	 * is HOSTD_END_*. */
	void (*lost)(struct ws_handler *, struct ws_conn *, int why);
	void (*close)(struct ws_handler *, struct ws_conn *, int32_t code,
	    hostd_buf reason);
	/* Or it is another worker's now. */
	void (*moved)(struct ws_handler *, struct ws_conn *);
};

enum ws_state {
	WS_PENDING, WS_OPEN, WS_MOVING, WS_COMING, WS_CLOSING, WS_LINGER,
	WS_GONE
};

struct ws_conn {
	struct stream stream;		/* first */
	struct http_upgrade upgrade;
	struct ws_server *server;
	struct ws_handler *handler;
	const struct conf_websocket *conf;
	TAILQ_ENTRY(ws_conn) link;
	struct ws_conn *next_closed;
	struct wheel_timer timer;
	struct ws_reader reader;
	struct buf in;			/* bytes that had to wait */
	uint64_t id;			/* handle; 0: none */
	uint64_t req_id;		/* of the request, while PENDING */
	void *member;			/* the rooms' side of it */
	char *label;
	char *text;			/* peer, path, subprotocol */
	struct identity *who;		/* the client is, as the upgrade's
					   request; NULL: nobody knows */
	char *session_id;		/* what its session is called: for
					   session/socket.h */
	struct session *session;	/* loaded; NULL: not */
	struct ws_deflater *deflater;	/* kept: takeover */
	struct ws_move *move;		/* MOVING, COMING */
	uint64_t opened_ms;
	uint64_t heard_ms;		/* when bytes came last */
	uint64_t asked_ms;		/* a ping is unanswered since; 0:
					   none */
	uint64_t began_ms;		/* a message is incomplete since; or
					   0 */
	uint64_t state_ms;		/* since when it is CLOSING, LINGER */
	uint64_t leave_ms;		/* to be sent away then; 0: no */
	uint64_t stuck_ms;		/* output did not move since */
	uint64_t moved_ms;		/* when it moved last */
	uint64_t seen_sent;		/* stream.sent when it was looked at */
	uint64_t rate_ms;		/* tokens are of that time */
	int64_t tokens;			/* thousandths of messages */
	uint32_t label_len, session_id_len;
	uint16_t peer_len, path_len, protocol_len;
	uint16_t code;			/* that we have closed with */
	struct ws_deflate_params params;
	uint8_t deflate;		/* negotiated */
	uint8_t state;			/* enum ws_state */
	uint8_t busy;			/* in its turn */
	uint8_t budget;			/* messages left in this turn */
	uint8_t paused;			/* the handler reads no more */
	uint8_t deaf;			/* was not read from of late */
	uint8_t high;			/* owes writable() */
	uint8_t fin_sent, got_fin;
	uint8_t stays;			/* no other worker takes it */
	uint8_t secure;			/* it came by TLS */
	uint8_t fatal;			/* workers that have ended over it */
	_Alignas(16) char data[];	/* the handler's data_size */
};

/* -- the upgrade -- */

/*
 * May this upgrade be decided by a handler?  0; 503 while the worker ends; 403
 * for an Origin that is not allowed; or a status of ws_handshake_check.
 */
int	ws_upgrade_check(const struct http_req *,
	    const struct conf_websocket *);
/* A candidate for handler; its data is zeroed. */
struct ws_conn *ws_conn_new(struct ws_server *, struct ws_handler *,
	    const struct conf_websocket *);
/*
 * Answer r with 101; protocol p NULL: none.  HOSTD_OK: open() or lost()
 * follows.  Codes of hostd_ws_api.accept.
 */
int32_t	ws_conn_accept(struct ws_conn *, struct http_req *r,
	    hostd_buf protocol, const hostd_hdr *, uint32_t nhdrs);
/* A candidate that was not accepted. */
void	ws_conn_discard(struct ws_conn *);

/* -- sending; codes and flags of hostd_ws_api -- */

int32_t	ws_conn_send(struct ws_conn *, hostd_buf, uint32_t flags);
int32_t	ws_conn_send_message(struct ws_conn *, struct ws_message *);
int32_t	ws_conn_close(struct ws_conn *, int32_t code, hostd_buf reason);
/* A control frame. */
void	ws_conn_control(struct ws_conn *, unsigned opcode, const void *,
	    size_t n);
/*
 * Is it a message (HOSTD_OK or E_INVAL)?  known: text that was checked already,
 * which is not gone through again when it goes out as it came in.
 */
int32_t	ws_check_message(hostd_buf, uint32_t flags, hostd_buf known);

void	ws_conn_pause(struct ws_conn *, int on);
/* Close with code, and tell the handler now; the client has no say. */
void	ws_conn_fail(struct ws_conn *, unsigned code);
/* The same without a word: the client is gone. */
void	ws_conn_cut(struct ws_conn *, unsigned code);

/* For the other files here: peer, path and protocol, in one block. */
void	ws_conn_keep_texts(struct ws_conn *, hostd_buf peer, hostd_buf path,
	    hostd_buf protocol);
/* fd is its socket; it has a name from now on.  0, or -1 with errno. */
int	ws_conn_attach(struct ws_conn *, int fd);
/* It is not ours any more: no word to the handler, and none to the client. */
void	ws_conn_leave(struct ws_conn *);
/* What is sent while it is on its way waits for what becomes of it. */
void	ws_conn_hold_message(struct ws_conn *, struct ws_message *);

/* -- from one worker to another -- */

static inline int
ws_conn_may_move(const struct ws_conn *c)
{
	return c->handler->moves && !c->stays;
}

/* Is it between two messages, with nothing left to send? */
int	ws_conn_can_move(const struct ws_conn *);
/* Append all that is not its handler's. */
void	ws_conn_pack(const struct ws_conn *, struct buf *);
/* From here on nothing is read or sent; what is sent waits.  Release undoes
 * that. */
void	ws_conn_hold(struct ws_conn *);
void	ws_conn_release(struct ws_conn *);
/* Give it, held, away with that record.  0: then moved(), or it goes on.  -1:
 * see handover_give; it is held as before. */
int	ws_conn_give(struct ws_conn *, struct handover_peer *,
	    hostd_buf record);
/* One that comes, with what ws_conn_pack has written.  NULL: it does not fit
 * together; fd stays the caller's. */
struct ws_conn *ws_conn_come(struct ws_server *, struct ws_handler *,
	    const struct conf_websocket *, int fd, struct unpack *);
/* Then one of these: the handler has it, or not. */
void	ws_conn_came(struct ws_conn *);
void	ws_conn_turn_back(struct ws_conn *);

static inline int
ws_conn_is_on_its_way(const struct ws_conn *c)
{
	return c->state == WS_MOVING || c->state == WS_COMING;
}

/* When the first time limit is reached; UINT64_MAX: never. */
uint64_t ws_conn_deadline(const struct ws_conn *);
/* Set the timer for whatever comes first; and what happens then. */
void	ws_conn_arm(struct ws_conn *);
void	ws_conn_timeout(struct wheel_timer *);

static inline hostd_buf
ws_conn_peer(const struct ws_conn *c)
{
	return (hostd_buf){ c->text, c->peer_len };
}

static inline hostd_buf
ws_conn_path(const struct ws_conn *c)
{
	return (hostd_buf){ c->text + c->peer_len, c->path_len };
}

static inline hostd_buf
ws_conn_protocol(const struct ws_conn *c)
{
	if (c->protocol_len == 0)
		return (hostd_buf){ NULL, 0 };
	return (hostd_buf){ c->text + c->peer_len + c->path_len,
	    c->protocol_len };
}

#endif
