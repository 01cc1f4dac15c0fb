/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board: memory that the master and all workers share, where each process
 * writes what it is doing and all can read what the others are.
 *
 * One cell per worker process, given out by the master at spawn and taken back
 * after the process has ended, when its counters are folded into the node's
 * totals: sums never go down.  A worker writes only its own cell, with relaxed
 * atomics; the fields marked [master] are the master's.  Cells are cache-line
 * aligned, so that writers never share a line.
 *
 * Nothing read here is trusted: texts are copied out with a bound.
 */
#ifndef BASE_BOARD_H
#define BASE_BOARD_H

#include <stddef.h>
#include <stdint.h>
#include <stdatomic.h>
#include "base/latency.h"
#include "base/traffic.h"

#define BOARD_VERSION	3
#define BOARD_CELLS	1024
#define BOARD_METRICS	256	/* series per worker */
#define BOARD_BUCKETS	13	/* a histogram's, the last one is +Inf */
#define BOARD_PLUGINS	64
#define BOARD_DEPENDENCIES 32	/* what a worker's plugins depend on */
#define BOARD_POOLS	64	/* whose restarts are counted */
#define BOARD_USED	256	/* instances that have a total */
#define BOARD_LAGS	8	/* bounds of how long turns of the loop take */
#define BOARD_STUCK_MS	1000	/* in one callback: worth telling */
#define BOARD_STARVED_MS 1000	/* so long after it was so, it still is */
#define BOARD_SILENT_MS	3000	/* without a turn of the loop: as well */

enum cell_state {
	CELL_FREE = 0,
	CELL_STARTING,		/* spawned, not ready */
	CELL_READY,
	CELL_DRAINING,
	CELL_DEAD		/* has ended, not yet folded */
};

enum board_store_op {
	BOARD_STORE_GET, BOARD_STORE_SET, BOARD_STORE_TOUCH,
	BOARD_STORE_DELETE, BOARD_STORE_OPS
};

/* Counters that sum up over processes and outlive them. */
struct board_counters {
	_Atomic uint64_t accepted;	/* connections */
	_Atomic uint64_t refused;	/* connections over a limit */
	_Atomic uint64_t closed;
	_Atomic uint64_t requests;
	_Atomic uint64_t status[6];	/* [1]..[5]: 1xx..5xx; [0]: none sent */
	_Atomic uint64_t bytes_in, bytes_out;
	_Atomic uint64_t bad_requests;	/* refused by the parser */
	_Atomic uint64_t plugin_errors;
	_Atomic uint64_t stale_handles;
	_Atomic uint64_t log_dropped;
	_Atomic uint64_t slow_callbacks;
	_Atomic uint64_t callbacks;	/* calls into plugins, and their
					   time, */
	_Atomic uint64_t callback_ms;	/* by a coarse clock: right on
					   average */
	_Atomic uint64_t ws_opened;	/* WebSockets */
	_Atomic uint64_t ws_in, ws_out;	/* messages */
	_Atomic uint64_t ws_dropped;	/* messages for slow clients */
	_Atomic uint64_t bus_out, bus_in;	/* between workers */
	_Atomic uint64_t bus_dropped;	/* for workers that do not read */
	_Atomic uint64_t backend_out, backend_in;	/* between nodes */
	_Atomic uint64_t backend_dropped;	/* not taken by it */
	_Atomic uint64_t backend_bad;	/* what it brought was no envelope */
	_Atomic uint64_t tls_full;	/* handshakes of clients, */
	_Atomic uint64_t tls_resumed;	/* of sessions that were there, */
	_Atomic uint64_t tls_failed;	/* to no end */
	_Atomic uint64_t tls_broken;	/* connections, by what came later */
	_Atomic uint64_t latency[LATENCY_BUCKETS];	/* requests, by time */
	_Atomic uint64_t ws_bytes_in, ws_bytes_out;	/* with frames' heads */
	_Atomic uint64_t published;	/* on channels, here */
	_Atomic uint64_t delivered;	/* to subscribers here */
	_Atomic uint64_t store_calls[BOARD_STORE_OPS];	/* for sessions; of */
	_Atomic uint64_t store_failures[BOARD_STORE_OPS]; /* these */
	_Atomic uint64_t cpu_us;	/* of the process */
	_Atomic uint64_t lag[BOARD_LAGS + 1];	/* turns of the loop, by time */
	_Atomic uint64_t lag_ms;	/* all of them */
};

/* Upper bounds of lag, in ms. */
extern const uint32_t board_lags[BOARD_LAGS];

/* The values of HOSTD_METRIC_* of the SDK. */
#define BOARD_METRIC_COUNTER	1
#define BOARD_METRIC_GAUGE	2
#define BOARD_METRIC_HISTOGRAM	3
#define BOARD_METRIC_TYPES	3

/* One series of a plugin's metric; self-describing.  A cell's are filled in
 * from the first on, without gaps. */
struct board_metric {
	char name[256];			/* hostd_<id>_<name>{label="v",...} */
	char help[128];
	_Atomic uint32_t type;		/* HOSTD_METRIC_*; 0: unused.  Set
					   last */
	uint32_t nbounds;
	int64_t bounds[BOARD_BUCKETS - 1];
	_Atomic int64_t value;		/* counter, gauge; histogram: sum */
	_Atomic uint64_t buckets[BOARD_BUCKETS];	/* not cumulative */
};

/* Calls into one plugin's code, and their time by a coarse clock. */
struct board_use {
	_Atomic uint64_t calls, ms;
};

/* Something that a plugin can't do its work without. */
struct board_dependency {
	_Atomic uint32_t flags;		/* BOARD_DEPENDENCY_*; 0: unused */
	_Atomic uint32_t state;		/* HOSTD_HEALTH_* */
	_Atomic uint64_t since_ms;	/* unix time of the last change */
	char name[32];			/* "redis" */
	char plugin[64];		/* the instance's name */
	_Atomic uint32_t sequence;	/* odd while detail is written */
	uint32_t reserved;
	char detail[128];
};

#define BOARD_DEPENDENCY_USED		0x1u
#define BOARD_DEPENDENCY_REQUIRED	0x2u	/* for readiness */

struct board_cell {
	_Alignas(64) _Atomic uint32_t state;	/* [master] enum cell_state */
	_Atomic uint32_t pid;			/* [master] */
	uint32_t slot;				/* [master] */
	uint32_t generation;			/* [master] */
	uint32_t restarts;			/* [master] of the slot */
	_Atomic uint32_t sandbox;		/* that it is in, by the number
						   of sandbox.h and 1 more; 0:
						   it has not told */
	uint64_t started_ms;			/* [master] unix time */
	char pool[64];				/* [master] */

	/* What runs now, for whoever finds the body. */
	_Alignas(64) _Atomic uint32_t plugin;	/* index + 1; 0: the host */
	_Atomic uint32_t callback;		/* enum board_callback */
	_Atomic uint64_t entered_ms;		/* since when; monotonic */
	_Atomic uint64_t beat_ms;		/* the loop's last turn */
	char forbidden[256];			/* what the sandbox has ended it
						   for; "": nothing */
	_Atomic uint64_t starved_ms;		/* when there was no descriptor
						   for a connection; 0: never */
	char plugins[BOARD_PLUGINS][64];	/* instance names */
	char modules[BOARD_PLUGINS][64];	/* "chat 1.0" */
	_Alignas(64) _Atomic uint64_t active;		/* connections now */
	_Atomic uint64_t idle;			/* of these, with nothing asked */
	_Atomic uint64_t websockets;		/* of these, upgraded */
	_Atomic uint64_t resident, descriptors;	/* bytes; open, of at most */
	_Atomic uint64_t max_descriptors;
	_Atomic uint32_t backend;		/* enum board_backend */
	_Alignas(64) struct board_counters counters;
	struct board_use uses[BOARD_PLUGINS];
	struct board_dependency dependencies[BOARD_DEPENDENCIES];
};

/* The way to other nodes. */
enum board_backend {
	BOARD_BACKEND_NONE, BOARD_BACKEND_DOWN, BOARD_BACKEND_UP
};

enum board_callback {
	BOARD_CB_NONE, BOARD_CB_CREATE, BOARD_CB_START, BOARD_CB_HEADERS,
	BOARD_CB_BODY, BOARD_CB_WRITABLE, BOARD_CB_END, BOARD_CB_TIMER,
	BOARD_CB_POST, BOARD_CB_WORK_DONE, BOARD_CB_RELEASE, BOARD_CB_DRAIN,
	BOARD_CB_DESTROY, BOARD_CB_DLOPEN, BOARD_CB_WORK,
	BOARD_CB_UPGRADE, BOARD_CB_REFUSED, BOARD_CB_OPEN, BOARD_CB_MESSAGE,
	BOARD_CB_CLOSE, BOARD_CB_CHANNEL, BOARD_CB_PUBLISH, BOARD_CB_SUBSCRIBE,
	BOARD_CB_NET, BOARD_CB_SAVE, BOARD_CB_LOAD, BOARD_CB_MOVED,
	BOARD_CB_SERVERS, BOARD_CB_KEY, BOARD_CB_PICK, BOARD_CB_REPORT,
	BOARD_CB_COOKIE, BOARD_CB_ANSWERED,
	BOARD_CB_FETCH, BOARD_CB_COMMAND, BOARD_CB_SESSION,
	BOARD_CB_GET, BOARD_CB_SET, BOARD_CB_TOUCH, BOARD_CB_DELETE,
	BOARD_CB_ATTACH, BOARD_CB_OFFERED
};

struct board_node {			/* [master] */
	uint64_t magic;
	uint32_t version;		/* BOARD_VERSION */
	uint32_t layout;		/* sizes of what is here */
	_Atomic uint32_t generation;
	uint64_t started_ms;		/* unix time */
	uint32_t master_pid;
	_Atomic uint32_t folding;	/* odd while a cell is being folded */
	char hostd_version[32];
	char node[64];			/* host name */
	uint64_t id;			/* random: no other node's */
	_Atomic uint32_t processes;	/* each worker takes the next number */
	_Atomic uint32_t interests;	/* workers: how often one has told the
					   others that it has subscribers */
	_Atomic uint32_t unready;	/* hostctl drain, or stopping */
	_Atomic uint32_t coming;	/* the generation that all workers are
					   to be of; of a rollback, a former */
	_Atomic uint32_t started;	/* all workers were ready once */
	_Atomic uint32_t reload_failed;	/* the last one */
	_Atomic uint64_t reloads, reload_failures;
	_Atomic uint64_t reloaded_ms;	/* unix time: since when what is served
					   is */
	struct board_restarts {
		char pool[64];
		_Atomic uint64_t n;
	} restarts[BOARD_POOLS];
	struct board_counters retired;	/* of processes that have ended */
	struct board_used {
		char name[64];
		struct board_use use;
	} used[BOARD_USED];		/* likewise, by instance */
	struct traffic traffic;		/* likewise */
};

struct board {
	struct board_node *node;
	struct board_cell *cells;		/* BOARD_CELLS */
	struct board_metric *metrics;		/* BOARD_METRICS each, by
						   cell */
	struct board_metric *retired;		/* BOARD_METRICS */
	struct traffic *traffic;		/* one for each cell */
	size_t size;
	int fd;
};

/* Master: make one.  0 or -1 with errno. */
int	board_create(struct board *);
/* Map the one behind fd (which it takes).  0, or -1 with errno (EPROTO: another
 * version's). */
int	board_attach(struct board *, int fd);
void	board_close(struct board *);

/* Master: a free cell, zeroed; -1 when all are taken. */
int	board_cell_take(struct board *);
/* Master: fold its counters into the totals, then free it. */
void	board_cell_retire(struct board *, int cell);

/* The live sum of all cells and of what is retired. */
struct board_sums {
	struct board_counters n;
	uint64_t active, idle, websockets;
};
void	board_sum(const struct board *, struct board_sums *);
/* The same of the plugins' metrics, by name; out has room for BOARD_METRICS.
 * Returns how many there are. */
size_t	board_metrics_sum(const struct board *, struct board_metric *out);

/* The same of requests; out is zeroed before. */
void	board_traffic_sum(const struct board *, struct traffic *out);
/* And of callbacks, by instance; returns how many of out there are. */
size_t	board_uses_sum(const struct board *, struct board_used out[BOARD_USED]);

/* The traffic of a cell. */
static inline struct traffic *
board_traffic(const struct board *b, const struct board_cell *c)
{
	return &b->traffic[c - b->cells];
}

/* Master: a worker of that pool is started again. */
void	board_restarted(struct board *, const char *pool);

/* What a process is, or was, doing: the plugin's name is copied out, and the
 * callback's returned; NULL when it is in no plugin's code. */
const char *board_running(const struct board_cell *, char *plugin,
	    size_t size);
/* For how many ms it has been there; 0 when it is in no plugin's code. */
uint64_t board_running_ms(const struct board_cell *);
/* For how long its loop has not turned.  An idle one is made to, by the master,
 * about once a second. */
uint64_t board_silent_ms(const struct board_cell *);
/* Does somebody wait to connect for whom there is no descriptor? */
int	board_is_starved(const struct board_cell *);

/* Unix time in ms, as in started_ms. */
uint64_t board_clock_ms(void);

/* "on_headers", ... for people. */
const char *board_callback_name(uint32_t);
const char *board_state_name(uint32_t);

/* Add to a counter that only this process writes: no locked instruction. */
static inline void
board_add(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c,
	    atomic_load_explicit(c, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

/* A turn of the loop took so long. */
static inline void
board_lag(struct board_counters *n, uint64_t ms)
{
	unsigned i = 0;

	while (i < BOARD_LAGS && ms > board_lags[i])
		i++;
	board_add(&n->lag[i], 1);
	board_add(&n->lag_ms, ms);
}

#endif
