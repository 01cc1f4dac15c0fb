/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream of HTTP/2 that is ours, with a request that a worker of another pool
 * answers: what the client says goes there by a socket, to http2/guest.c, and
 * what comes from there to the client.  Each side is read only as fast as the
 * other takes it.
 */
#ifndef HTTP2_AWAY_H
#define HTTP2_AWAY_H

#include "http/server.h"
#include "http2/parcel.h"
#include "net/stream.h"
#include "net/wheel.h"

struct conf_pool;
struct http2_server;

struct h2_away {
	struct http_upgrade upgrade;	/* first */
	struct stream client;		/* has the stream's layer */
	struct stream sock;
	struct http2_server *server;
	struct h2_away *next_closed;
	struct http_framed *framed;	/* the stream's */
	struct parcels in;
	struct wheel_timer timer;	/* the client takes nothing */
	const struct conf_pool *home, *to;
	uint64_t send_ms;
	uint64_t seen_sent;		/* client.sent when it was set */
	int fd;				/* sock's, until it is open */
	uint8_t begun;			/* the answer's head has come */
	uint8_t ended;			/* its end has */
	uint8_t said_end;		/* the request's was passed on */
	uint8_t said_fin;
	uint8_t lost;			/* the socket has ended */
	uint8_t closed;
	uint8_t shed;
	uint8_t peer_len;
	char peer[46];
};

/* See http2_hooks. */
struct http_upgrade *h2_away_new(struct http2_hooks *, struct http_conn *,
	    int *fd);
/* The memory of those that are over. */
void	h2_aways_free(struct http2_server *);

#endif
