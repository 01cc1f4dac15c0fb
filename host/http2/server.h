/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP/2 (RFC 9113) of one worker: what its connections share.  nghttp2 knows
 * frames, HPACK and the states of streams; requests and answers are the HTTP
 * server's, to which each stream is a connection with one request.
 */
#ifndef HTTP2_SERVER_H
#define HTTP2_SERVER_H

#include <nghttp2/nghttp2.h>
#include <sys/queue.h>
#include "http/server.h"

#define H2_OUT	65536		/* frames on their way to a socket */

struct h2_away;
struct h2_conn;
struct h2_guest;
struct h2_stream;

struct http2_server {
	struct http2_hooks hooks;	/* first */
	struct http_server *http;
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *options;
	TAILQ_HEAD(, h2_conn) conns;
	struct h2_conn *closed;		/* until the end of the turn */
	struct h2_away *closed_aways;	/* the same */
	struct h2_guest *closed_guests;
	struct loop_task reap;
	struct h2_stream *free_streams;
	size_t nfree;
	char *out;			/* frames of the connection that has
					   its turn */
	size_t out_len;
	struct buf batch;		/* what goes to another worker */
	nghttp2_nv *nv;			/* of the head that is being sent */
	size_t nv_room;
};

void	http2_server_init(struct http2_server *, struct http_server *);
/* Its connections are closed by then (http_server_close). */
void	http2_server_free(struct http2_server *);

/* frames.c: what nghttp2 tells, and asks for. */
void	http2_callbacks(nghttp2_session_callbacks *);

#endif
