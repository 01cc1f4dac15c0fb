/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of servers: memory that the master and all workers of a machine
 * share, beside the board.
 *
 * An entry is one address of one server of one group.  Which entries there are,
 * and what the operator has said of them, only the master writes; workers tell
 * it over their channel what names resolve to.  How a server is doing all
 * workers write, as they find out.  How much each worker has there now is in
 * that worker's own row, which the master folds when the worker has ended: load
 * that was a dead worker's is gone with it.
 *
 * These are two pieces of memory, each with a descriptor of its own: what only
 * the master writes, which workers can't map for writing, so that the master
 * may look at it where it is; and what all write.
 *
 * Entries are told apart by their id.  A worker uses an entry when its own
 * configuration has the server, or when the server was added by hand to a group
 * that its configuration has; so workers of two generations may share the
 * table.
 *
 * Of the second, nothing is trusted: a worker may have gone bad.  There are
 * only numbers in it, and whatever is done with one has to be right for any.
 */
#ifndef UPSTREAM_TABLE_H
#define UPSTREAM_TABLE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include "base/board.h"
#include "net/addr.h"

#define UP_VERSION	1
#define UP_ENTRIES	1024
#define UP_GROUP_MAX	64	/* bytes of a group's name, NUL included */
#define UP_SERVER_MAX	192	/* of a server's, as configured */
#define UP_LEASE_MS	3000	/* of who looks after servers, see up_lead */

/* Flags of an entry. */
#define UP_BACKUP	0x1u	/* only when no other can serve */
#define UP_DOWN		0x2u	/* marked down, by configuration or by hand */
#define UP_DRAINING	0x4u	/* takes only what sticks to it */
#define UP_ADDED	0x8u	/* by hand: no configuration has it */
#define UP_REMOVED	0x10u	/* by hand, though the configuration has it */
#define UP_STALE	0x20u	/* it is going: its name does not lead there any
				   more, or no hand keeps it */
#define UP_GONE		(UP_REMOVED | UP_STALE)	/* not to be used */

struct up_entry {			/* [master] */
	uint32_t id;			/* never given twice; 0: free */
	uint32_t flags;			/* UP_* */
	uint32_t weight;		/* 1-65535 */
	uint32_t max_conns;		/* of the machine; 0: any */
	uint64_t added_ms;		/* unix time */
	char group[UP_GROUP_MAX];
	char server[UP_SERVER_MAX];	/* "app.example.com:3000" */
	struct addr addr;		/* len 0: its name is not known yet */
};

/* Why a server does not serve, or did not. */
enum up_why {
	UP_WHY_NONE,
	UP_WHY_CONNECT,			/* what: errno */
	UP_WHY_IO,			/* reset, or closed early; what:
					   errno */
	UP_WHY_TIMEOUT,			/* what: ms */
	UP_WHY_NOT_HTTP,		/* no answer that can be understood */
	UP_WHY_STATUS,			/* what: the status */
	UP_WHY_BODY,			/* not what the check expects */
	UP_WHY_NAME			/* it can't be resolved; what: status
					   of resolve_text */
};

enum up_checked { UP_UNCHECKED, UP_CHECKED_UP, UP_CHECKED_DOWN };

/* How it is doing, as its workers find out.  Times are loop_clock_ms. */
struct up_health {
	_Alignas(64) _Atomic uint32_t id;	/* whose; else it is stale */
	_Atomic uint32_t fails;		/* since fails_ms */
	_Atomic uint64_t fails_ms;
	_Atomic uint64_t down_until_ms;	/* after too many; 0: never */
	_Atomic uint64_t up_ms;		/* when it came back: slow start */
	_Atomic uint64_t since_ms;	/* the last change between up and
					   down */
	_Atomic uint64_t latency_us;	/* moving average, to headers; 0:
					   none */
	_Atomic uint64_t latency_ms;	/* when the last came */
	_Alignas(64) _Atomic uint32_t checked;	/* enum up_checked */
	_Atomic uint32_t streak;	/* checks that differed from it */
	_Atomic uint32_t why;		/* enum up_why, of the last failure */
	_Atomic uint32_t what;
	_Atomic uint64_t why_ms;	/* unix time of it */
	_Atomic uint64_t checked_ms;	/* unix time of the last check, and */
	_Atomic uint32_t check_why;	/* what it said; UP_WHY_NONE: well */
	_Atomic uint32_t check_what;
};

/* What one worker has there. */
struct up_count {
	_Alignas(64) _Atomic uint32_t inflight;	/* requests, connections */
	_Atomic uint32_t upgraded;	/* of these: tunnels and streams */
	_Atomic uint32_t idle;		/* connections kept open */
	_Atomic uint32_t taking;	/* the last of inflight may have to go
					   again, see up_take */
	_Atomic uint64_t requests;
	_Atomic uint64_t failures;
	_Atomic uint64_t bytes_in, bytes_out;	/* from it, to it */
	_Atomic uint64_t header_us;	/* sum of times to headers */
};

struct up_head {			/* [master] */
	uint64_t magic;
	uint32_t version;		/* UP_VERSION */
	uint32_t layout;		/* sizes of what is here */
	_Atomic uint32_t sequence;	/* odd while the master writes
					   entries */
	_Atomic uint32_t nentries;	/* no used one is behind it */
	_Atomic uint32_t ncells;	/* likewise of rows */
	uint32_t ids;			/* given so far */
};

struct up_live {
	_Atomic uint32_t changes;	/* in entries, or in who is up: look */
	_Atomic uint64_t leader;	/* see up_lead */
	_Atomic uint64_t leader_until_ms;
};

struct up_table {
	/* What only the master writes. */
	struct up_head *head;
	struct up_entry *entries;	/* UP_ENTRIES */
	struct up_count *retired;	/* by entry: of workers that have
					   ended */
	/* What all write. */
	struct up_live *live;
	struct up_health *health;	/* by entry */
	struct up_count *counts;	/* by cell of the board, then by
					   entry */
	size_t size, live_size;
	int fd, live_fd;
	int reader;			/* master: fd for workers, which can't
					   be written through; else -1 */
};

/* Master: make one.  0 or -1 with errno. */
int	up_table_create(struct up_table *);
/* Map the one behind fd and live (which it takes), as a worker does: live only
 * for writing.  0, or -1 with errno (EPROTO: another version's). */
int	up_table_attach(struct up_table *, int fd, int live);
/* And as the master does, which has made it before it was upgraded. */
int	up_table_restore(struct up_table *, int fd, int live);
void	up_table_close(struct up_table *);

/* -- the master's -- */

/* Before a process has that cell: its row counts from now on. */
void	up_table_join(struct up_table *, unsigned cell);
/* Fold the row of a cell whose process has ended; it leads no more. */
void	up_table_retire(struct up_table *, unsigned cell);
/* Around all changes of entries: readers take none or all of them. */
void	up_table_begin(struct up_table *);
void	up_table_end(struct up_table *);
/* A free entry, with an id, zeroed with all that belongs to it; NULL when there
 * is none.  Between begin and end. */
struct up_entry *up_entry_new(struct up_table *);
/* Nobody may have anything there.  Between begin and end. */
void	up_entry_free(struct up_table *, struct up_entry *);

/* -- everybody's -- */

static inline uint32_t
up_changes(const struct up_table *t)
{
	return atomic_load_explicit(&t->live->changes, memory_order_acquire);
}

/* No entry that is used is behind so many; whoever says so, they are no more
 * than there is room for. */
static inline uint32_t
up_entries(const struct up_table *t)
{
	uint32_t n = atomic_load_explicit(&t->head->nentries,
	    memory_order_acquire);

	return n < UP_ENTRIES ? n : UP_ENTRIES;
}

/* Somebody is up or down now: have all look. */
void	up_changed(struct up_table *);
/* Copy entry i out.  0, or -1 when it is free or the master is at it for too
 * long. */
int	up_entry_read(const struct up_table *, unsigned i, struct up_entry *);
/* Sum over all rows: how much all workers have at entry i now. */
uint32_t up_inflight(const struct up_table *, unsigned i);
/*
 * One more of cell at entry i, where all have max at most.  0, or -1: it is
 * full.  Of those who come for the last place at the same time one gets it.
 */
int	up_take(struct up_table *, unsigned cell, unsigned i, uint32_t max);
/* All of it, with what workers had that have ended. */
struct up_sums {
	uint64_t inflight, upgraded, idle;
	uint64_t requests, failures, bytes_in, bytes_out, header_us;
};
void	up_sum(const struct up_table *, unsigned i, struct up_sums *);

static inline struct up_count *
up_count_of(const struct up_table *t, unsigned cell, unsigned i)
{
	return &t->counts[(size_t)cell * UP_ENTRIES + i];
}

/*
 * One worker of the machine looks after servers: it checks their health and
 * resolves their names.  Ask often: 1: we are the one, for the next UP_LEASE_MS
 * at least.  One of the generation that all workers are to be of (coming) takes
 * it over from one of another, which may not know of all groups; one that has
 * ended, or does not turn, loses it.
 */
int	up_lead(struct up_table *, unsigned cell, uint32_t generation,
	    uint32_t coming, uint64_t now_ms);
/* So that the next one need not wait. */
void	up_lead_end(struct up_table *, unsigned cell);

/*
 * Of its weight, in 1/256, what a server takes now: less while it starts
 * slowly, for slow_start ms since it is back (up_ms, 0: it has never been
 * away), or since it has joined those that were there, the oldest since
 * oldest_ms.
 */
#define UP_FULL_SHARE	256u

uint32_t up_share(const struct up_entry *, uint64_t up_ms,
	    uint64_t slow_start, uint64_t oldest_ms, uint64_t now_ms);

/* "connection refused", "status 503", ... for people. */
const char *up_why_text(uint32_t why, uint32_t what, char *buf, size_t);

#endif
