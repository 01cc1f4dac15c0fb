/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ws_handler/1: a plugin that talks WebSocket (RFC 6455), and hostd.ws/1: what
 * the host offers it.  Rooms are channels: <hostd/channel.h>.
 *
 * One connection, as a plugin sees it
 *
 *   on_upgrade   the handshake is checked (RFC 6455 section 4.2.1) and its
 *                Origin allowed.  Accept, refuse with any HTTP answer, or
 *                defer.
 *   on_open      the 101 is sent; the ws handle is good from here on.
 *   on_message   any number of times.
 *   on_writable  after a send returned HOSTD_AGAIN or HOSTD_E_FULL and room
 *                came back.
 *   on_close     exactly once after on_open.  The handle is stale when it
 *                returns.
 *
 * The host does the framing, masking, UTF-8 check, fragmentation, compression
 * (RFC 7692), ping and pong, close handshake, and all limits: the keys of the
 * block "websocket" in hostd.conf(5).
 *
 * An instance may provide http_route/1 as well: then upgrades come here, and
 * all other requests of its routes go there.
 */
#ifndef HOSTD_WS_H
#define HOSTD_WS_H

#include <hostd/abi.h>
#include <hostd/http.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_KIND_WS_HANDLER	"ws_handler/1"
#define HOSTD_EXT_WS		"hostd.ws/1"

/* Flags of a message, in and out. */
#define HOSTD_WS_TEXT		0x1u	/* UTF-8, checked both ways */
#define HOSTD_WS_BINARY		0x2u
#define HOSTD_WS_FIRST		0x4u	/* in: starts a message */
#define HOSTD_WS_FIN		0x8u	/* in: ends it */
#define HOSTD_WS_VOLATILE	0x10u	/* out: not worth waiting; dropped when
					   the peer is above high water */
#define HOSTD_WS_PLAIN		0x20u	/* out: do not compress */

/* Close codes (RFC 6455 section 7.4.1).  Applications use 4000-4999. */
enum {
	HOSTD_WS_NORMAL = 1000,
	HOSTD_WS_GOING_AWAY = 1001,
	HOSTD_WS_PROTOCOL = 1002,
	HOSTD_WS_UNSUPPORTED = 1003,
	HOSTD_WS_NO_STATUS = 1005,	/* in only: the peer gave none */
	HOSTD_WS_ABNORMAL = 1006,	/* in only: cut without a close */
	HOSTD_WS_BAD_DATA = 1007,
	HOSTD_WS_POLICY = 1008,
	HOSTD_WS_TOO_BIG = 1009,
	HOSTD_WS_SERVER_ERROR = 1011,
	HOSTD_WS_RESTART = 1012,
	HOSTD_WS_TRY_LATER = 1013
};

/* Flags of hostd_ws_ops. */
#define HOSTD_WS_FRAGMENTS	0x1u	/* on_message for each part as it comes;
					   else whole messages */

/*
 * The plugin's table for "ws_handler/1".  All [loop].
 *
 * d points to data_size zeroed bytes of the host's, one block per connection,
 * aligned for any type, good from on_upgrade until on_close or on_refused
 * returns.
 */
struct hostd_ws_ops {
	uint32_t struct_size;
	uint32_t flags;			/* HOSTD_WS_FRAGMENTS */
	uint32_t data_size;		/* at most 65536 */
	uint32_t reserved;

	/*
	 * Optional; without it every upgrade is accepted, with no subprotocol.
	 * HOSTD_OK     accepted, as `accept` said if it was called; or refused,
	 *              when an HTTP answer was given by hostd.http/1.  AGAIN
	 *              means the same.
	 * HOSTD_DEFER  `accept` or an HTTP answer comes later; bounded by the
	 *              route's defer_timeout (504).
	 * HOSTD_PASS   not mine: the next best route is asked.
	 * negative     answered 500 (503 for E_FULL, 504 for E_TIMEOUT);
	 *              only logged when it was accepted or answered already.
	 * Read the head by hostd.http/1, with this req.
	 */
	int32_t (*on_upgrade)(struct hostd_inst *, hostd_req, void *d);
	/* Optional.  No on_open will come: refused, client gone, timed out.
	 * why is HOSTD_END_*.  Exactly once after on_upgrade, unless that
	 * returned HOSTD_PASS or on_open was called. */
	void (*on_refused)(struct hostd_inst *, hostd_req, void *d,
	    int32_t why);
	/* Optional. */
	void (*on_open)(struct hostd_inst *, hostd_ws, void *d);
	/*
	 * flags: HOSTD_WS_TEXT or HOSTD_WS_BINARY, FIRST and FIN; whole
	 * messages have both.  With fragments, a text's characters may be
	 * split between parts, and the last part may be empty.
	 * HOSTD_OK or HOSTD_AGAIN, so the result of a send may be returned;
	 * E_FULL, E_GONE and E_STATE are let pass for the same reason.  Another
	 * negative code closes the socket with 1011.
	 */
	int32_t (*on_message)(struct hostd_inst *, hostd_ws, void *d,
	    hostd_buf msg, uint32_t flags);
	/* Optional. */
	void (*on_writable)(struct hostd_inst *, hostd_ws, void *d);
	/*
	 * Optional.  code as received (RFC 6455 section 7.4), or sent when we
	 * closed first; reason as received.  Its subscriptions have ended.
	 */
	void (*on_close)(struct hostd_inst *, hostd_ws, void *d, int32_t code,
	    hostd_buf reason);
};

/* What is known of a connection.  [call], and until the next is asked for. */
struct hostd_ws_info {
	uint32_t struct_size;
	uint32_t flags;			/* HOSTD_REQ_TLS */
	hostd_buf peer;			/* as in hostd_request */
	hostd_buf path;			/* as in hostd_request */
	hostd_buf subprotocol;		/* p NULL: none */
	uint64_t opened_ms;		/* by now_ms */
	uint64_t pending;		/* bytes not yet given to the kernel */
};

/*
 * The host's table.  All [loop].
 *
 * Every function that takes a handle answers E_GONE when it is stale or another
 * instance's, and every function E_THREAD off the loop.
 */
struct hostd_ws_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * Accept an upgrade: from on_upgrade, or later when that returned
	 * HOSTD_DEFER.  subprotocol must be one the client offered (RFC 6455
	 * section 4.2.2); p NULL for none.  Headers are added to the 101, and
	 * checked as by hostd.http/1; none may start with "Sec-WebSocket-".
	 * on_open follows.
	 * Errors: E_INVAL, E_STATE (answered before).
	 */
	int32_t (*accept)(const struct hostd_host *, hostd_req,
	    hostd_buf subprotocol, const hostd_hdr *hdrs, uint32_t nhdrs);

	/*
	 * Send one message; it is copied.  flags: TEXT or BINARY, VOLATILE,
	 * PLAIN.
	 *   OK      taken
	 *   AGAIN   taken, but above high water: wait for on_writable
	 *   E_FULL  not taken: at the connection's max_output, or volatile and
	 *           above high water; wait for on_writable.  Under slow_peer =
	 *           close the socket is closed with 1013, unless the message
	 *           was volatile.  One that is larger than max_output by itself
	 *           is never taken: the socket stays as it is, and no
	 *           on_writable comes for it.
	 *   E_INVAL bad flags, or text that is not UTF-8
	 *   E_STATE a close was sent
	 */
	int32_t (*send)(const struct hostd_host *, hostd_ws, hostd_buf msg,
	    uint32_t flags);

	/*
	 * Close with code 1000-1003, 1007-1014 or 3000-4999, and at most 123
	 * bytes of UTF-8.  What was sent before goes out first.  on_close
	 * follows, at the latest after the route's close_timeout, which
	 * begins anew while the peer takes what was sent before (but see
	 * hostd.conf(5)).
	 * Errors: E_INVAL, E_STATE (a close was sent).
	 */
	int32_t (*close)(const struct hostd_host *, hostd_ws, int32_t code,
	    hostd_buf reason);

	/* on 1: stop reading from this socket, closes and pongs included; 0: go
	 * on.  Messages read already may still come. */
	int32_t (*pause)(const struct hostd_host *, hostd_ws, int32_t on);

	/* NULL for a stale handle. */
	const struct hostd_ws_info *(*info)(const struct hostd_host *,
	    hostd_ws);
	/* The connection's d; NULL for a stale handle. */
	void *(*data)(const struct hostd_host *, hostd_ws);

	/*
	 * Put the socket in a room, or take it out.  Subscribing twice is once.
	 * A socket's subscriptions end with it.
	 * Errors: E_INVAL (the name), E_FULL (the route's max_channels),
	 * E_STATE (not subscribed; closing).
	 */
	int32_t (*subscribe)(const struct hostd_host *, hostd_ws,
	    hostd_buf channel);
	int32_t (*unsubscribe)(const struct hostd_host *, hostd_ws,
	    hostd_buf channel);

	/*
	 * What the list of hostd.channel/1 shows of this socket: at most 255
	 * bytes, copied; n 0: nothing.  Errors: E_INVAL.
	 */
	int32_t (*set_label)(const struct hostd_host *, hostd_ws,
	    hostd_buf label);

	/*
	 * The subscribed sockets of this worker that belong to this instance:
	 * at most max handles are stored, *total is how many there are.
	 * Errors: E_INVAL.
	 */
	int32_t (*members)(const struct hostd_host *, hostd_buf channel,
	    hostd_ws *out, uint32_t max, uint32_t *total);

	/*
	 * Send one message to n sockets of this instance.  It is copied once,
	 * however many there are, and compressed once for each way in which
	 * they want that; text is checked once.  flags are send's.
	 * results is for n codes: what send would have returned for each
	 * socket.  NULL: not wanted.
	 * Errors: E_INVAL (flags, text that is not UTF-8, ws NULL): nothing was
	 * sent, and results are as they were.
	 * Since 1.5.
	 */
	int32_t (*send_many)(const struct hostd_host *, const hostd_ws *ws,
	    uint32_t n, hostd_buf msg, uint32_t flags, int32_t *results);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_WS_H */
