/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_route/1: a plugin that answers HTTP requests, and hostd.http/1: what
 * the host offers it.
 *
 * One request, as a plugin sees it
 *
 *   on_headers   the head is complete and checked (RFC 9112 section 2-6).
 *                Answer here, or wait for the body, or return HOSTD_DEFER and
 *                answer at any later time.
 *   on_body      zero or more times, in order, until fin.
 *   on_writable  after a send returned HOSTD_AGAIN or E_FULL and room came
 *                back.
 *   on_end       exactly once after on_headers, unless that returned
 *                HOSTD_PASS.  The handle is stale when it returns.
 *
 * The host frames the message: it adds Date, Server, Connection,
 * Content-Length or Transfer-Encoding, drops the body where the method or
 * status has none, sends 100 Continue when the plugin is still waiting for a
 * body, and finishes reading or closes when the plugin answered early.
 */
#ifndef HOSTD_HTTP_H
#define HOSTD_HTTP_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_KIND_HTTP_ROUTE	"http_route/1"
#define HOSTD_EXT_HTTP		"hostd.http/1"

/* Methods (RFC 9110 section 9, RFC 5789).  0: another; see method_name. */
enum {
	HOSTD_METHOD_OTHER = 0,
	HOSTD_METHOD_GET = 1,
	HOSTD_METHOD_HEAD = 2,
	HOSTD_METHOD_POST = 3,
	HOSTD_METHOD_PUT = 4,
	HOSTD_METHOD_DELETE = 5,
	HOSTD_METHOD_OPTIONS = 6,
	HOSTD_METHOD_PATCH = 7,
	HOSTD_METHOD_TRACE = 8,
	HOSTD_METHOD_CONNECT = 9
};

/* Flags of hostd_request. */
#define HOSTD_REQ_HTTP10	0x1u	/* HTTP/1.0 */
#define HOSTD_REQ_TLS		0x2u	/* came over TLS */
#define HOSTD_REQ_UPGRADE	0x4u	/* asks for an upgrade */
#define HOSTD_REQ_HTTP2		0x8u	/* HTTP/2; one stream of many */

/*
 * A request's head.  Pointers are [call]: in a later callback ask again, the
 * content is the same.
 */
struct hostd_request {
	uint32_t struct_size;
	uint32_t flags;			/* HOSTD_REQ_* */
	uint32_t method;		/* HOSTD_METHOD_* */
	uint32_t nheaders;
	const hostd_hdr *headers;	/* in order of arrival, names as sent,
					   values trimmed */
	hostd_buf method_name;
	hostd_buf target;		/* as sent (RFC 9112 section 3.2) */
	hostd_buf host;			/* Host or authority, no port, lower
					   case; empty for HTTP/1.0 without */
	hostd_buf path;			/* starts with "/"; percent-decoded
					   once, dot segments resolved */
	hostd_buf rest;			/* of path, behind the route's prefix */
	hostd_buf query;		/* behind "?", as sent; p NULL: none */
	hostd_buf peer;			/* client's address, "192.0.2.1",
					   "2001:db8::1" or "unix" */
	int64_t content_length;		/* bytes; 0: no body; -1: chunked */
};

/*
 * Why a request ended.
 */
enum {
	HOSTD_END_DONE = 0,	/* the whole answer was given to the kernel */
	HOSTD_END_GONE = 1,	/* the client left, or broke the protocol or a
				   limit (408, 413) */
	HOSTD_END_TIMEOUT = 2,	/* body, defer or send time limit */
	HOSTD_END_SHUTDOWN = 3,	/* the worker ends */
	HOSTD_END_ERROR = 4,	/* the plugin failed or gave up: the host has
				   answered, or cut the connection */
	HOSTD_END_MOVED = 5	/* another worker has it: hostd.worker/1.
				   Since 1.5 */
};

/* Flags of hostd_http_ops. */
#define HOSTD_HTTP_BUFFER_BODY	0x1u	/* one on_body with the whole body; the
					   limit is the route's max_body */

/*
 * The plugin's table for "http_route/1".  All [loop].
 *
 * d points to data_size zeroed bytes of the host's, one block per request,
 * [request], aligned for any type.
 */
struct hostd_http_ops {
	uint32_t struct_size;
	uint32_t flags;			/* HOSTD_HTTP_* */
	uint32_t data_size;		/* at most 65536 */
	uint32_t reserved;

	/*
	 * HOSTD_OK     answered or begun, or on_body will; OK without an answer
	 *              when the body is complete is answered 500.  AGAIN means
	 *              the same, so the result of a send may be returned.
	 * HOSTD_DEFER  the answer comes later; that it begins is bounded by
	 *              defer_timeout (504), which leaves out the time that an
	 *              exchange of hostd.fetch/1 on_behalf of this request
	 *              waits for a server.  on_body goes on being called.
	 *              A client that closes its side before then is gone; after
	 *              that, when no more of the answer comes for
	 *              lingering_timeout.
	 * HOSTD_PASS   not mine: the next best route is asked.  Nothing may
	 *              have been sent.  No on_end.
	 * negative     answered 500 by the host (503 for E_FULL, 504 for
	 *              E_TIMEOUT).
	 */
	int32_t (*on_headers)(struct hostd_inst *, hostd_req, void *d);
	/*
	 * Optional; without it bodies are read and dropped.  fin is 1 with the
	 * last part, which may be empty.  Also called with an empty last part
	 * when there is no body, unless the answer is already complete.
	 * Returns as on_headers, without PASS.
	 */
	int32_t (*on_body)(struct hostd_inst *, hostd_req, void *d,
	    hostd_buf part, int32_t fin);
	/* Optional. */
	void (*on_writable)(struct hostd_inst *, hostd_req, void *d);
	/* Optional.  why is HOSTD_END_*. */
	void (*on_end)(struct hostd_inst *, hostd_req, void *d, int32_t why);
};

/*
 * The host's table.  All [loop].
 *
 * Every function answers E_GONE for a stale handle or another instance's,
 * E_THREAD off the loop.
 *
 * Header names and values are checked (RFC 9110 section 5): a bad one, or one
 * that the host owns (Connection, Content-Length, Date, Keep-Alive, Server,
 * Transfer-Encoding, Upgrade), is E_INVAL and nothing is sent.
 */
struct hostd_http_api {
	uint32_t struct_size;
	uint32_t reserved;

	/* The head; NULL for a stale handle. */
	const struct hostd_request *(*request)(const struct hostd_host *,
	    hostd_req);

	/* First header of that name (case does not matter): HOSTD_OK, or
	 * E_INVAL when there is none. */
	int32_t (*header)(const struct hostd_host *, hostd_req,
	    const char *name, hostd_buf *out);

	/* Value of ":name" in the route's pattern: HOSTD_OK or E_INVAL. */
	int32_t (*param)(const struct hostd_host *, hostd_req,
	    const char *name, hostd_buf *out);

	/*
	 * on 1: stop reading the body (and the socket); 0: go on.  A paused
	 * request whose answer has not begun is bounded by defer_timeout.
	 * Errors: E_STATE when the body is complete.
	 */
	int32_t (*body_pause)(const struct hostd_host *, hostd_req, int32_t on);

	/*
	 * The whole answer at once; everything is copied.  status 200-599.
	 * 400 and above with an empty body, no Content-Type and at most 16
	 * headers gets the operator's error page for that status, or a small
	 * one that has the X-Request-ID of the headers.
	 * OK, or E_INVAL, E_STATE when an answer was begun.
	 */
	int32_t (*respond)(const struct hostd_host *, hostd_req, int32_t status,
	    const hostd_hdr *hdrs, uint32_t nhdrs, hostd_buf body);

	/*
	 * A streamed answer: begin, any number of sends, finish.  length is
	 * the body's size in bytes, or -1 when it is not known.
	 * Errors: E_INVAL, E_STATE when an answer was begun.
	 */
	int32_t (*begin)(const struct hostd_host *, hostd_req, int32_t status,
	    const hostd_hdr *hdrs, uint32_t nhdrs, int64_t length);

	/*
	 * Send body bytes; they are copied.
	 *   OK      taken
	 *   AGAIN   taken, but above high water: wait for on_writable
	 *   E_FULL  not taken: far above high water; wait for on_writable
	 *   E_INVAL more than the length promised to begin; the connection
	 *           will be cut
	 *   E_STATE before begin or after finish
	 */
	int32_t (*write)(const struct hostd_host *, hostd_req, hostd_buf);

	/*
	 * The same without a copy.  The bytes stay untouched until
	 * release(inst, arg), called exactly once, later, whether they were
	 * sent or not - unless this call returned a negative code.  release is
	 * not optional.  Codes as for write.
	 */
	int32_t (*write_ref)(const struct hostd_host *, hostd_req, hostd_buf,
	    void (*release)(struct hostd_inst *, void *arg), void *arg);

	/*
	 * Send len bytes of file fd from offset off, by sendfile(2).  fd must
	 * stay open and unchanged until release.  If the file turns out
	 * shorter, or was overwritten meanwhile, the connection is cut, since
	 * the bytes were promised; a file may grow.
	 * AGAIN is the usual answer; the whole range is taken.  release is not
	 * optional.  Codes as for write.
	 */
	int32_t (*write_file)(const struct hostd_host *, hostd_req, int32_t fd,
	    uint64_t off, uint64_t len,
	    void (*release)(struct hostd_inst *, void *arg), void *arg);

	/*
	 * The answer is complete.  E_INVAL when fewer bytes were sent than
	 * promised: the connection is cut.
	 */
	int32_t (*finish)(const struct hostd_host *, hostd_req);

	/* Give up: the connection is cut in this turn of the loop; on_end
	 * follows with HOSTD_END_ERROR. */
	int32_t (*abort)(const struct hostd_host *, hostd_req);

	/*
	 * An interim response (RFC 9110 section 15.2), before the answer is
	 * begun: status 102-199.  HTTP/1.0 clients get none of it.  Since minor
	 * 2.
	 * Errors: E_INVAL, E_STATE when an answer was begun, E_FULL when the
	 * client takes nothing: it is dropped.
	 */
	int32_t (*inform)(const struct hostd_host *, hostd_req, int32_t status,
	    const hostd_hdr *hdrs, uint32_t nhdrs);

	/*
	 * As finish, with trailers (RFC 9110 section 6.5): they are sent when
	 * the answer is chunked, else dropped.  Headers that frame or route a
	 * message are E_INVAL, and nothing was finished.  Since minor 2.
	 */
	int32_t (*finish_trailers)(const struct hostd_host *, hostd_req,
	    const hostd_hdr *hdrs, uint32_t nhdrs);

	/*
	 * Trailers of the request's body, complete in on_body with fin: [call].
	 * *n is 0 when there are none.  Since minor 2.
	 * Errors: E_STATE when the body is not complete.
	 */
	int32_t (*trailers)(const struct hostd_host *, hostd_req,
	    const hostd_hdr **out, uint32_t *n);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_HTTP_H */
