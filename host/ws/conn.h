/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One WebSocket: from the upgrade that is being decided to the last byte.
 *
 *	PENDING  the upgrade is not decided, or its 101 not sent
 *	OPEN
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
#include "net/stream.h"
#include "ws/extension.h"
#include "ws/reader.h"
#include "ws/server.h"

struct ws_deflater;
struct ws_message;

/* Whoever talks with the clients of a route: the plugin room's side. */
struct ws_handler {
	const char *name;		/* of the plugin, for the log */
	uint32_t data_size;
	int fragments;
	void (*open)(struct ws_handler *, struct ws_conn *);
	int32_t (*message)(struct ws_handler *, struct ws_conn *, hostd_buf,
	    uint32_t flags);
	void (*writable)(struct ws_handler *, struct ws_conn *);
	/* Exactly one of these two ends it.  The upgrade came to nothing; why
	 * is HOSTD_END_*. */
	void (*lost)(struct ws_handler *, struct ws_conn *, int why);
	void (*close)(struct ws_handler *, struct ws_conn *, int32_t code,
	    hostd_buf reason);
};

enum ws_state { WS_PENDING, WS_OPEN, WS_CLOSING, WS_LINGER, WS_GONE };

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
	struct ws_deflater *deflater;	/* kept: takeover */
	uint64_t opened_ms;
	uint64_t heard_ms;		/* when bytes came last */
	uint64_t asked_ms;		/* a ping is unanswered since; 0: none */
	uint64_t began_ms;		/* a message is incomplete since; or 0 */
	uint64_t state_ms;		/* since when it is CLOSING, LINGER */
	uint64_t leave_ms;		/* to be sent away then; 0: no */
	uint64_t stuck_ms;		/* output did not move since */
	uint64_t moved_ms;		/* when it moved last */
	uint64_t seen_sent;		/* stream.sent when it was looked at */
	uint64_t rate_ms;		/* tokens are of that time */
	int64_t tokens;			/* thousandths of messages */
	uint32_t label_len;
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
 * Answer r with 101; protocol p NULL: none.  HOSTD_OK: open() or lost() follows.
 * Codes of hostd_ws_api.accept.
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
