/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.fetch/1: an HTTP client (RFC 9110, RFC 9112) over pooled keep-alive
 * connections to the servers of an `upstream` block.  A plugin reaches what the
 * operator has configured, and nothing else.  Redirects are not followed.
 *
 * One exchange: on_info any number of times, on_response, on_body until fin,
 * on_end exactly once.
 *
 * The host picks a server by the group's balancer, and another one when that
 * fails, by the rules of the request.  It frames the message: it adds
 * Connection and Content-Length or Transfer-Encoding, and Host when there is
 * none.  An answer is parsed as strictly as requests are: what could be read in
 * two ways is an error, and a body that was cut short never ends with fin.
 */
#ifndef HOSTD_FETCH_H
#define HOSTD_FETCH_H

#include <hostd/abi.h>
#include <hostd/http.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_FETCH "hostd.fetch/1"

typedef struct {
	uint64_t id;
} hostd_fetch;

/* Flags of hostd_fetch_request. */
#define HOSTD_FETCH_BUFFER	0x1u	/* one on_body with the whole body */
#define HOSTD_FETCH_UPGRADE	0x2u	/* headers have an Upgrade: ask for it;
					   see tunnel.  No body */
#define HOSTD_FETCH_DETACHED	0x4u	/* on_behalf only says which group, and
					   is what the balancer sees; the
					   exchange does not end with it */
#define HOSTD_FETCH_ROUTE	0x8u	/* upstream is for want of one in the
					   route of on_behalf, which comes
					   first */
#define HOSTD_FETCH_OUTLIVES	0x10u	/* it goes on when on_behalf ends,
					   unless it is cancelled */
#define HOSTD_FETCH_UNTRACED	0x20u	/* without the trace of on_behalf, which
					   else is handed on, unless headers
					   have a traceparent.  Since 1.4 */

/* When another server is tried: fetch_request.next. */
#define HOSTD_NEXT_ERROR	0x1u	/* connect, send or read failed */
#define HOSTD_NEXT_TIMEOUT	0x2u
#define HOSTD_NEXT_INVALID	0x4u	/* the answer was not HTTP */
#define HOSTD_NEXT_500		0x8u
#define HOSTD_NEXT_502		0x10u
#define HOSTD_NEXT_503		0x20u
#define HOSTD_NEXT_504		0x40u
#define HOSTD_NEXT_403		0x80u
#define HOSTD_NEXT_404		0x100u
#define HOSTD_NEXT_429		0x200u
#define HOSTD_NEXT_UNSAFE	0x400u	/* also methods that are not idempotent
					   (RFC 9110 section 9.2.2), after the
					   request was begun to be sent */
#define HOSTD_NEXT_OFF		0x80000000u	/* never */

/* What to ask.  Everything is copied. */
struct hostd_fetch_request {
	uint32_t struct_size;
	uint32_t flags;			/* HOSTD_FETCH_* */
	const char *upstream;		/* a group's name; NULL: that of the
					   route of on_behalf */
	hostd_buf method;		/* empty: GET */
	hostd_buf target;		/* origin form, "/path?query" */
	const hostd_hdr *headers;	/* checked as in hostd.http/1; Upgrade
					   is allowed with FETCH_UPGRADE */
	uint32_t nheaders;
	uint32_t next;			/* HOSTD_NEXT_*; 0: ERROR | TIMEOUT */
	uint32_t tries;			/* servers at most; 0: all */
	uint32_t next_timeout_ms;	/* no next try after it; 0: any time */
	uint32_t connect_timeout_ms;	/* 0: the group's */
	uint32_t send_timeout_ms;	/* between two writes; 0: 60000 */
	uint32_t read_timeout_ms;	/* between two reads; 0: 60000 */
	uint32_t timeout_ms;		/* for all of it; 0: none */
	uint64_t max_body;		/* bytes of the answer; 0: 16 MiB with
					   HOSTD_FETCH_BUFFER, else no limit */
	int64_t length;			/* of the request's body; -1: not known,
					   chunked */
	hostd_buf body;			/* the body, or its begin: the rest is
					   sent by write */
	hostd_req on_behalf;		/* the request that this is for, or id
					   0: the balancer sees it, its line in
					   the access log tells of this, and its
					   defer_timeout rests while a limit
					   above is what a server has.  It runs
					   anew after on_response, on_end and
					   body_pause; not for one that is
					   HOSTD_FETCH_DETACHED */
	/*
	 * "192.0.2.1:80" or "[2001:db8::1]:80": ask this server instead of one
	 * that the group picks; n 0: the group's.  What the group says of TLS,
	 * connections and time limits holds; no other server is tried, and
	 * nothing of it counts for the group.  E_NOTSUP unless the group has
	 * any_server (hostd.conf(5)).  Since 1.5.
	 */
	hostd_buf server;
};

/* [call] */
struct hostd_fetch_response {
	uint32_t struct_size;
	int32_t status;			/* 200-599; 101 with FETCH_UPGRADE */
	const hostd_hdr *headers;	/* all, in order of arrival */
	uint32_t nheaders;
	uint32_t tries;			/* servers asked, this one included */
	int64_t content_length;		/* -1: not known; 0 where there is no
					   body, whatever the header says */
	hostd_buf server;		/* "192.0.2.1:3000" */
	hostd_buf set_cookie;		/* value of a Set-Cookie line that the
					   balancer wants; p NULL: none */
	hostd_buf protocol;		/* 101: value of Upgrade */
	uint64_t header_us;		/* from the sent request to this */
	hostd_buf upstream;		/* the group's name: the Host of
					   requests that have none */
};

/* An exchange's callbacks, [instance] or static.  All [loop]. */
struct hostd_fetch_ops {
	uint32_t struct_size;
	uint32_t reserved;

	/* Optional.  An interim response (103 ...); 100 is not shown. */
	void (*on_info)(struct hostd_inst *, hostd_fetch, void *arg,
	    const struct hostd_fetch_response *);
	/* Optional.  The final response's head, or 101: then there is neither
	 * on_body, and on_end only after tunnel or cancel or a time limit. */
	void (*on_response)(struct hostd_inst *, hostd_fetch, void *arg,
	    const struct hostd_fetch_response *);
	/* Optional.  fin is 1 with the last part, which may be empty.  Called
	 * at least once after on_response when the body is complete. */
	void (*on_body)(struct hostd_inst *, hostd_fetch, void *arg,
	    hostd_buf part, int32_t fin);
	/* Optional.  Room for more of the request's body. */
	void (*on_writable)(struct hostd_inst *, hostd_fetch, void *arg);
	/*
	 * Exactly once.  The handle is stale when it returns.  text says more.
	 *   OK         the whole answer came
	 *   E_TIMEOUT
	 *   E_IO       connect, reset, cut short, not HTTP
	 *   E_FULL     no server can be had now, or the answer is larger than
	 *              max_body
	 *   E_GONE     cancelled, or on_behalf has ended (unless
	 *              HOSTD_FETCH_DETACHED or _OUTLIVES): then it comes
	 *              before the request's on_end
	 */
	void (*on_end)(struct hostd_inst *, hostd_fetch, void *arg,
	    int32_t status, hostd_buf text);
	/*
	 * Optional; set it where the whole body can be had again, however long
	 * it is.  A try has failed, and the next one is begun: write the body
	 * anew from its begin, and finish.  Without it a request is not sent
	 * again once more than 64 KiB of its body were written.  Since 1.3.
	 */
	void (*on_rewind)(struct hostd_inst *, hostd_fetch, void *arg);
};

/*
 * The host's table.  All [loop].  Every function answers E_GONE for a stale
 * handle or another instance's, E_THREAD off the loop.
 */
struct hostd_fetch_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * Is there such a group?  NULL: do all routes of this instance name
	 * one?  For create: HOSTD_OK, or E_INVAL with the reason in err.
	 */
	int32_t (*check)(const struct hostd_host *, const char *upstream,
	    struct hostd_err *err);

	/* Errors: E_INVAL (the reason is logged), E_FULL (the instance's limit
	 * of exchanges, 65536), E_STATE (it is ending), E_NOTSUP (a server is
	 * named, and the group does not have any_server).  No server is asked
	 * before this returns. */
	int32_t (*start)(const struct hostd_host *,
	    const struct hostd_fetch_request *, const struct hostd_fetch_ops *,
	    void *arg, hostd_fetch *out);
	/*
	 * More of the request's body: OK, AGAIN, E_FULL, E_INVAL, E_STATE as
	 * write of hostd.http/1.  Copied.  What was sent is kept for another
	 * try up to 64 KiB; a longer body goes to one server, but for who has
	 * on_rewind.  OK and dropped once the server has answered without
	 * waiting for it.
	 */
	int32_t (*write)(const struct hostd_host *, hostd_fetch, hostd_buf);
	/* The request's body is complete; trailers go with a chunked one, else
	 * n is 0.  E_INVAL: shorter than promised. */
	int32_t (*finish)(const struct hostd_host *, hostd_fetch,
	    const hostd_hdr *trailers, uint32_t n);
	/* on 1: stop reading the answer; 0: go on. */
	int32_t (*body_pause)(const struct hostd_host *, hostd_fetch,
	    int32_t on);
	/* Trailers of the answer, in on_body with fin: [call]. */
	int32_t (*trailers)(const struct hostd_host *, hostd_fetch,
	    const hostd_hdr **out, uint32_t *n);
	/*
	 * In or after on_response with 101: answer the request on_behalf with
	 * 101, the protocol and these headers, and pass bytes both ways until
	 * both sides have ended or nothing comes for idle_ms (0: no limit).
	 * The tunnel is the host's: on_end of the exchange, with OK, and of
	 * the request come as soon as it begins.
	 * Errors: E_STATE, E_INVAL (headers, or no on_behalf).
	 */
	int32_t (*tunnel)(const struct hostd_host *, hostd_fetch,
	    const hostd_hdr *headers, uint32_t n, uint32_t idle_ms);
	/* on_end follows with HOSTD_E_GONE. */
	int32_t (*cancel)(const struct hostd_host *, hostd_fetch);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_FETCH_H */
