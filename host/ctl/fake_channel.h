/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two halves of hostd.channel/1 of the fake host share. */
#ifndef CTL_FAKE_CHANNEL_H
#define CTL_FAKE_CHANNEL_H

#include <hostd/channel.h>

#include "ctl/fake.h"

/* What will be told to a subscription, or was said and is kept. */
struct fake_said {
	TAILQ_ENTRY(fake_said) entry;
	uint64_t sub, seq, time;
	uint32_t type, flags;
	hostd_buf channel, msg;		/* in bytes */
	char bytes[];
};
TAILQ_HEAD(fake_said_list, fake_said);

#define FAKE_NODE 0x66616b65u		/* who says it */

/* -- fake_channel.c -- */

/* Into zeroed memory of that size. */
size_t	fake_said_size(hostd_buf channel, hostd_buf msg);
void	fake_said_fill(struct fake_said *, hostd_buf channel, hostd_buf msg,
	    uint32_t flags);
/* As an event, lent to the callback that runs. */
const struct hostd_channel_event *fake_said_lend(const struct fake_said *);
/* At the start of a function: whose host is it, and rc of the name. */
struct fake *fake_channel_called(const struct hostd_host *, hostd_buf name,
	    const char *function, int32_t *rc);

/* -- fake_ask.c -- */

/* It was said: somebody may want it kept. */
void	fake_ask_note(hostd_buf channel, hostd_buf msg, uint32_t flags);
/* Answers that are due. */
unsigned fake_ask_turn(void);
/* The instance ends: so do its wishes, and its questions are answered. */
void	fake_ask_end(struct fake *);

int32_t	fake_count_here(const struct hostd_host *, hostd_buf, uint32_t *);
int32_t	fake_count(const struct hostd_host *, hostd_buf,
	    void (*)(struct hostd_inst *, void *, int32_t, uint64_t), void *);
int32_t	fake_list(const struct hostd_host *, hostd_buf,
	    void (*)(struct hostd_inst *, void *, int32_t, const hostd_buf *,
	    uint32_t), void *);
int32_t	fake_replay(const struct hostd_host *, hostd_buf, uint64_t node,
	    uint64_t seq, void (*)(struct hostd_inst *, void *, int32_t,
	    const struct hostd_channel_event *), void *);
int32_t	fake_largest(const struct hostd_host *, uint32_t max,
	    void (*)(struct hostd_inst *, void *, int32_t,
	    const hostd_channel_size *, uint32_t), void *);
int32_t	fake_keep(const struct hostd_host *, hostd_buf, uint32_t max,
	    uint32_t max_age_ms);

#endif
