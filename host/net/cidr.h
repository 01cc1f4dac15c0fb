/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Networks as people write them: "192.0.2.0/24", "2001:db8::/32", one address
 * without a length, "unix" for the peers of unix sockets.
 */
#ifndef NET_CIDR_H
#define NET_CIDR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct cidr {
	uint8_t family;		/* AF_INET, AF_INET6, AF_UNIX */
	uint8_t bits;
	uint8_t net[16];	/* zero behind bits */
};

struct cidrs {
	struct cidr *v;
	size_t n;
};

/* 0, or -1 with a reason in *why (a constant text). */
int	cidr_parse(const char *, struct cidr *, const char **why);
/* Is the address in any of them?  An IPv4 address that is mapped into IPv6 is
 * the IPv4 one. */
int	cidrs_have(const struct cidrs *, const struct sockaddr *);

#endif
