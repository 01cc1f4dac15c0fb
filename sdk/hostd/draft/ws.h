/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DRAFT: may change until it leaves hostd/draft/.
 *
 * ws_handler/1: a plugin that talks WebSocket (RFC 6455), and hostd.ws/1: what
 * the host offers it, rooms included.
 *
 * One connection, as a plugin sees it
 *
 *   on_upgrade   the handshake is checked (RFC 6455 section 4.2.1) and its
 *                Origin allowed.  Accept, refuse with any HTTP answer, or
 *                defer.
 *   on_open      the 101 is sent; the ws handle is good from here on.
 *   on_message   any number of times.
 *   on_drain     after a send returned HOSTD_AGAIN or HOSTD_E_FULL and room
 *                came back.
 *   on_close     exactly once after on_open.  The handle is stale when it
 *                returns.
 *
 * The host does the framing, masking, UTF-8 check, fragmentation, compression
 * (RFC 7692), ping and pong, close handshake, and all limits.
 *
 * Rooms
 *
 * A channel is a name of 1 to 255 bytes without control bytes.  It exists
 * while somebody is subscribed.  A message published to it goes to every
 * subscribed socket of every worker, and of every node when a pubsub_backend
 * is configured.
 *   Delivery is at most once.  Messages of one publishing instance to one
 *   channel arrive in the order published; there is no order between
 *   publishers.  A socket that is too slow loses messages or is closed, by the
 *   route's policy; others do not notice.  A socket sees nothing that was
 *   published before its subscribe returned on the same worker.
 */
#ifndef HOSTD_DRAFT_WS_H
#define HOSTD_DRAFT_WS_H

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
#define HOSTD_WS_FIRST		0x4u	/* in, with fragments: first part */
#define HOSTD_WS_FIN		0x8u	/* in, with fragments: last part */
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
	 * HOSTD_OK     accepted, with what `accept` set; or refused, when an
	 *              HTTP answer was given by hostd.http/1.
	 * HOSTD_DEFER  `accept` or an HTTP answer comes later; bounded by the
	 *              route's defer_timeout.
	 * HOSTD_PASS   not mine: the next best route is asked.
	 * negative     answered 500 (503 for E_FULL, 504 for E_TIMEOUT).
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
	 * split between parts.  Negative: the socket is closed with 1011.
	 */
	int32_t (*on_message)(struct hostd_inst *, hostd_ws, void *d,
	    hostd_buf msg, uint32_t flags);
	/* Optional. */
	void (*on_drain)(struct hostd_inst *, hostd_ws, void *d);
	/* Optional.  code as received (RFC 6455 section 7.4), or sent when we
	 * closed first.  Its subscriptions have ended. */
	void (*on_close)(struct hostd_inst *, hostd_ws, void *d, int32_t code,
	    hostd_buf reason);
};

/* What is known of a connection.  [call] */
struct hostd_ws_info {
	uint32_t struct_size;
	uint32_t flags;			/* HOSTD_REQ_TLS */
	hostd_buf peer;			/* as in hostd_request */
	hostd_buf path;
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
	 * section 4.2.2); p NULL for none.  Headers are added to the 101.
	 * on_open follows.
	 * Errors: E_INVAL, E_STATE (answered before).
	 */
	int32_t (*accept)(const struct hostd_host *, hostd_req,
	    hostd_buf subprotocol, const hostd_hdr *hdrs, uint32_t nhdrs);

	/*
	 * Send one message; it is copied.  flags: TEXT or BINARY, VOLATILE,
	 * PLAIN.
	 *   OK      taken
	 *   AGAIN   taken, but above high water: wait for on_drain
	 *   E_FULL  not taken: at the connection's limit, or volatile and above
	 *           high water.  Under the policy "close" the socket is closed
	 *           with 1013, unless volatile.
	 *   E_INVAL bad flags, or text that is not UTF-8
	 *   E_STATE a close was sent
	 */
	int32_t (*send)(const struct hostd_host *, hostd_ws, hostd_buf msg,
	    uint32_t flags);

	/*
	 * Close with code 1000, 1001, 1008-1013 or 3000-4999, and at most 123
	 * bytes of UTF-8.  What was sent before goes out first.  on_close
	 * follows.
	 * Errors: E_INVAL, E_STATE (a close was sent).
	 */
	int32_t (*close)(const struct hostd_host *, hostd_ws, int32_t code,
	    hostd_buf reason);

	/* on 1: stop reading from this socket; 0: go on. */
	int32_t (*pause)(const struct hostd_host *, hostd_ws, int32_t on);

	/* NULL for a stale handle. */
	const struct hostd_ws_info *(*info)(const struct hostd_host *,
	    hostd_ws);
	/* The connection's d; NULL for a stale handle. */
	void *(*data)(const struct hostd_host *, hostd_ws);

	/*
	 * Subscribing twice is once.  A socket's subscriptions end with it.
	 * Errors: E_INVAL (the name), E_FULL (the route's limit of channels per
	 * socket), E_STATE (not subscribed).
	 */
	int32_t (*subscribe)(const struct hostd_host *, hostd_ws,
	    hostd_buf channel);
	int32_t (*unsubscribe)(const struct hostd_host *, hostd_ws,
	    hostd_buf channel);

	/*
	 * Publish one message to a channel; it is copied, and framed once per
	 * worker.  except (id 0: nobody) is left out.  flags as for send.
	 * Local subscribers get it in this turn of the loop.
	 *   OK      on its way
	 *   AGAIN   on its way, but the bus is above high water: slow down
	 *   E_FULL  nothing sent: the bus is full
	 *   E_INVAL the name, flags, text, or a message over the limit
	 */
	int32_t (*publish)(const struct hostd_host *, hostd_buf channel,
	    hostd_buf msg, uint32_t flags, hostd_ws except);

	/* How many sockets of this worker are subscribed.  Errors: E_INVAL. */
	int32_t (*count_here)(const struct hostd_host *, hostd_buf channel,
	    uint32_t *out);
	/*
	 * How many of all workers and nodes: done(inst, arg, status, n) is
	 * called once, later.  E_TIMEOUT: n counts those who answered in time.
	 */
	int32_t (*count)(const struct hostd_host *, hostd_buf channel,
	    void (*done)(struct hostd_inst *, void *arg, int32_t status,
	    uint64_t n), void *arg);
	/*
	 * The subscribed sockets of this worker that belong to this instance:
	 * at most max handles are stored, *total is how many there are.
	 */
	int32_t (*members)(const struct hostd_host *, hostd_buf channel,
	    hostd_ws *out, uint32_t max, uint32_t *total);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_DRAFT_WS_H */
