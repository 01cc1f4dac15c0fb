/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One stream of HTTP/2: the layer of the http_conn, or whatever that has become
 * (a WebSocket, a tunnel), that has the request on it.
 *
 * It is the session's until that has closed it, and its owner's until that has:
 * when both have, its memory is free.
 */
#ifndef HTTP2_STREAM_H
#define HTTP2_STREAM_H

#include <nghttp2/nghttp2.h>
#include <sys/queue.h>
#include "http/framed.h"
#include "net/stream.h"

struct h2_conn;
struct http2_server;

struct h2_stream {
	struct stream_layer layer;	/* first */
	struct h2_conn *conn;
	struct stream *owner;		/* NULL: nobody */
	struct h2_stream *next_free;
	TAILQ_ENTRY(h2_stream) link;
	TAILQ_ENTRY(h2_stream) ready_link, dirty_link;
	struct http_framed framed;
	struct buf in;			/* of a body, not read */
	size_t in_at;
	uint64_t taken;			/* of owner's output, as it counts */
	uint64_t noted;			/* of these, h2_conn_note has them */
	uint32_t nnotes;
	int32_t id;
	uint8_t has_head;		/* the request's is complete */
	uint8_t ended;			/* the client says no more */
	uint8_t begun;			/* the answer's head is submitted */
	uint8_t waits;			/* the session waits for more of it */
	uint8_t finished;		/* its end is submitted */
	uint8_t closed;			/* by the session */
	uint8_t broken;			/* and not as an answer ends */
	uint8_t moved;			/* its owner is no http_conn any more */
	uint8_t is_ready, is_dirty;
};

struct h2_stream *h2_stream_new(struct h2_conn *, int32_t id);
/* All that are kept for the next. */
void	h2_streams_free(struct http2_server *);
/* The session has closed it. */
void	h2_stream_closed(struct h2_stream *);
/* It shall be told of what has come. */
void	h2_stream_wake(struct h2_stream *);
/* The client says no more, on none. */
void	h2_stream_end(struct h2_stream *);
/* May bytes of its answer still go to a client that opens no window? */
int	h2_stream_goes_on(const struct h2_stream *);
/* Tell it. */
void	h2_stream_tell(struct h2_stream *);
/* Bytes of a body have come. */
void	h2_stream_feed(struct h2_stream *, const void *, size_t n);

/* What nghttp2 asks for when it makes DATA: see
 * nghttp2_data_source_read_callback. */
ssize_t	h2_stream_next(struct h2_stream *, size_t most, uint32_t *flags);
/* The next n bytes to p: 0, or -1: a file has failed. */
int	h2_stream_copy(struct h2_stream *, char *p, size_t n);

#endif
