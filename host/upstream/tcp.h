/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections that came to a stream listener: each gets a server of an
 * upstream, and then their bytes go both ways (net/relay.h).
 *
 *	HEADER   waiting for the header of the PROXY protocol
 *	HELLO    waiting for the first message of TLS, which names the upstream
 *	CONNECT  a server was picked, and is being connected to; the next one,
 *	         if that fails
 *	RELAY
 *
 * They count as connections of the worker.  One that is connected keeps little
 * in memory: what is only needed before is in a struct tcp_dial of its own.
 */
#ifndef UPSTREAM_TCP_H
#define UPSTREAM_TCP_H

#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include "base/buf.h"
#include "config/model.h"
#include "http/server.h"
#include "http/tries.h"
#include "net/connect.h"
#include "net/relay.h"
#include "upstream/group.h"

struct tcp_conn;

/* All of one worker. */
struct tcp_server {
	struct http_server *http;	/* its loop, streams' memory, and counts
					   of connections */
	struct upstreams *upstreams;
	TAILQ_HEAD(, tcp_conn) conns;
	size_t nconns;
	TAILQ_HEAD(, tcp_conn) dead;	/* until the end of the turn */
	SLIST_HEAD(, tcp_dial) dials;	/* likewise */
	struct loop_task reap;
	uint64_t told_ms;		/* when one was last turned away, */
	uint64_t untold;		/* and how many more since */
};

/* On its way to a server. */
struct tcp_dial {
	struct stream client;		/* first */
	struct stream server;
	SLIST_ENTRY(tcp_dial) dead;
	struct tcp_conn *conn;
	struct connect connect;
	struct wheel_timer limit;	/* of HEADER and HELLO */
	struct buf in;			/* what the client has said */
	struct sockaddr_storage from, to;	/* whose it is, and where it
						   has asked */
	int wants_header, wants_hello;
	struct up_group *group;
	char why[256];			/* the last server's failure */
	int failed_here;		/* and it was not the server's */
};

struct tcp_conn {
	struct relay relay;		/* first */
	TAILQ_ENTRY(tcp_conn) link;
	struct tcp_server *server;
	const struct conf_listen *listen;
	struct tcp_dial *dial;		/* NULL: connected */
	struct http_lease *leases;
	struct up_peer *peer;		/* picked and not reported; or NULL */
	struct up_search search;
	uint64_t began_ms, picked_ms;
	uint32_t connect_us;
	uint32_t header_out;		/* bytes of ours to the server */
	int status;			/* for the log: nginx's */
	struct http_tries *tries;	/* likewise; NULL: there is none */
	char *sni;			/* the name in its hello; NULL: none */
	char addr[16];			/* the client's, for balancers */
	char client[56];		/* and for people */
};

void	tcp_server_init(struct tcp_server *, struct http_server *,
	    struct upstreams *);
/* Cuts what is open. */
void	tcp_server_close(struct tcp_server *);
/* Take an accepted socket, and its lease, which may be NULL. */
void	tcp_open(struct tcp_server *, const struct conf_listen *, int fd,
	    const struct sockaddr *, struct http_lease *);

/* -- tcp_dial.c and tcp.c, for each other -- */

/* 0, or -1 with errno: fd is still the caller's. */
int	tcp_dial_open(struct tcp_conn *, int fd, const struct sockaddr *);
/* It is counted: get going. */
void	tcp_dial_begin(struct tcp_conn *);
/* It is of no more use; its sockets are closed, or the relay's by now. */
void	tcp_dial_close(struct tcp_conn *);
/* How the server that was picked has done; why and what as group_report. */
void	tcp_report(struct tcp_conn *, int32_t rc, uint32_t why, uint32_t what);
/* From client to server, from now on. */
void	tcp_relay(struct tcp_conn *, const char *first, size_t n);
void	tcp_end(struct tcp_conn *);
/* It is closed for want of a server; it is not said too often. */
void	tcp_turn_away(struct tcp_conn *, int status, const char *why);

#endif
