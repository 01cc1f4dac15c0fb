/* SPDX-License-Identifier: BSD-2-Clause */
/* One instance, and what its files share; all [loop] but where they say. */
#ifndef SESSION_LMDB_STORE_H
#define SESSION_LMDB_STORE_H

#include <hostd/easy.h>
#include <hostd/metrics.h>
#include <hostd/timer.h>
#include <hostd/work.h>
#include "change.h"

/* A question that came when the environment had to be mapped anew. */
struct waiting {
	STAILQ_ENTRY(waiting) link;
	hostd_op op;
	size_t nkey;
	char key[];
};

/* Changes on their way. */
struct queue {
	struct changes waiting;
	size_t bytes;			/* of those that wait */
	struct changes under_way;	/* the thread's, while busy */
	int busy;
	struct outcome outcome;		/* the same */
};

/* One line now and then, not one for each failure. */
struct trouble {
	uint64_t last_ms;
	uint64_t untold;
};

/* The end of the session that was asked for last: a touch is mostly of that. */
struct last {
	size_t nkey;			/* 0: none */
	uint64_t expires_ms;
	char key[HOSTD_STORE_KEY_MAX];
};

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_metrics_api *metrics;	/* or NULL */
	const struct hostd_timer_api *timer;
	const struct hostd_work_api *work;
	struct env env;
	int evict;			/* when it is full; else refuse */
	uint64_t sweep_ms;
	struct queue queue;
	STAILQ_HEAD(, waiting) waiting;
	struct last last;
	int sweeping;			/* a SWEEP is in the queue */
	int unflushed;			/* of ENV_SYNC_OFF */
	struct trouble failing, evicting;
	uint32_t sessions_gauge, bytes_gauge;	/* 0 without metrics */
	uint32_t expired_counter, evicted_counter;
};

/* -- queue.c -- */
/* Takes it; it is answered later.  Returns HOSTD_DEFER, or an error, and then
 * it is gone. */
int32_t	queue_put(struct hostd_inst *, struct change *);
void	queue_free(struct hostd_inst *);

/* -- read.c -- */
int32_t	read_get(struct hostd_inst *, hostd_buf key, hostd_op);
/* When its time is over as far as is known; 0: there is none.  Or an error. */
int32_t	read_expires(struct hostd_inst *, hostd_buf key, uint64_t *ms);
/* The loop's transaction, with what to do about a new size done.  0, or an
 * error; HOSTD_AGAIN: after the batch that is under way. */
int32_t	read_begin(struct hostd_inst *);
/* Nothing is under way: those that had to wait. */
void	read_waiting(struct hostd_inst *);

/* -- sweep.c -- */
int32_t	sweep_start(struct hostd_inst *);
/* What has expired; op.id not 0: it is answered with how many there were, with
 * those before. */
int32_t	sweep_ask(struct hostd_inst *, hostd_op, uint64_t before);
void	sweep_metrics(struct hostd_inst *, const struct outcome *);
int32_t	sweep_define_metrics(struct hostd_inst *, struct hostd_err *);

/* -- command.c -- */
extern const struct hostd_cmd *const command_rows[];

/* -- trouble.c -- */
void	trouble_say(struct hostd_inst *, struct trouble *, int32_t level,
	    const char *what, const char *why);

#endif
