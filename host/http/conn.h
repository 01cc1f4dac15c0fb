/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One HTTP/1 connection: bytes in, requests to their handlers one after the
 * other, answers out in the same order.
 *
 *	HEAD     waiting for, or collecting, a request head
 *	BODY     reading a body: to its handler, or to be dropped
 *	WAIT     request read, answer not complete; nothing is read
 *	UPGRADED another protocol follows; the output drains
 *	CLOSING  no more requests; the output drains
 *	LINGER   our FIN is sent; reading on so that the peer gets the answer
 *	         before a reset
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
#include "net/stream.h"

enum conn_state {
	CONN_HEAD, CONN_BODY, CONN_WAIT, CONN_UPGRADED, CONN_CLOSING,
	CONN_LINGER, CONN_CLOSED
};

enum conn_timer {
	TIMER_NONE, TIMER_FIRST, TIMER_IDLE, TIMER_HEAD, TIMER_BODY,
	TIMER_SEND, TIMER_DEFER, TIMER_GONE, TIMER_LINGER
};

struct http_conn {
	struct stream stream;		/* first */
	struct http_server *server;
	struct http_conn *next_free;
	TAILQ_ENTRY(http_conn) link;
	struct wheel_timer timer;
	struct loop_task task;		/* conn_wake */
	struct http_req *req;		/* in progress */
	TAILQ_HEAD(, http_req) unsent;	/* finished, output pending */
	struct buf in;			/* bytes that had to wait */
	struct http_upgrade *upgrade;	/* UPGRADED: who gets it */
	struct guard guard;
	struct chunked chunked;
	uint64_t timer_sent;		/* stream.sent when SEND or GONE was
					   armed */
	uint32_t nreqs;
	uint32_t nunsent;
	uint8_t state;			/* enum conn_state */
	uint8_t timer_kind;		/* enum conn_timer */
	uint8_t busy;			/* conn_turn is running */
	uint8_t cut;			/* close at the end of the turn */
	uint8_t linger;			/* CLOSING ends in LINGER */
	uint8_t gone;			/* as cut, and the peer is to blame */
	uint8_t stalled;		/* in holds more than a part of a head */
	uint8_t skipped_line;		/* the empty line before a request */
	uint8_t counted_idle;
	uint8_t peer_len;
	char peer[46];
};

/* Take an accepted socket.  It is closed when the memory for it is lacking. */
void	conn_open(struct http_server *, int fd, const struct sockaddr *);
/* The same, only to tell the client 503. */
void	conn_open_refused(struct http_server *, int fd,
	    const struct sockaddr *);
/* At once; the request in progress and those unsent end with why. */
void	conn_close(struct http_conn *, int why);
/* Set the time limit for what it is waiting for now; and what happens then. */
void	conn_arm(struct http_conn *);
void	conn_timeout(struct wheel_timer *);
/* Look at the connection again at the end of this turn: its request has moved
 * on from outside of it. */
void	conn_wake(struct http_conn *);

#endif
