/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A group of servers for a balancer of the fake host, and hostd.balancer/1.
 * Servers are numbered from 0; their ids are something else.
 */
#ifndef CTL_FAKE_GROUP_H
#define CTL_FAKE_GROUP_H

#include <hostd/balancer.h>

#include "ctl/fake.h"

#define FAKE_SERVERS 1024u

struct fake_group;

/* For the rest the instance's group is opened without servers. */
struct fake_group *fake_group_open(struct fake *);
/* close, and what was picked is reported before. */
void	fake_group_close(struct fake_group *);

/* Server i, which is there from now on; flags: HOSTD_PEER_*. */
void	fake_group_set(struct fake_group *, unsigned i, uint32_t flags,
	    uint32_t weight, uint32_t share);
void	fake_group_unset(struct fake_group *, unsigned i);
/* Tell the balancer. */
void	fake_group_update(struct fake_group *);

/* A request with cookies (NULL: none), or, with HOSTD_PICK_STREAM, a
 * connection. */
struct fake_search {
	struct fake_group *group;
	char key[HOSTD_BALANCER_ROOM], cookies[1024];
	hostd_buf sticks;
	uint32_t flags, ntried, last;
	uint32_t tried[FAKE_SERVERS];
};

void	fake_search_start(struct fake_search *, struct fake_group *,
	    const char *cookies, uint32_t flags);
/* Pick one; 0: E_FULL, which is judged. */
int	fake_search_pick(struct fake_search *);
/* How it went.  With a status the answer's head comes before, and a cookie is
 * taken into cookies for the next. */
void	fake_search_report(struct fake_search *, int32_t rc, int32_t status);

extern const struct hostd_balancer_api fake_balancer_api;

#endif
