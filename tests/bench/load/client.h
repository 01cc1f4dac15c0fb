/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection: the part before the load, which waits for each answer, and
 * the part during it, which never waits.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include "message.h"
#include "wsload.h"

struct client {
	int fd;
	size_t in;		/* bytes of the message that is coming */
	size_t out;		/* where in the message we are with sending */
	uint64_t owed;		/* bytes to send */
};

/* -- before -- */

/* A connection, or the program ends. */
int	client_connect(const struct options *);
/* The request for an upgrade, as it is sent. */
size_t	client_request(const struct options *, char *to, size_t size);
/* Is this NUL-ended head of an answer the one that we want? */
int	client_is_upgraded(const struct options *, const char *head);

/* Connect and upgrade; with Socket.IO also enter its namespace. */
void	client_open(struct client *, const struct options *);

void	client_send(struct client *, const void *, size_t n);
/* One frame with a payload of less than max bytes, which is NUL-ended; returns
 * its first byte. */
unsigned	client_frame(struct client *, char *payload, size_t max);
/* The answer to m must be m. */
void	client_expect(struct client *, const struct message *);

/* -- during -- */

/* Watch it with an epoll set, edge-triggered, for both directions. */
void	client_watch(struct client *, int ep);
/* Read all that there is: how many times m has now come to its end. */
unsigned	client_read(struct client *, const struct message *);
/* Go on sending what is owed. */
void	client_write(struct client *, const struct message *);

#endif
