/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of Engine.IO know of each other: the sessions of a worker, and
 * the requests and WebSockets that carry them.
 *
 * A session that ends is marked, and ended at the end of the turn, with all
 * others that have to do something then; so it is good until the
 * callback that ended it has returned.
 */
#ifndef SOCKETIO_ENGINE_H
#define SOCKETIO_ENGINE_H

#include "client.h"
#include "eio_cookie.h"
#include "eio_cors.h"
#include "eio_id.h"
#include "eio_query.h"
#include "eio_wait.h"
#include "pack.h"
#include "user.h"

enum eio_state {
	EIO_OPENING,		/* the answer to its first request is due */
	EIO_OPEN,
	EIO_ENDING,		/* until the end of the turn */
	EIO_LINGERING		/* on polling: what is left is for the next
				   GET */
};

/* How a session ends. */
enum eio_end_how {
	EIO_END_POLITE,		/* what was sent before gets there */
	EIO_END_BYE,		/* the client wants it */
	EIO_END_CUT
};

struct eio_forward;

/* Messages that wait for a GET. */
struct eio_queue {
	struct eio_message **m;
	uint32_t n, size;
	size_t bytes;
};

/* A GET that waits, or a POST whose body comes: the request's block. */
struct eio_poll {
	struct eio *eio;		/* NULL: it has nothing to do with
					   one */
	hostd_req req;
	struct user_ask ask;		/* of the first request */
	uint8_t is_post, of_bytes, is_held;
	struct eio_wait wait;
	TAILQ_ENTRY(eio_poll) held;
	struct eio_forward *forward;	/* another machine is asked */
	char *body;			/* what has come of a body in parts */
	size_t n, size;
};

/* The first request of one over WebSocket, until it is accepted. */
struct eio_opening {
	struct eio *eio;
	hostd_req req;
	struct user_ask ask;
};

enum eio_ws_role {
	EIO_WS_NONE,		/* to be closed */
	EIO_WS_OPENING,
	EIO_WS_TRANSPORT,
	EIO_WS_PROBE
};

/* A WebSocket's block. */
struct eio_ws {
	union {
		struct eio *eio;
		struct eio_opening *opening;
		struct eio_probe *probe;
	} u;
	hostd_ws ws;			/* id 0: not open yet */
	uint32_t role;
};

/* A WebSocket that a session on polling may go on with. */
struct eio_probe {
	struct eio_wait wait;
	struct eio *eio;
	struct eio_ws *ws;
	int is_probed;			/* it has asked, and was answered */
};

struct eio {
	struct table_entry entry;	/* of engine->sessions */
	struct hostd_inst *in;
	struct client *client;
	struct eio_handshake *handshake;
	struct eio_wait beat;		/* the next ping or the end of waiting
					   for a pong; how long it lingers */
	STAILQ_ENTRY(eio) work;
	struct eio_ws *ws;		/* NULL: it is on polling */
	struct eio_probe *probe;
	struct eio_poll *get, *post;	/* one of each at most */
	struct eio_queue queue;
	struct eio_queue late;		/* of it, while it is on its way: what
					   has to follow it */
	uint8_t state, transport, has_work, owes_pong;
	uint8_t is_moving;
	uint8_t is_first;		/* it is one of nopening */
	uint8_t revision, wants_base64;	/* the latter of revision 3 */
	uint8_t how, reason;		/* of its end */
	uint16_t code;			/* that its WebSocket is closed with */
	char id[EIO_ID_LEN + 1];
};

/* Whom eio_send_many sends to. */
struct eio_many {
	hostd_ws *to;
	struct eio **who;
	int32_t *results;
	size_t size;
};

struct engine {
	struct hostd_inst *in;
	struct table sessions;		/* by id; those that linger too */
	uint32_t nopen;
	uint32_t nopening;		/* whose first request is not
					   answered */
	struct eio_waits waits;
	STAILQ_HEAD(, eio) work;
	int posted;
	struct eio_id_source ids;
	int complained;			/* of a request that could not move */
	int expects;			/* sessions, see eio_expect */
	int retries;			/* posted, for those held */
	TAILQ_HEAD(eio_held, eio_poll) held;
	struct eio_cors cors;
	struct eio_message *ping, *pong;
	struct eio_cookie cookie;
	struct eio_scratch {
		char *p;
		size_t size;
	} scratch;
	struct eio_many many;
};

/* -- sessions: eio_session.c -- */

/* For its first request; not open, and of no client yet.  NULL: no memory. */
struct eio *eio_new(struct hostd_inst *, const struct hostd_request *,
	    uint32_t transport);
/* It is open: its client is made.  -1: no memory.  eio_enter: without
 * heartbeat. */
int	eio_open(struct eio *);
int	eio_enter(struct eio *);
/* The one of that id which a request may be about; NULL: none. */
struct eio *eio_find(struct hostd_inst *, hostd_buf id);
/* As eio_end; code: of the WebSocket. */
void	eio_stop(struct eio *, int32_t reason, enum eio_end_how,
	    int32_t code);
/* It has to do something at the end of this turn. */
void	eio_work(struct eio *);
/* What has lingered ends, as has one that could not be opened. */
void	eio_free(struct eio *);
/* The packet "0", of one that opens, and as a body. */
hostd_buf eio_hello(const struct eio *, char *room);
hostd_buf eio_hello_body(const struct eio *, char *room);
#define EIO_HELLO_MAX	256

/* -- what a request is about: eio_check.c -- */

enum eio_error {
	EIO_UNKNOWN_TRANSPORT,
	EIO_UNKNOWN_ID,
	EIO_BAD_METHOD,
	EIO_BAD_REQUEST,
	EIO_FORBIDDEN,
	EIO_UNSUPPORTED,
	EIO_ELSEWHERE,		/* its session is, if there is one */
	EIO_AWAITED,		/* its session may be on its way to here */
	EIO_NO_ERROR
};

/* Where a session lives. */
struct eio_place {
	uint32_t node, slot;
};

/* *out NULL: a new session.  place is set with EIO_ELSEWHERE. */
enum eio_error eio_check(struct hostd_inst *, const struct hostd_request *,
	    int is_upgrade, struct eio **out, struct eio_place *place);

/* -- and where that is: eio_give.c, eio_forward.c -- */

/* The answer of on_headers or on_upgrade, of which the poll is NULL. */
int32_t	eio_give(struct hostd_inst *, hostd_req, const struct eio_place *,
	    struct eio_poll *);
/* Who goes opens no session that its successor can open: it has been given
 * there. */
int	eio_give_new(struct hostd_inst *, hostd_req);
int32_t	eio_forward(struct hostd_inst *, hostd_req, uint32_t node,
	    struct eio_poll *);
int32_t	eio_forward_body(struct hostd_inst *, struct eio_forward *,
	    hostd_buf part, int fin);
/* The request has ended before it was known whom to ask. */
void	eio_forward_end(struct eio_forward *);

/* -- packets from the client: eio_packet.c -- */

/* One of a body or a text message. */
void	eio_packet(struct eio *, hostd_buf packet);
/* Binary data; in revision 3 with its type. */
void	eio_bytes(struct eio *, hostd_buf);
/* A body is none. */
void	eio_packet_bad(struct eio *);

/* -- requests: eio_poll.c -- */

/* What waits in the queue, and perhaps a packet more, to the GET that waits. */
void	eio_poll_flush(struct eio *, const char *last);
/* The session goes: they are nobody's. */
void	eio_poll_forget(struct eio *);
void	eio_poll_late(struct hostd_inst *, struct eio_wait *);
/* What on_headers returns. */
int32_t	eio_poll_serve(struct hostd_inst *, struct eio_poll *);

/* -- requests that are kept until their session comes: eio_hold.c -- */

int32_t	eio_hold(struct hostd_inst *, struct eio_poll *);
void	eio_hold_end(struct hostd_inst *, struct eio_poll *);
void	eio_hold_late(struct hostd_inst *, struct eio_wait *);
/* One has come, or none comes any more: at the end of the turn. */
void	eio_hold_retry(struct hostd_inst *);

/* -- WebSockets: eio_ws.c, eio_probe.c -- */

/* Its WebSocket closes, behind what was sent. */
void	eio_ws_end(struct eio *);

/* -1: no memory. */
int	eio_probe_new(struct eio *, struct eio_ws *);
void	eio_probe_text(struct eio_probe *, hostd_buf);
/* It comes to nothing: the WebSocket is closed. */
void	eio_probe_end(struct eio_probe *);
/* The WebSocket is not there any more. */
void	eio_probe_gone(struct eio_probe *);
void	eio_probe_late(struct hostd_inst *, struct eio_wait *);

/* -- heartbeat: eio_beat.c -- */

void	eio_beat_begin(struct eio *);
/* It has come from another worker, and there a pong was due, or a ping in so
 * many ms: it has a whole time for that, or is pinged a little early. */
void	eio_beat_go_on(struct eio *, int is_pong, uint64_t ms);
void	eio_beat_pong(struct eio *);
/* Of revision 3: it is the client who pings. */
void	eio_beat_pinged(struct eio *);
/* Its transport has changed: no pong is waited for. */
void	eio_beat_change(struct eio *);
/* What keeps it alive should have come. */
int	eio_beat_is_over(const struct eio *);
void	eio_beat_ping(struct hostd_inst *, struct eio_wait *);
void	eio_beat_late(struct hostd_inst *, struct eio_wait *);

/* -- messages: eio_message.c, eio_queue.c, eio_send.c -- */

void	eio_many_free(struct eio_many *);
/* One that was on its way is not any more. */
void	eio_send_kept(struct eio *);
/* Is it? */
void	eio_move_look(struct hostd_inst *, struct eio_wait *);

/* A packet of any type. */
struct eio_message *eio_message_raw(hostd_buf text, const hostd_buf *bins,
	    uint32_t nbins);
/* One of bins as revision 3 has it. */
static inline hostd_buf
eio_typed(hostd_buf bin)
{
	return (hostd_buf){ (const char *)bin.p - 1, bin.n + 1 };
}

/* -1: no memory. */
int	eio_queue_add(struct eio_queue *, struct eio_message *);
void	eio_queue_clear(struct eio_queue *);
/* Its queue as the body of an answer, with packets more or NULL; good until the
 * scratch is used again.  p NULL: no memory.  *of_bytes: it is no text. */
hostd_buf eio_queue_body(const struct eio *, const char *last, int *of_bytes);

/* n bytes; NULL: no memory. */
char	*eio_scratch(struct engine *, size_t n);
/* Much is not kept. */
void	eio_scratch_done(struct engine *);

/* -- answers: eio_answer.c -- */

/* 200, as all of polling; cookie: its value, n 0: none. */
int32_t	eio_answer(struct hostd_inst *, hostd_req, const char *type,
	    hostd_buf body, hostd_buf cookie);
/* What another machine has answered. */
int32_t	eio_relay(struct hostd_inst *, hostd_req, int32_t status,
	    const char *type, hostd_buf body);
int32_t	eio_answer_preflight(struct hostd_inst *, hostd_req);
/* By JSON or, to an upgrade, by its text. */
int32_t	eio_refuse(struct hostd_inst *, hostd_req, enum eio_error,
	    int is_upgrade);
/* With a status and nothing else. */
int32_t	eio_refuse_empty(struct hostd_inst *, hostd_req, int32_t status);

/* -- handshakes: eio_handshake.c -- */

struct eio_handshake *eio_handshake_new(const struct hostd_request *);
/* Who makes it; p NULL: not known.  -1: no memory. */
int	eio_handshake_user(struct eio_handshake *, hostd_buf user);
void	eio_handshake_free(struct eio_handshake *);

#endif
