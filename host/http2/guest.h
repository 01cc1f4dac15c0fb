/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream of HTTP/2 that another worker has, with a request that is ours to
 * answer: the layer of the http_conn, or whatever that becomes, is a socket to
 * that worker, where http2/away.c passes on what is said.
 */
#ifndef HTTP2_GUEST_H
#define HTTP2_GUEST_H

#include <sys/queue.h>
#include "http/framed.h"
#include "http/server.h"
#include "http2/parcel.h"
#include "net/stream.h"

struct http2_server;
struct tls_info;

struct h2_guest {
	struct stream_layer layer;	/* first */
	struct stream sock;
	struct stream *owner;		/* NULL: it is over */
	struct http2_server *server;
	struct h2_guest *next_closed;
	struct http_framed framed;
	struct tls_info *tls;		/* of its client; NULL: none */
	struct parcels in;
	uint64_t taken;			/* of owner's output, as it counts */
	uint8_t ended;			/* the client says no more */
	uint8_t moved;			/* its owner is no http_conn any more */
};

/* What the record of one begins with. */
void	h2_guest_pack(const struct http_conn *, struct buf *);
/* See http2_hooks. */
int	h2_guest_take(struct http2_hooks *, int fd, hostd_buf record);
/* The memory of those that are over. */
void	h2_guests_free(struct http2_server *);

#endif
