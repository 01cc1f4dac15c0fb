/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One HTTP request and its answer, from the first byte of the head to the
 * last byte of the answer given to the kernel.  Connections borrow one from
 * the server's pool while a request is in progress.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdint.h>
#include <sys/queue.h>
#include <hostd/http.h>
#include "base/buf.h"
#include "http/lease.h"
#include "http/sent.h"
#include "http/trace.h"
#include "http/trailers.h"
#include "http/tries.h"

struct http_conn;
struct http_gate;
struct http_req;
struct stream;
struct http_route;
struct http_server;
struct identity;

/*
 * Whoever answers requests: the plugin room's side of a route.  Codes are
 * those of <hostd/abi.h>.
 */
struct http_handler {
	const char *name;		/* of the plugin, for the log */
	uint64_t blamed_ms;		/* see blame.h */
	unsigned blamed;
	uint32_t data_size;		/* zeroed bytes per request */
	int buffer_body;		/* body in one call */
	int wants_body;			/* has body() */
	int32_t (*headers)(struct http_handler *, struct http_req *);
	int32_t (*body)(struct http_handler *, struct http_req *,
	    hostd_buf part, int fin);
	void (*writable)(struct http_handler *, struct http_req *);
	/* Exactly once, unless headers() returned HOSTD_PASS. */
	void (*end)(struct http_handler *, struct http_req *, int why);
};

/*
 * Who takes a connection over when the other protocol was agreed on
 * (response_upgrade).  One of the two is called, once.
 */
struct http_upgrade {
	/* The 101 is sent, and nothing is pending on from: stream_move it.
	 * The n bytes at p came behind the request; they are the caller's. */
	void (*taken)(struct http_upgrade *, struct stream *from,
	    const char *p, size_t n);
	/* The connection ended before.  why: HOSTD_END_*. */
	void (*lost)(struct http_upgrade *, int why);
	/* The connection's and the request's, before taken: to be ended. */
	struct http_lease *leases;
};

/* Something that is done on behalf of a request, and ends with it. */
struct http_errand {
	LIST_ENTRY(http_errand) link;
	/* The request ends, and its handler is about to be told.  The errand
	 * was taken off the list. */
	void (*ended)(struct http_errand *);
	/* Optional.  Is somebody else waited for now, within a time limit of
	 * its own?  That time is not the handler's. */
	int (*is_timed)(const struct http_errand *);
	/*
	 * Optional.  The head of the answer is to be queued: up to
	 * ERRAND_HEADERS more headers for it, good until r's answer is taken
	 * back or ends.  The answer may be held here (response_hold).
	 */
	uint32_t (*head)(struct http_errand *, struct http_req *, int status,
	    hostd_hdr *);
};

#define ERRAND_HEADERS 2

/* Headers that the host itself reads. */
enum http_known {
	KNOWN_HOST, KNOWN_CONNECTION, KNOWN_CONTENT_LENGTH,
	KNOWN_TRANSFER_ENCODING, KNOWN_EXPECT, KNOWN_UPGRADE,
	KNOWN_USER_AGENT, KNOWN_REFERER, KNOWN_N
};

#define REQ_MAX_PARAMS 8

struct http_param {
	hostd_buf name, value;
};

enum http_body {
	BODY_NONE, BODY_LENGTH, BODY_CHUNKED,
	BODY_STREAM		/* HTTP/2's: until the stream says so */
};

enum http_phase {
	RESP_NONE,		/* nothing of the answer yet */
	RESP_BEGUN,		/* head queued, body may follow */
	RESP_FINISHED		/* all queued */
};

/* Of limits_passed: what counts a request once, whichever workers have it. */
#define LIMITS_ONCE	0xcu

/* What limits have said, for logs. */
enum http_limited {
	LIMITED_NONE, LIMITED_PASSED, LIMITED_DELAYED, LIMITED_REJECTED,
	LIMITED_DELAYED_DRY, LIMITED_REJECTED_DRY
};

struct http_req {
	struct http_req *next_free;
	TAILQ_ENTRY(http_req) link;	/* conn->unsent */
	struct http_server *server;
	struct http_conn *conn;
	uint64_t id;			/* handle; 0: none */

	/* the head; all pointers into one block, see request_persist */
	struct hostd_request view;	/* what plugins see */
	uint8_t known[KNOWN_N];		/* index + 1 into headers; 0: absent */
	const char *head;		/* the block */
	size_t head_len;
	char *own_head;			/* copy made by request_persist */
	char *head_room;		/* where it was made; kept */
	size_t head_room_size;
	char *own_path;			/* decoded path, when it had to be */
	char *own_host;			/* lower case, when it was not */
	hostd_buf host_as_sent;
	int host_has_upper;		/* or may have */
	struct http_param params[REQ_MAX_PARAMS];
	unsigned nparams;
	int minor;			/* of the HTTP version */

	/* who answers */
	struct http_route *route;
	struct http_handler *handler;	/* NULL: the host itself */
	void *data;			/* handler's data_size bytes */
	size_t data_room;		/* what is allocated there */
	int in_handler;			/* headers() was called, no end() yet */
	int deferred;
	unsigned skip;			/* routes that were found before the
					   next one */
	unsigned gate;			/* of route->gates: the next */
	struct http_gate *gated;	/* waits for it; NULL: for none */
	int resumed;			/* has waited for one */
	struct identity *who;		/* who the client is, by the route's
					   gates; NULL: nobody knows */
	LIST_HEAD(, http_errand) errands;
	struct http_lease *leases;
	uint8_t limited_rate;		/* enum http_limited */
	uint8_t limited_places;		/* the same */
	uint8_t limits_passed;		/* bits of gates that have counted it */
	uint8_t may_give;		/* headers() runs */
	uint32_t give;			/* slot + 1 of the worker that is to
					   get it; 0: nobody */
	uint64_t owed_ms;		/* since when only the handler is waited
					   for; 0: from the begin */

	/* the body coming in */
	enum http_body body;
	int body_done;
	int paused;
	int continue_sent;		/* or not needed */
	uint64_t body_seen;
	uint64_t max_body;
	struct buf collected;		/* buffer_body */
	struct trailers trailers;

	/* the answer */
	enum http_phase phase;
	int status;
	int keepalive;			/* may the connection go on after it */
	int client_close;		/* the client asked not to */
	int head_only;			/* no body is sent: HEAD, 204, 304 */
	int chunked_out;
	const char *upgrade_to;		/* protocol that a 101 or 426 names */
	struct http_upgrade *upgrade;	/* accepted: who gets the connection */
	int high;			/* AGAIN was answered: owe writable() */
	unsigned held;			/* how often; not to be sent yet */
	int cut;			/* broken promise: close, don't reuse */
	int64_t length;			/* promised; -1: unknown */
	uint64_t body_out;		/* body bytes taken from the plugin */
	uint64_t out_start, out_end;	/* in the stream's count of bytes */
	uint64_t head_out;		/* bytes of the answer's head */
	uint64_t start_ms;
	int traced;			/* trace is there */

	/* written before they are read, not zeroed */
	char client[46];		/* its address, told by a proxy */
	struct http_tries tries;	/* of whoever asked servers for it */
	struct http_sent sent;		/* of the answer's head, for logs */
	struct http_trace trace;
	hostd_hdr headers[];		/* the server's max_headers */
};

/* NULL: traces are off. */
static inline const struct http_trace *
request_trace(const struct http_req *r)
{
	return r->traced ? &r->trace : NULL;
}

static inline hostd_buf
request_known(const struct http_req *r, enum http_known k)
{
	if (r->known[k] == 0)
		return (hostd_buf){ NULL, 0 };
	return r->headers[r->known[k] - 1].value;
}

/* Whether no body is to be read for now. */
static inline int
request_is_paused(const struct http_req *r)
{
	return (r->paused || r->gated != NULL) && r->phase != RESP_FINISHED;
}

static inline int
request_is_too_large(const struct http_req *r)
{
	return r->view.content_length > 0 &&
	    (uint64_t)r->view.content_length > r->max_body;
}

/* From and to the server's pool. */
struct http_req *request_new(struct http_server *, struct http_conn *);
void	request_free(struct http_req *);

/* Has it come by TLS, to us or to a proxy whose word is taken? */
int	request_is_secure(const struct http_req *);
/* Is something done for it that has a time limit of its own? */
int	request_is_timed(const struct http_req *);
/* All that is done on its behalf. */
void	request_end_errands(struct http_req *);

/* Before an answer of the host: a body that nobody wants is dropped within the
 * limit for all, whatever the route's is. */
void	request_drop_body(struct http_req *);
/* The client is who, from whom a reference is taken, or nobody. */
void	request_set_identity(struct http_req *, struct identity *);
/* The head moves out of the shared read buffer into memory of its own. */
void	request_persist(struct http_req *);

/* First header of that name, any case; NULL when absent. */
const hostd_hdr *request_header(const struct http_req *, const char *name,
	    size_t n);

#endif
