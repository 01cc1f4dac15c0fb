/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection of HTTP/2: its socket, nghttp2's session, and the streams that
 * it carries.
 *
 *	OPEN     requests come, answers go
 *	LEAVING  the client has been told to send no more requests here, twice:
 *	         first so that it stops, then which was the last (RFC 9113
 *	         section 6.8); those that are open end
 *	BROKEN   one side has broken a rule: GOAWAY drains, nothing is read
 *	LINGER   our FIN is sent; reading on so that the client gets what was
 *	         sent before a reset
 *
 * nghttp2 must not be asked to send from within its callbacks.  So these only
 * note what has come, in ready; streams are told when all that was read has
 * been taken in.  What streams have to send becomes frames at once while the
 * connection has its turn, else at the end of the loop's turn.
 */
#ifndef HTTP2_CONN_H
#define HTTP2_CONN_H

#include "http/request.h"
#include "http2/budget.h"
#include "http2/server.h"
#include "http2/stream.h"
#include "net/stream.h"

enum h2_state { H2_OPEN, H2_LEAVING, H2_BROKEN, H2_LINGER, H2_CLOSED };

/* Bytes of a stream are sent when the socket has taken that of ours. */
struct h2_note {
	struct h2_stream *stream;	/* NULL: it is gone */
	uint64_t at, n;
};

struct h2_conn {
	struct stream stream;		/* first */
	struct http_upgrade upgrade;
	struct http2_server *server;
	TAILQ_ENTRY(h2_conn) link;
	struct h2_conn *next_closed;
	nghttp2_session *session;
	struct wheel_timer timer;
	struct loop_task task;
	TAILQ_HEAD(, h2_stream) streams;
	TAILQ_HEAD(, h2_stream) ready;	/* to be told of what has come */
	TAILQ_HEAD(, h2_stream) dirty;	/* with something to send */
	struct h2_note *notes;		/* a ring, in the order of at */
	uint32_t first_note, nnotes, notes_room;
	struct budget budget;
	const struct conf_pool *home;	/* where it was accepted */
	uint64_t nrequests;
	uint64_t head_ms;		/* a head is incomplete since; or 0 */
	uint64_t quiet_ms;		/* without streams since; or 0 */
	uint64_t stuck_ms;		/* output has not moved since; or 0 */
	uint64_t leave_ms;		/* to be told to leave then; or 0 */
	uint64_t asked_ms;		/* LEAVING: told the first time */
	uint64_t linger_ms;		/* since when */
	uint64_t seen_sent;		/* stream.sent when it was looked at */
	uint32_t nopen;			/* streams of the session */
	uint8_t state;			/* enum h2_state */
	uint8_t busy;			/* it has its turn */
	uint8_t said_last;		/* LEAVING: told the second time */
	uint8_t ended;			/* the client's FIN has come */
	uint8_t lost;			/* the socket has ended */
	uint8_t counted_idle;
	uint8_t shed;			/* it came above the budget */
	uint8_t peer_len;
	char peer[46];
};

/* The client of c has begun with the preface. */
struct http_upgrade *h2_conn_new(struct http2_server *, struct http_conn *c);
/* At once, with everything on it; then its memory. */
void	h2_conn_close(struct h2_conn *);
void	h2_conn_free(struct h2_conn *);

/* It has something to send, or its server drains: soon. */
void	h2_conn_wake(struct h2_conn *);
/* What the server's drain, or its end, means for it. */
void	h2_conn_leave(struct h2_conn *);
/* GOAWAY with that code, and no more. */
void	h2_conn_break(struct h2_conn *, uint32_t code);
/* Spend of its budget: 0, or -1: it is broken. */
int	h2_conn_spend(struct h2_conn *, int64_t cost);
/* The same from where frames are made: it is broken at the end of its turn. */
void	h2_conn_charge(struct h2_conn *, int64_t cost);
/* Frames of what is queued, while it has its turn. */
void	h2_conn_output(struct h2_conn *);
/* Is there room for a frame?  What is in its way goes to the socket. */
int	h2_conn_has_room(struct h2_conn *);
/* n bytes of st are in the frames so far. */
void	h2_conn_note(struct h2_conn *, struct h2_stream *st, uint64_t n);

/* conn_timer.c */
void	h2_conn_arm(struct h2_conn *);
void	h2_conn_timeout(struct wheel_timer *);
/* The first word to a client that shall leave. */
void	h2_conn_say_leave(struct h2_conn *);
/* The last one. */
void	h2_conn_say_last(struct h2_conn *);

#endif
