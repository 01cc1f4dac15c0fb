/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client may do that costs us more than it costs itself, and brings
 * nobody anything: resets, pings, settings, empty frames.  A budget that what
 * is useful fills again, and time does.
 */
#ifndef HTTP2_BUDGET_H
#define HTTP2_BUDGET_H

#include <stdint.h>

#define BUDGET_MOST	1000
#define BUDGET_SECOND	200	/* so much comes back */

#define COST_RESET	5	/* of a stream, by the client or its fault */
#define COST_SETTINGS	5
#define COST_PING	2
#define COST_EMPTY	2	/* a frame with nothing in it */
#define COST_OTHER	1	/* WINDOW_UPDATE, PRIORITY, unknown ones */
#define COST_DRIBBLE	6	/* a window of a few bytes, for more */
#define DRIBBLE		256	/* so few */
#define WORTH_FRAME	4	/* of a body, sent; received: at most */
#define WORTH_BYTES	1024	/* received, that are worth 1 */
#define WORTH_ANSWER	2

struct budget {
	int64_t left;
	uint64_t ms;		/* when it was filled by time */
};

static inline void
budget_earn(struct budget *b, int64_t n)
{
	b->left = b->left + n > BUDGET_MOST ? BUDGET_MOST : b->left + n;
}

static inline void
budget_init(struct budget *b, uint64_t now_ms)
{
	b->left = BUDGET_MOST;
	b->ms = now_ms;
}

/* 0, or -1: it is used up. */
static inline int
budget_spend(struct budget *b, int64_t n, uint64_t now_ms)
{
	uint64_t back = (now_ms - b->ms) * BUDGET_SECOND / 1000;

	if (back > 0) {
		budget_earn(b, back > BUDGET_MOST ? BUDGET_MOST :
		    (int64_t)back);
		b->ms = now_ms;
	}
	b->left -= n;
	return b->left < 0 ? -1 : 0;
}

#endif
