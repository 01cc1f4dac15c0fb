/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header of the PROXY protocol, versions 1 and 2: what a balancer puts
 * before the bytes of a connection, to say whose they are.
 * https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
 */
#ifndef NET_PROXY_H
#define NET_PROXY_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#define PROXY_MAX	8192	/* bytes of a header that is read */
#define PROXY_MAKE_MAX	108	/* of one that is made */

struct proxy_header {
	/* 0: it says nothing of addresses (LOCAL, UNKNOWN, UNSPEC): the
	 * connection's own hold. */
	int known;
	struct sockaddr_storage from, to;	/* the client; what it asked */
};

/* The header's length; 0: there is more of it to come; -1: it is none, or a bad
 * one, for the reason in *why (a constant text). */
ssize_t	proxy_parse(struct proxy_header *, const void *, size_t n,
	    const char **why);

/* One of that version for a connection that has come from from to to; the
 * version has to be 1 or 2.  Returns its length. */
size_t	proxy_make(int version, const struct sockaddr *from,
	    const struct sockaddr *to, char out[PROXY_MAKE_MAX]);

#endif
