/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.p.state/1 and hostd.p.ws_state/1 of the fake host: one instance saves,
 * another one loads, of the same process.
 */
#ifndef CTL_FAKE_STATE_H
#define CTL_FAKE_STATE_H

#include <hostd/state.h>

#include "ctl/fake_sock.h"

struct fake_state {
	uint32_t version;	/* of whoever has put it */
	char *p;
	size_t n;
};

/* What put takes before it answers code, HOSTD_E_FULL or another. */
struct fake_put {
	size_t max;
	int32_t code;
};
extern const struct fake_put fake_put_all;

/* What save and load return; a state that could not be put as a whole is
 * put's code and no state. */
int32_t	fake_state_save(struct fake *, const struct fake_put *,
	    struct fake_state *);
int32_t	fake_state_load(struct fake *, const struct fake_state *);
void	fake_state_free(struct fake_state *);

/* -- fake_move.c -- */

/* The same of one socket.  A save that returns HOSTD_OK is followed by one of
 * the others. */
int32_t	fake_sock_save(struct fake_sock *, const struct fake_put *,
	    struct fake_state *);
/* The successor never had it. */
void	fake_sock_stay(struct fake_sock *);
/* To an instance that may load it: it is that one's, and the old one is told
 * moved; or NULL and what load returned, and it stays. */
struct fake_sock *fake_sock_move(struct fake_sock *, struct fake *to,
	    const struct fake_state *, int32_t *rc);

/* -- for both -- */

/* put, while one save runs. */
struct fake_putting {
	const struct fake_put *limit;
	struct fake_state *to;
	int full;
};
void	fake_put_begin(struct fake_putting *, const struct fake_put *,
	    struct fake_state *);
/* What the save is worth that has returned rc. */
int32_t	fake_put_end(struct fake_putting *, const char *function, int32_t rc);
int32_t	fake_put(void *arg, hostd_buf part);
/* Lent to the callback that runs, aligned. */
hostd_buf fake_state_lend(const struct fake_state *);

#endif
