/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One HTTP/1.1 request to a group of servers, and its answer: a server is
 * picked, a connection taken from those that are kept or made anew, the request
 * sent, the answer read; and when that fails, the next server is tried by the
 * request's rules.  Semantics are those of <hostd/fetch.h>, which
 * plugin/fetch_service.c makes of it.
 *
 *	PICK      a server is wanted
 *	CONNECT   a connection is being made
 *	SEND      the request goes out; an answer may come early
 *	HEAD      request sent, waiting for a head
 *	BODY      reading a body
 *	SWITCHED  101: the connection is the other protocol's
 *	DONE
 *
 * A try over a kept connection that the server closes before it says anything
 * is no failure of the server's: it closed an idle connection, as it may.  Nor
 * is one that it closes with a 408 or 400, or one where what comes is no
 * answer: it may have come for the request before.  The same server is asked
 * again over a fresh one, if that can do no harm: the method is idempotent, or
 * nothing of the request had left.
 */
#ifndef UPSTREAM_EXCHANGE_H
#define UPSTREAM_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/fetch.h>
#include "base/buf.h"
#include "http/answer.h"
#include "http/chunked.h"
#include "http/guard.h"
#include "http/trailers.h"
#include "http/tries.h"
#include "net/proxy.h"
#include "upstream/group.h"
#include "upstream/link.h"

struct up_exchange;

/* Whoever wants the answer.  Called from the loop only, never from within a
 * function below. */
struct up_exchange_ops {
	void (*info)(struct up_exchange *, const struct hostd_fetch_response *);
	void (*head)(struct up_exchange *, const struct hostd_fetch_response *);
	void (*body)(struct up_exchange *, hostd_buf part, int fin);
	void (*writable)(struct up_exchange *);
	/* For those with `rewinds`: the body is to be written again, from its
	 * begin. */
	void (*rewind)(struct up_exchange *);
	/* Once; the exchange is gone when it returns. */
	void (*end)(struct up_exchange *, int32_t status, const char *text);
	/* Optional, around calls of the above that one read has led to: what
	 * they write may leave together.  When end is among them, leave is
	 * not called. */
	void (*enter)(struct up_exchange *);
	void (*leave)(struct up_exchange *);
};

enum up_state {
	UP_PICK, UP_CONNECT, UP_SEND, UP_HEAD, UP_BODY, UP_SWITCHED, UP_DONE
};

/* The request's rules. */
struct up_rules {
	uint32_t next;			/* HOSTD_NEXT_* */
	uint32_t tries;			/* servers at most */
	uint32_t next_ms;		/* 0: any time */
	uint32_t connect_ms, send_ms, read_ms;
	uint64_t max_body;		/* 0: any */
	uint8_t upgrade;		/* 101 is welcome */
	uint8_t is_head;		/* the method */
	uint8_t is_idempotent;
};

struct up_exchange {
	/* Kept from one use to the next. */
	struct buf out;			/* the request's head, and behind it
					   the body as far as it is kept for
					   another try */
	/* The owner's, set before exchange_start. */
	const struct up_exchange_ops *ops;
	struct up_group *group;
	const struct hostd_request *view;	/* of the request that it is
					   for; NULL: none */
	const struct http_trace *trace;	/* of that one, to be handed on; NULL:
					   none.  For exchange_start only */
	size_t proxy_len;		/* header of the PROXY protocol; it and
					   proxy are set after exchange_start */
	char proxy[PROXY_MAKE_MAX];
	struct http_tries *log;		/* of that one's line in the access
					   log; may be NULL */
	int rewinds;			/* the body can be had again, however
					   long it is */

	enum up_state state;		/* from here on exchange_start zeroes */
	struct up_rules rules;
	struct loop_task task;		/* exchange_wake */
	struct wheel_timer timer;
	uint64_t step_ms;		/* when this step is late; 0: never */
	uint64_t all_ms;		/* when all of it is */
	uint64_t began_ms;

	/* this try */
	struct up_peer *peer;		/* picked, not reported */
	struct up_link *link;
	struct http_try *try;		/* in log */
	uint64_t try_us, sent_us;	/* when it began, and was sent */
	uint64_t connect_us, header_us;	/* how long that took */
	uint64_t sent_from;		/* stream's count where it begins, and
					   when it was looked at last */
	uint64_t sent_seen;
	int error;			/* errno: no more can be sent, and when
					   all is read that is there, the
					   connection is lost */
	uint8_t fresh;			/* the connection was made for it */
	uint8_t got;			/* a byte of the answer */
	uint8_t end_queued;		/* all of the request was */
	uint8_t ninfo;
	uint32_t ntries;

	/* the request's body */
	size_t head_len;		/* in out */
	int64_t length;			/* -1: chunked */
	uint64_t given;			/* by the owner so far */
	struct buf last;		/* trailers, as they are sent */
	uint8_t complete;		/* no more of it will come */
	uint8_t over;			/* more than what is kept was given */
	uint8_t owed;			/* writable() */
	uint8_t rewound;		/* rewind() is owed, too */

	/* the answer */
	struct buf in;			/* bytes that had to wait */
	struct guard guard;
	struct chunked chunked;
	struct trailers trailers;
	enum answer_body body;
	int64_t left;			/* of ANSWER_LENGTH */
	uint64_t body_seen;
	int status;
	uint8_t keepalive;
	uint8_t answered;		/* head() was called */
	uint8_t paused;
	uint8_t stalled;		/* in has more than a part of a head */
	uint8_t surplus;		/* bytes came behind the answer */
	uint8_t cancelled;
	uint8_t upgraded;		/* counted as such */

	struct addr server;		/* that alone is asked; len 0: whom the
					   group picks */
	struct up_search search;	/* last: its room is not zeroed */
};

/* HOSTD_OK, or E_INVAL with the reason in *why.  No server is asked before it
 * returns.  Struct exchange is zeroed before its first use. */
int32_t	exchange_start(struct up_exchange *,
	    const struct hostd_fetch_request *, const char **why);
/* More of the request's body: OK, AGAIN, E_FULL, E_INVAL, E_STATE. */
int32_t	exchange_write(struct up_exchange *, hostd_buf);
int32_t	exchange_finish(struct up_exchange *, const hostd_hdr *, uint32_t n);
void	exchange_pause(struct up_exchange *, int on);
/* Does a time limit run: for the server, or for all of it? */
int	exchange_is_timed(const struct up_exchange *);
/* end() follows with E_GONE. */
void	exchange_cancel(struct up_exchange *);
/* The same at once, without end(); from the loop only. */
void	exchange_stop(struct up_exchange *);
/* The request that it is for has ended: view and log are NULL from now on. */
void	exchange_forget(struct up_exchange *);
/* SWITCHED, and its link's stream was moved away, with the bytes in in.  The
 * server counts as busy until exchange_over. */
void	exchange_switched(struct up_exchange *);
/* What was kept from one use to the next. */
void	exchange_free(struct up_exchange *);

/* -- for this room, and for the owner once it is SWITCHED -- */

/* It ends so: end() is called. */
void	exchange_over(struct up_exchange *, int32_t status, const char *text);

/* -- for this room only -- */

#define EXCHANGE_KEEP	65536	/* bytes of a body, for another try */

/* These say what has become of it: 0: it goes on; -1: it is gone. */
/* Ask its peer, over a fresh connection if anew. */
int	exchange_connect(struct up_exchange *, int anew);
int	exchange_use(struct up_exchange *, struct up_peer *);
/* The answer's last byte is there, and was told. */
int	exchange_answered(struct up_exchange *);

/* Its try is over, for the balancer and the log. */
void	exchange_report(struct up_exchange *, int32_t rc, uint32_t why,
	    uint32_t what);
void	exchange_drop(struct up_exchange *);	/* the link */
/* Something is to be done in this turn. */
void	exchange_wake(struct up_exchange *);
/* This step may take so long from now on; 0: any time. */
void	exchange_arm(struct up_exchange *, uint32_t ms);
uint64_t exchange_clock_us(void);

/* ask.c: the head of the request. */
int32_t	ask_make(struct up_exchange *, const struct hostd_fetch_request *,
	    const char **why);

/* exchange_next.c: a try has failed; as exchange_connect. */
int	exchange_failed(struct up_exchange *, uint32_t next, uint32_t why,
	    uint32_t what, const char *text);
/* An answer with that status is not for the owner if another server can be
 * asked.  1: one is. */
int	exchange_tries_next(struct up_exchange *, int status);
/* A server that closes a kept connection with that status may mean that nothing
 * was asked for so long, and have closed it before it was.  1: it is asked
 * again. */
int	exchange_asks_again(struct up_exchange *, int status);

/* exchange_send.c: over the link, which is open. */
int	exchange_send(struct up_exchange *);
int	exchange_sent(struct up_exchange *);

/* exchange_read.c: as long as there is something. */
int	exchange_read(struct up_exchange *);

#endif
