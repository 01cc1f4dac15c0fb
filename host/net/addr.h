/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Socket addresses as people write them:
 *
 *	"0.0.0.0:8080", "[::]:8080", "*:8080", "8080", "unix:/run/x.sock"
 */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <stddef.h>
#include <sys/socket.h>

#define ADDR_TEXT_MAX 128

struct addr {
	struct sockaddr_storage ss;
	socklen_t len;
};

/* 0, or -1 with a reason in *why (a constant text). */
int	addr_parse(const char *, struct addr *, const char **why);
int	addr_is_unix(const struct addr *);
/* Do connections to local come to a socket that listens at at? */
int	addr_covers(const struct sockaddr_storage *at,
	    const struct sockaddr_storage *local);
/* Without the port: "192.0.2.1", "2001:db8::1", "unix". */
const char *addr_host(const struct sockaddr *, char *buf, size_t);
/* With it: "192.0.2.1:80", "[2001:db8::1]:80", "unix:/path". */
const char *addr_format(const struct addr *, char *buf, size_t);

#endif
