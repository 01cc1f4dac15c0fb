/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A command of a plugin that workers are asked for: who is asked, what has
 * come of it, and until when it is waited for.  What that means is its owner's
 * business.
 *
 * Whoever answers is plugin code, or was: what comes is bounded, and believed
 * in nothing but what is shown to people.
 */
#ifndef MASTER_CALL_H
#define MASTER_CALL_H

#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>
#include "base/buf.h"
#include "master/child.h"

#define CALL_RESULT_MAX	(1024 * 1024)	/* bytes, of all workers' */
#define CALL_TEXT_MAX	4096		/* of a failure; may be said anyway */

struct call;
struct master;

enum part_state {
	PART_WAITING,
	PART_HERE,		/* it could be run there */
	PART_ABSENT,
	PART_REFUSED,		/* text says why */
	PART_DONE,		/* status, and text, say how */
	PART_GONE,		/* has ended */
	PART_LATE,		/* has not answered */
	PART_DEAF,		/* does not read what it is told */
	PART_OLDER,		/* knows no calls */
	PART_BAD		/* answers nonsense */
};

/* One worker that is asked. */
struct call_part {
	TAILQ_ENTRY(call_part) link;
	struct child *child;		/* NULL: it has ended */
	const char *pool;
	char worker[96];
	pid_t pid;
	uint32_t id;			/* of the last message to it */
	enum part_state state;
	int32_t status;
	uint32_t flags;			/* HOSTD_CMD_* */
	struct buf text;
};

TAILQ_HEAD(call_parts, call_part);

struct call {
	TAILQ_ENTRY(call) link;
	struct master *m;
	struct call_parts parts;
	uv_timer_t timer;
	size_t max;			/* bytes of one part's result */
	void *owner;
	/* No part is waiting any more: what next?  Also after each answer
	 * while `early` is set. */
	void (*step)(struct call *);
	int early;
};

struct calls {
	TAILQ_HEAD(, call) list;
	uint32_t last;			/* id of a message */
};

/* A master that follows another one must not take its answers for its own. */
void	calls_init(struct master *);

/* For struct children. */
void	calls_heard(struct child *, const struct chan_msg *);
void	calls_left(struct child *);

struct call *call_new(struct master *, void *owner,
	    void (*step)(struct call *));
void	call_free(struct call *);
/* A worker to be asked; ask begins with call_ask. */
struct call_part *call_add(struct call *, struct child *, const char *pool);
void	call_drop(struct call *, struct call_part *);
/* rest: what is packed behind struct chan_call.  Asks all that have not been
 * asked or are HERE, and waits for ms.  step comes later, and at once when
 * nobody could be asked. */
void	call_ask(struct call *, uint32_t what, uint32_t nargs,
	    const struct buf *rest, uint32_t limit_ms, uint64_t ms);
int	call_is_waiting(const struct call *);

#endif
