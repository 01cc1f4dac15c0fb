/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One coarse timing wheel for all connection timeouts of a worker.
 *
 * Moving a deadline further away is one store: the timer stays in its slot,
 * and when the slot comes up it is put where it belongs by then.
 */
#ifndef NET_WHEEL_H
#define NET_WHEEL_H

#include <stdint.h>
#include <sys/queue.h>

#define WHEEL_TICK_MS	32
#define WHEEL_SLOTS	1024

struct wheel_timer {
	TAILQ_ENTRY(wheel_timer) link;
	uint64_t deadline;	/* ms; 0: not set */
	uint64_t tick;		/* where it is linked; 0: nowhere */
	void (*fire)(struct wheel_timer *);
};

struct wheel {
	TAILQ_HEAD(wheel_slot, wheel_timer) slots[WHEEL_SLOTS];
	uint64_t tick;		/* all slots up to here have been visited */
	uint64_t next;		/* no timer is linked before; UINT64_MAX:
				   none */
};

void	wheel_init(struct wheel *, uint64_t now_ms);
/* deadline: absolute ms.  Fires at it or up to a tick later. */
void	wheel_place(struct wheel *, struct wheel_timer *);
void	wheel_remove(struct wheel *, struct wheel_timer *);
void	wheel_advance(struct wheel *, uint64_t now_ms);
/* ms until wheel_advance has something to do; -1: never. */
int	wheel_timeout(const struct wheel *, uint64_t now_ms);

static inline void
wheel_set(struct wheel *w, struct wheel_timer *t, uint64_t deadline)
{
	t->deadline = deadline;
	if (t->tick == 0 || deadline < t->tick * WHEEL_TICK_MS)
		wheel_place(w, t);
}

/* It stays linked and is dropped when its slot comes up. */
static inline void
wheel_clear(struct wheel_timer *t)
{
	t->deadline = 0;
}

#endif
