/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection to a server.  A name is looked up on a thread of the pool;
 * addresses ("192.0.2.1", "2001:db8::1") and paths of unix sockets
 * ("/run/x.sock") are not.  All addresses are tried in the spirit of RFC 8305:
 * families in turn, the next one after CONNECT_NEXT_MS or as soon as one has
 * failed.  The first that connects wins, the others are closed.
 *
 * A struct connect is zeroed before its first use.  Like the descriptors in it,
 * it must outlive the turn of the loop in which it was cancelled or done was
 * called.
 */
#ifndef NET_CONNECT_H
#define NET_CONNECT_H

#include <stddef.h>
#include <stdint.h>
#include "net/addr.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/wheel.h"

#define CONNECT_NEXT_MS	250
#define CONNECT_TRIES	16	/* addresses of a name; more are left out */

struct addrinfo;
struct connect;
struct connect_lookup;
struct tls_client;

/* Where to; host is copied. */
struct connect_to {
	const char *host;
	uint16_t port;		/* not for paths */
	uint8_t delay;		/* leave Nagle's algorithm on */
	uint32_t timeout_ms;	/* for all of it */
	struct tls_client *tls;	/* TLS is spoken; NULL: it is not */
	const char *tls_name;	/* who has to be there; copied */
};

struct connect_try {
	struct loop_fd io;	/* first */
	struct connect *c;
};

struct connect {
	/* The owner's, set before connect_start. */
	struct stream_io *sio;
	struct stream *stream;		/* to be opened */
	const struct stream_ops *ops;	/* with these */
	/*
	 * Once, from the loop, never from within connect_start.  error 0: the
	 * stream is open; else an errno (ETIMEDOUT when time ran out), and text
	 * says what failed, where, and why.
	 */
	void (*done)(struct connect *, int error, const char *text);

	char *host;			/* NULL: not under way */
	struct addr *addrs;
	struct tls_client *tls;
	char *tls_name;
	struct connect_try *won;	/* whose stream secure is */
	struct stream secure;		/* until the handshake has ended */
	struct connect_lookup *lookup;
	struct wheel_timer limit, next;
	struct loop_task begin;
	uint32_t timeout_ms;
	uint16_t port;
	uint8_t delay;
	uint8_t named;			/* host was looked up */
	uint8_t securing;		/* secure is open */
	uint8_t naddrs, ntried, nopen;
	int error;			/* the last one */
	char why[512];			/* what was tried, and how it failed */
	struct connect_try tries[CONNECT_TRIES];
};

void	connect_start(struct connect *, const struct connect_to *);
/* The same with addresses that are known, at most CONNECT_TRIES of them; host
 * is for messages, or NULL. */
void	connect_start_at(struct connect *, const struct connect_to *,
	    const struct addr *, size_t n);
/* done is not called any more.  Harmless when it was. */
void	connect_cancel(struct connect *);

/* Does that errno say more of us than of whom we wanted to connect to: that
 * there are no more descriptors, ports, or memory? */
int	connect_is_ours(int error);

/* Host and port as the address of a peer: 0; -1: it is a name (errno 0) or the
 * path is too long for a socket (ENAMETOOLONG). */
int	connect_literal(const char *host, uint16_t port, struct addr *);
/* What the resolver found, in its order (RFC 6724), but families in turn.
 * Returns how many. */
size_t	connect_order(struct addr *out, size_t max, const struct addrinfo *,
	    uint16_t port);

#endif
