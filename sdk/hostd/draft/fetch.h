/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DRAFT: may change until it leaves hostd/draft/.
 *
 * hostd.fetch/1: an HTTP client (RFC 9110, RFC 9112) over pooled keep-alive
 * connections.  Redirects are not followed.
 *
 * One exchange: on_response, on_body until fin, on_end exactly once.
 */
#ifndef HOSTD_DRAFT_FETCH_H
#define HOSTD_DRAFT_FETCH_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_FETCH "hostd.fetch/1"

typedef struct {
	uint64_t id;
} hostd_fetch;

/* Flags of hostd_fetch_request. */
#define HOSTD_FETCH_BUFFER	0x1u	/* one on_body with the whole body */
#define HOSTD_FETCH_TLS_UNCHECKED 0x2u	/* do not check the certificate */

/* What to ask.  Everything is copied. */
struct hostd_fetch_request {
	uint32_t struct_size;
	uint32_t flags;			/* HOSTD_FETCH_* */
	const char *method;		/* NULL: GET */
	const char *url;		/* http, https, or unix:/path:/target */
	const char *upstream;		/* a group's name: its servers are used
					   instead of the url's authority; NULL:
					   none */
	const hostd_hdr *headers;	/* checked as in hostd.http/1 */
	uint32_t nheaders;
	uint32_t timeout_ms;		/* for all of it; 0: 30000 */
	uint32_t connect_timeout_ms;	/* 0: 5000 */
	uint32_t reserved;
	uint64_t max_body;		/* bytes of the answer; 0: 16 MiB with
					   HOSTD_FETCH_BUFFER, else no limit */
	int64_t length;			/* of the request's body; 0: body's n;
					   -1: not known, chunked */
	hostd_buf body;			/* the body, or its begin: the rest is
					   sent by write */
};

/* [call] */
struct hostd_fetch_response {
	uint32_t struct_size;
	int32_t status;
	const hostd_hdr *headers;	/* in order of arrival */
	uint32_t nheaders;
	uint32_t reserved;
	int64_t content_length;		/* -1: not known */
};

/* An exchange's callbacks, [instance] or static.  All [loop]. */
struct hostd_fetch_ops {
	uint32_t struct_size;
	uint32_t reserved;

	/* Optional.  The final response's head; 1xx are not shown. */
	void (*on_response)(struct hostd_inst *, hostd_fetch, void *arg,
	    const struct hostd_fetch_response *);
	/* Optional.  fin is 1 with the last part, which may be empty. */
	void (*on_body)(struct hostd_inst *, hostd_fetch, void *arg,
	    hostd_buf part, int32_t fin);
	/* Optional.  Room for more of the request's body. */
	void (*on_writable)(struct hostd_inst *, hostd_fetch, void *arg);
	/*
	 * Exactly once.  The handle is stale when it returns.  status: OK (the
	 * whole answer came); E_TIMEOUT; E_IO (connect, reset, cut short, not
	 * HTTP); E_FULL (max_body); E_GONE (cancelled); text says more.
	 */
	void (*on_end)(struct hostd_inst *, hostd_fetch, void *arg,
	    int32_t status, hostd_buf text);
};

/*
 * The host's table.  All [loop].  Every function answers E_GONE for a stale
 * handle or another instance's, E_THREAD off the loop.
 */
struct hostd_fetch_api {
	uint32_t struct_size;
	uint32_t reserved;

	/* Errors: E_INVAL, E_FULL (the instance's limit of exchanges). */
	int32_t (*start)(const struct hostd_host *,
	    const struct hostd_fetch_request *, const struct hostd_fetch_ops *,
	    void *arg, hostd_fetch *out);
	/* More of the request's body: OK, AGAIN, E_FULL, E_INVAL, E_STATE as
	 * write of hostd.http/1. */
	int32_t (*write)(const struct hostd_host *, hostd_fetch, hostd_buf);
	/* The request's body is complete.  E_INVAL: shorter than promised. */
	int32_t (*finish)(const struct hostd_host *, hostd_fetch);
	/* on 1: stop reading the answer; 0: go on. */
	int32_t (*body_pause)(const struct hostd_host *, hostd_fetch,
	    int32_t on);
	/* on_end follows with HOSTD_E_GONE. */
	int32_t (*cancel)(const struct hostd_host *, hostd_fetch);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_DRAFT_FETCH_H */
