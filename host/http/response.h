/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answer of one request: framing and serialisation.  Queues bytes on the
 * connection's stream, calls nobody back.  Codes are those of <hostd/abi.h>,
 * semantics those of struct hostd_http_api in <hostd/http.h>.
 */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include <stdint.h>
#include "http/request.h"

typedef void (*response_release)(void *owner, void *arg);

int32_t	response_whole(struct http_req *, int status, const hostd_hdr *,
	    uint32_t nhdrs, hostd_buf body);
int32_t	response_begin(struct http_req *, int status, const hostd_hdr *,
	    uint32_t nhdrs, int64_t length);
int32_t	response_write(struct http_req *, hostd_buf);
int32_t	response_write_ref(struct http_req *, hostd_buf, response_release,
	    void *owner, void *arg);
int32_t	response_write_file(struct http_req *, int fd, uint64_t off,
	    uint64_t len, response_release, void *owner, void *arg);
int32_t	response_finish(struct http_req *);
int32_t	response_finish_trailers(struct http_req *, const hostd_hdr *,
	    uint32_t n);
/* 102-199, before the answer. */
int32_t	response_inform(struct http_req *, int status, const hostd_hdr *,
	    uint32_t n);

/*
 * 101: the connection is the other protocol's from here on.  headers as for a
 * whole answer; E_STATE when an answer was begun.
 */
int32_t	response_upgrade(struct http_req *, const char *protocol,
	    const hostd_hdr *, uint32_t nhdrs, struct http_upgrade *);

/* An error status with the operator's page for it, or a small one. */
#define RESPONSE_PAGE_HEADERS 16
int32_t	response_page(struct http_req *, int status, const hostd_hdr *,
	    uint32_t nhdrs);

/*
 * Nothing of r's answer is sent, whatever is queued of it, until it is
 * released, as often as it was held, or taken back; for errands, when its head
 * is to be queued.
 */
void	response_hold(struct http_req *);
void	response_let_go(struct http_req *);
/* What was held is dropped, the handler's part ends, and the client gets the
 * host's answer. */
void	response_take_back(struct http_req *, int status);
/* What was held is dropped, as r ends. */
void	response_drop(struct http_req *);

/* The host's own answer; extra is one more header; NULL: none. */
void	response_error(struct http_req *, int status, const hostd_hdr *extra);
/* "HTTP/1.1 100 Continue" */
void	response_continue(struct http_req *);

/* Of answers with that status. */
static inline int
has_no_body(int status)
{
	return status < 200 || status == 204 || status == 205 ||
	    status == 304;
}

/* "Not Found" for 404. */
const char *status_reason(int status);

#endif
