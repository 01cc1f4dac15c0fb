/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Servers that requests name themselves, in groups whose operator allows that
 * (any_server).  To connections such a one is a peer as any, with the group's
 * settings; but no balancer knows it, no other one is asked in its place, and
 * nothing that it does counts for the group.  It is there as long as anybody
 * holds it: requests, and connections that are kept.
 */
#ifndef UPSTREAM_DIRECT_H
#define UPSTREAM_DIRECT_H

#include <hostd/abi.h>
#include "upstream/group.h"

/* "192.0.2.1:80" or "[2001:db8::1]:80": 0, or -1 with a reason in *why (a
 * constant text). */
int	direct_parse(hostd_buf, struct addr *, const char **why);
/* Held, until group_report or peer_release. */
struct up_peer *direct_take(struct up_group *, const struct addr *);

/* -- group.c's -- */

/* Nobody holds it any more. */
void	direct_free(struct up_peer *);
/* What is kept open to them is closed. */
void	directs_close(struct up_group *);

#endif
