/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pool is a named set of slots; a slot is the place of one worker.  It owns
 * the worker's listening sockets and keeps them while workers come and go.
 *
 * In a slot there is at most one current worker and, while it is being
 * replaced, one that is to be next.  Those before are old: they drain.
 *
 * What is in these structs goes on over an upgrade of the master, except for
 * what only a rollout under way needs: slot_save.c.
 */
#ifndef MASTER_SLOT_H
#define MASTER_SLOT_H

#include <stdint.h>
#include <sys/queue.h>
#include <time.h>
#include <uv.h>
#include "master/child.h"
#include "master/generation.h"
#include "master/succession.h"
#include "net/listener.h"

#define POOL_PLACES 256	/* for workers: numbers 0 to 255 */

struct slot;
struct pools;

struct worker {
	TAILQ_ENTRY(worker) link;	/* of slot->old */
	struct slot *slot;
	struct child *child;
	struct generation *gen;
};

TAILQ_HEAD(workers, worker);

struct slot_socket {
	TAILQ_ENTRY(slot_socket) link;
	struct listener *listener;
	uint32_t origin;	/* the slot it was made for */
};

struct slot {
	TAILQ_ENTRY(slot) link;
	struct pool *pool;
	uint32_t index;
	struct generation *gen;		/* what a crashed worker is replaced
					   from; NULL: none yet */
	struct generation *staged;	/* about to be rolled out */
	struct worker *current, *next;
	struct worker *borrower;	/* of another slot: accepts for us while
					   we have no worker */
	struct worker *yielding;	/* told to drain, may still accept */
	struct workers old;
	TAILQ_HEAD(, slot_socket) sockets;
	uint32_t restarts;
	uint64_t backoff;		/* ms before the next restart */
	uint64_t respawn_at;		/* uv_now; 0: not waiting */
	int crashes;			/* in a row, none up for min_uptime */
	int errored;			/* more of them than max_restarts */
	char cause[256];		/* of the last one */
	int memory_over;		/* looks at it above max_memory */
	uint64_t memory_next;		/* uv_now: no sooner replaced for it */
	uint64_t memory_wait;
	uv_timer_t respawn, yield;
	struct succession succession;
	int handles;			/* not yet closed */
	uint64_t replace_at, ready_at;	/* uv_now: the last replacement */
	struct {
		pid_t pid;		/* 0: there was none */
		uint64_t connections;	/* that it had open then */
	} before;			/* who was replaced */
	int stale;			/* to be replaced by the rollout */
	int fresh;			/* made by the rollout */
	int unwanted;			/* to be retired when it succeeds */
	int canary;			/* to be replaced first, and judged */
	int retiring;			/* to go when its workers have gone */
};

struct pool {
	TAILQ_ENTRY(pool) link;
	struct pools *all;
	char *name;
	int configured, target;		/* workers */
	int next_configured, next_target;
	int before;			/* workers to come back when started */
	int stopped;			/* by hand: stays so over reloads */
	int deleted;			/* by hand: until the next reload */
	uint8_t drained[POOL_PLACES / 8]; /* places that were drained: bits */
	time_t due;			/* by restart_at; -1: never */
	uint32_t due_in;		/* that generation; 0: not known */
	int crashes;			/* of the generation that serves, or
					   is about to */
	TAILQ_HEAD(slots, slot) slots;	/* by index */
};

struct pools_ops {
	/* slot->next was ready and is now current; the one before accepts no
	 * more. */
	void (*ready)(struct pools *, struct slot *);
	/* slot->next has failed; the current one, if any, goes on. */
	void (*failed)(struct pools *, struct slot *, const char *cause);
	/* A worker that served, or was to, has ended by itself; it will be
	 * replaced from slot->gen. */
	void (*crashed)(struct pools *, struct slot *, const char *cause);
	/* A worker has ended: its generation may be unused now. */
	void (*ended)(struct pools *);
};

struct pools {
	TAILQ_HEAD(, pool) list;
	struct children *children;
	const struct pools_ops *ops;
	int stopping;			/* nothing is restarted any more */
};

/* ---- pool.c ---- */

void	pools_init(struct pools *, struct children *,
	    const struct pools_ops *);
struct pool *pools_get(struct pools *, const char *name, int create);
/* Unless there is something to remember, or it has slots. */
void	pool_forget(struct pool *);
/* Nobody will start them any more. */
void	pools_forget_stopped(struct pools *);
struct slot *pool_slot(struct pool *, uint32_t index);
/* Places that are free because their workers were drained. */
void	pool_set_drained(struct pool *, uint32_t index, int is);
int	pool_is_drained(const struct pool *, uint32_t index);

/* ---- slot.c ---- */

/* No worker yet, no sockets. */
struct slot *slot_new(struct pool *, uint32_t index);
/* Start a worker of gen that will take over. */
void	slot_replace(struct slot *, struct generation *gen);
/* Give up the replacement. */
void	slot_abandon(struct slot *);
/* Whether the worker before accepts any more is of no matter now: pools_ops
 * ready is not called for it. */
void	slot_wait_no_more(struct slot *);
/* Let the workers finish, then remove the slot.  Again, when all is stopping,
 * it makes those hurry that finish already. */
void	slot_retire(struct slot *);
/* Its worker has been up for good: what was before is forgotten. */
void	slot_forgive(struct slot *);
/* End the workers now. */
void	slot_stop(struct slot *);
/* Log files have been reopened. */
void	slot_send_logs(struct slot *);
/* Is no worker about to take over from another? */
int	pools_settled(const struct pools *);

/* ---- slot_save.c ---- */

json_t *pools_save(const struct pools *, struct record *);
/* 0, or -1 with a reason in why. */
int	pools_restore(struct pools *, const json_t *, struct record *,
	    char *why, size_t size);

/* What that uses of slot.c: the worker is not in the slot yet; NULL when there
 * is no such child. */
struct worker *slot_adopt(struct slot *, struct generation *, struct child *);
void	slot_respawn_in(struct slot *, uint64_t ms);

/* ---- lend.c ---- */

/* Have a worker of another slot accept for this one. */
void	slot_lend(struct slot *);
void	slot_take_back(struct slot *);
/* That worker can't any more, for whomever it did. */
void	slots_lend_anew(struct pool *, const struct worker *);
/* There is one that can, for those that found nobody. */
void	slots_lend_waiting(struct pool *);

/* ---- socket.c ---- */

/*
 * Have a socket for each listen block of gen for this pool.  patient: wait a
 * moment for addresses in use, as those of a master that was killed are until
 * its workers have noticed.  Returns the number of errors added.
 */
int	slot_sockets_open(struct slot *, const struct generation *gen,
	    int patient, struct conf_errors *);
/* Start listening and pass them to the worker.  0, or -1 and a reason. */
int	slot_sockets_pass(struct slot *, const struct worker *, char *why,
	    size_t size);
/* Have a worker of another slot accept from them as well, until they are taken
 * back. */
void	slot_sockets_lend(const struct slot *, const struct worker *);
/*
 * A slot that goes leaves its sockets to another one, for a socket that is
 * closed takes those with it who come that very moment.  They are there for the
 * next slot of that number.
 */
void	slot_sockets_bequeath(struct slot *);
/* Close those that are configured no more.  To be called before the workers
 * that use them drain: these close theirs when the queue is empty, and then
 * the address is really free. */
void	slot_sockets_trim(struct slot *);
void	slot_sockets_close(struct slot *);
/* Has it a socket that the staged generation does not want? */
int	slot_lets_go(const struct slot *);

#endif
