/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One HTTP/1 connection: bytes in, requests to their handlers one after the
 * other, answers out in the same order.  Or one stream of HTTP/2, which carries
 * one request: then framed says so.
 *
 *	HEAD     waiting for, or collecting, a request head
 *	BODY     reading a body: to its handler, or to be dropped
 *	WAIT     request read, answer not complete; nothing is read
 *	AWAY     the next request is another pool's: when the answers before it
 *	         are sent, a worker of that pool gets the connection with it
 *	UPGRADED another protocol follows; the output drains
 *	CLOSING  no more requests; the output drains
 *	LINGER   our FIN is sent; reading on so that the peer gets the answer
 *	         before a reset
 *	MOVING   given to another worker that has not said that it has it
 */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include "base/buf.h"
#include "http/chunked.h"
#include "http/guard.h"
#include "http/request.h"
#include "net/handover.h"
#include "net/stream.h"

enum conn_state {
	CONN_HEAD, CONN_BODY, CONN_WAIT, CONN_AWAY, CONN_UPGRADED,
	CONN_CLOSING, CONN_LINGER, CONN_MOVING, CONN_CLOSED
};

enum conn_timer {
	TIMER_NONE, TIMER_FIRST, TIMER_IDLE, TIMER_HEAD, TIMER_BODY,
	TIMER_SEND, TIMER_DEFER, TIMER_GONE, TIMER_LINGER, TIMER_QUEUE,
	TIMER_PROXY, TIMER_TLS
};

struct conf_pool;
struct conn_move;
struct http_framed;
struct tls_context;
struct unpack;

/* A request on its way to a pool, or a worker of ours, that answers it. */
struct conn_away {
	const struct conf_pool *to;
	const struct conf_pool *lost;	/* a stream has come back from it: the
					   worker that had it has ended */
	uint64_t asked;			/* ms: since when; 0: there is none */
	uint32_t slot;			/* + 1: only that one's worker of the
					   pool; 0: any */
	uint64_t send_ms;		/* its route's; 0: the limit for all */
	uint16_t last;			/* cell + 1 of whom it was given to */
	uint8_t skip;			/* routes that have passed */
	uint8_t hops;			/* workers that have sent it on */
	uint8_t tried;			/* it was given to somebody */
	uint8_t refused;		/* and was not taken, lately */
	uint8_t nobody;			/* has taken it */
	uint8_t counted;		/* LIMITS_ONCE of its limits_passed */
	uint8_t listed;			/* in server->away */
};

struct http_conn {
	struct stream stream;		/* first */
	struct http_server *server;
	struct http_conn *next_free;
	TAILQ_ENTRY(http_conn) link;
	TAILQ_ENTRY(http_conn) away_link;
	const struct conf_pool *home;	/* where it was accepted */
	struct wheel_timer timer;
	struct loop_task task;		/* conn_wake */
	struct http_req *req;		/* in progress */
	TAILQ_HEAD(, http_req) unsent;	/* finished, output pending */
	struct buf in;			/* bytes that had to wait */
	struct http_framed *framed;	/* a stream of HTTP/2; NULL: it is
					   not */
	struct http_upgrade *upgrade;	/* UPGRADED: who gets it */
	struct conn_move *move;		/* MOVING */
	struct tls_context *tls;	/* TLS will follow the proxy's header */
	struct http_lease *leases;
	struct conn_away away;
	struct guard guard;
	struct chunked chunked;
	uint64_t timer_sent;		/* stream.sent when SEND or GONE was
					   armed, body_seen for BODY */
	uint32_t nreqs;
	uint32_t nunsent;
	uint32_t proxy_ms;		/* HEAD: the PROXY protocol's header
					   comes first, within that; or 0 */
	uint32_t tls_ms;		/* for a handshake */
	uint8_t state;			/* enum conn_state */
	uint8_t timer_kind;		/* enum conn_timer */
	uint8_t busy;			/* conn_turn is running */
	uint8_t cut;			/* close at the end of the turn */
	uint8_t linger;			/* CLOSING ends in LINGER */
	uint8_t gone;			/* as cut, and the peer is to blame */
	uint8_t stalled;		/* in holds more than a part of a
					   head */
	uint8_t skipped_line;		/* the empty line before a request */
	uint8_t counted_idle;
	uint8_t shed;			/* came above the budget */
	uint8_t stays;			/* another worker did not take it */
	uint8_t is_late;		/* its handshake, where a worker ends */
	uint8_t peer_len;
	char peer[46];
};

/* Take an accepted socket.  NULL: it was closed, the memory for it is
 * lacking. */
struct http_conn *conn_open(struct http_server *, int fd,
	    const struct sockaddr *);
/* One that a proxy has made: it says first, within so many ms, whose it is. */
void	conn_expect_proxy(struct http_conn *, uint32_t ms);
/* TLS is spoken on it, behind that header if there is one. */
void	conn_expect_tls(struct http_conn *, struct tls_context *);
/* As conn_open, only to tell the client 503. */
void	conn_open_refused(struct http_server *, int fd,
	    const struct sockaddr *);
/* An accepted socket whose peer and time limit are to be set; NULL: it is still
 * the caller's. */
struct http_conn *conn_attach(struct http_server *, int fd);
/* A stream of HTTP/2, whose request is complete, of a client that is peer and
 * was accepted at home.  What it has to read tells its layer. */
struct http_conn *conn_open_framed(struct http_server *,
	    struct stream_layer *, struct http_framed *, hostd_buf peer,
	    const struct conf_pool *home);
/* At once; the request in progress and those unsent end with why. */
void	conn_close(struct http_conn *, int why);
/* Set the time limit for what it is waiting for now; and what happens then. */
void	conn_arm(struct http_conn *);
void	conn_timeout(struct wheel_timer *);
/* Its memory goes back, and its stream if it has it still; nobody is told. */
void	conn_retire(struct http_conn *);
/* Look at the connection again at the end of this turn: its request has moved
 * on from outside of it. */
void	conn_wake(struct http_conn *);

/* -- conn_tls.c -- */

/* The handshake begins; that was read of it already. */
void	conn_secure(struct http_conn *, const char *, size_t);
/* A client that does not speak TLS is told so. */
void	conn_tell_plain(struct http_conn *);

/* -- conn_http2.c -- */

/* Are the n bytes that come next HTTP/2's?  Then none of them is used here, and
 * somebody else gets the connection if they are enough to tell. */
int	conn_begin_http2(struct http_conn *, const char *p, size_t n);

/* -- conn_move.c -- */

/* Is it between two requests, with nothing left to be sent? */
int	conn_can_move(const struct http_conn *);
/*
 * Give it away: 0, or -1: not now.  lease: ms after which nobody takes it and
 * it goes on here, as its asking another pool's worker or its moving is a
 * choice; 0: there is no way back.
 */
int	conn_give(struct http_conn *, struct handover_peer *, uint64_t lease);
/* What another worker has given away, accepted in that pool: 0, or -1: it is
 * still the caller's. */
int	conn_take(struct http_server *, int fd, const struct conf_pool *home,
	    hostd_buf record);
/* The same of a stream of HTTP/2, from the rest of its record; NULL: it is
 * still the caller's. */
struct http_conn *conn_take_framed(struct http_server *, struct unpack *,
	    struct stream_layer *, struct http_framed *,
	    const struct conf_pool *home);
/* MOVING: the client has gone meanwhile. */
void	conn_forget(struct http_conn *);
/* AWAY: it goes as soon as it can.  0: it has gone. */
int	conn_pass(struct http_conn *);
/* It has waited to be taken. */
void	conn_waited(struct http_conn *);
/* It is another worker's. */
void	conn_leave(struct http_conn *);

#endif
