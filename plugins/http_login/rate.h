/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often something failed of late, of as many as there is room for: leaky
 * buckets of a fixed size, for which each tag has a few places.  When all of
 * them are taken, the one that is nearest to empty goes.
 */
#ifndef HTTP_LOGIN_RATE_H
#define HTTP_LOGIN_RATE_H

#include <stdint.h>
#include <hostd/abi.h>

#define RATE_TAG	16
#define RATE_ROWS	1024
#define RATE_WAYS	8

struct rate_tag {
	unsigned char bytes[RATE_TAG];
};

struct rate_place {
	struct rate_tag tag;
	uint64_t empty_us;	/* when the bucket will be */
};

struct rate {
	unsigned char key[32];	/* nobody can choose who shares his places */
	struct rate_place places[RATE_ROWS * RATE_WAYS];
};

/* How large a bucket is: so many drops, which it takes so long to lose. */
struct rate_limit {
	uint64_t drops, ms;	/* drops 0: no limit */
};

/* 0, or -1: no random numbers.  places is zeroed. */
int	rate_init(struct rate *);

/* A name for who that is, the same in all processes.  kind: 'u', 'a'. */
struct rate_tag rate_tag_of(char kind, hostd_buf who);

/* Milliseconds until there is room for a drop; 0: there is. */
uint64_t rate_wait(const struct rate *, struct rate_limit,
	    const struct rate_tag *, uint64_t now_ms);
void	rate_put(struct rate *, struct rate_limit, const struct rate_tag *,
	    uint64_t now_ms);
void	rate_take_back(struct rate *, struct rate_limit,
	    const struct rate_tag *, uint64_t now_ms);

#endif
