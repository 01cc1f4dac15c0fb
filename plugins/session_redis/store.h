/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instance of session_redis.
 *
 * A node is one Redis, with some connections.  Those of `url` and `nodes` are
 * the seeds, which are kept: of a plain Redis there is one, and it has all; of
 * a cluster they say who the nodes are.
 *
 * What is asked for goes to a connection that is there, or fails at once.  Only
 * where a node of the cluster says that another one has it, which is not known
 * yet, a call waits for that to be connected, within its time.
 */
#ifndef SESSION_REDIS_STORE_H
#define SESSION_REDIS_STORE_H

#include <sys/queue.h>
#include <hostd/easy.h>
#include <hostd/metrics.h>
#include <hostd/op.h>
#include <hostd/ready.h>
#include <hostd/session_store.h>
#include <redis/client.h>
#include <redis/presence.h>
#include <redis/settings.h>
#include <redis/survey.h>

#define PREFIX_MAX	64
#define CONNECTIONS_MAX	16
#define SEEDS_MAX	16

enum call_kind { CALL_GET, CALL_SET, CALL_TOUCH, CALL_DEL };
#define CALL_KINDS	4

/* One op under way. */
struct call {
	LIST_ENTRY(call) link;		/* of all, or of the spare ones */
	STAILQ_ENTRY(call) waits;
	struct hostd_inst *in;
	struct node *node;		/* where it was sent, or waits */
	hostd_op op;
	enum call_kind kind;
	unsigned tries;
	int is_waiting;
	int asking;			/* the node has no slot yet */
	int in_full;			/* the node does not know the script */
	enum { EXPECT_ANY, EXPECT_NOTHING, EXPECT_VALUE } expect;
	uint64_t ttl_ms, began_ms;
	hostd_timer timer;		/* to try again */
	char *text;			/* key, value and what is expected */
	size_t size;
	size_t nkey, nvalue, nexpect;
};
LIST_HEAD(call_list, call);

struct node {
	LIST_ENTRY(node) link;
	struct hostd_inst *in;
	struct redis_client *clients[CONNECTIONS_MAX];	/* NULL: not made */
	unsigned nup;
	STAILQ_HEAD(, call) waiting;
	struct redis_node_addr at;
	int is_seed;
	int has_failed;			/* at least once */
	int wanted;			/* it is in the map, or the only one */
};
LIST_HEAD(node_list, node);

/* Something that is not said again for a while. */
struct complaint {
	uint64_t said_ms;		/* 0: never */
	unsigned more;			/* times it was not said */
};

struct metrics {
	const struct hostd_metrics_api *api;	/* NULL: not served */
	uint32_t calls[CALL_KINDS], errors[CALL_KINDS];
	uint32_t connections, latency;
};

enum mode { MODE_UNKNOWN, MODE_PLAIN, MODE_CLUSTER };
enum want { WANT_AUTO, WANT_CLUSTER, WANT_PLAIN };	/* choices of a key */

struct hostd_inst {
	const struct hostd_host *host;
	const struct hostd_op_api *op;
	const struct hostd_ready_api *ready;	/* NULL: nothing is held */
	struct redis_presence presence;
	struct redis_host redis;	/* for the clients */
	struct redis_settings settings;
	hostd_buf prefix;
	int64_t want;
	unsigned connections;		/* to each node */

	enum mode mode;
	struct node_list nodes;
	struct node *home;		/* the seed of the URL */
	struct redis_slots *map;	/* NULL: none yet */
	struct node *owners[REDIS_NODES];	/* as the map counts them */
	struct redis_survey survey;

	struct call_list calls, spare;
	unsigned nspare;

	int up;
	int said_down;			/* times, since it was up */
	char down_why[160];		/* what was said last */
	int holding;			/* the worker is not ready yet */
	hostd_timer hold_timer;
	struct complaint refused, down;
	struct metrics metrics;
};

/* -- call.c -- */

/* A code for the host.  key is without the prefix. */
int32_t	call_start(struct hostd_inst *, enum call_kind, hostd_op,
	    hostd_buf key, hostd_buf value, uint64_t ttl_ms,
	    const hostd_buf *expect);
/* Those that wait for this node, which has come or will not. */
void	calls_go_on(struct node *);
/* What was sent to this node, or waits for it, fails; its clients are gone. */
void	calls_fail(struct hostd_inst *, const struct node *);
void	calls_close(struct hostd_inst *);

/* -- node.c -- */

/* NULL: out of memory, or too many are connected that no map has. */
struct node *node_at(struct hostd_inst *, const struct redis_node_addr *);
/* The one that has this key; NULL: that is not known. */
struct node *node_of(const struct hostd_inst *, hostd_buf key);
/* One of its connections; NULL: none is up.  A key has always the same one, as
 * long as it is there, so that its commands stay in order. */
struct redis_client *node_client(const struct node *, hostd_buf key);
/* Make and start the connections that are not there: 0, or -1. */
int	node_open(struct node *, unsigned connections);
void	node_free(struct node *);
/* It goes when nobody needs it and it owes nothing. */
void	node_retire(struct node *);

/* -- cluster.c -- */

void	cluster_init(struct hostd_inst *);
void	cluster_close(struct hostd_inst *);
/* Who has what may have changed. */
void	cluster_ask(struct hostd_inst *);

/* -- state.c -- */

/* Is all there that is needed? */
void	state_check(struct hostd_inst *);
/* Something that is needed is not there. */
void	state_lost(struct hostd_inst *, const char *why);
/* Redis does not do what it was asked for; key is not to be logged. */
void	state_refused(struct hostd_inst *, const char *what, const char *said,
	    hostd_buf key);
/* The worker is not ready before Redis has answered, or has not. */
void	state_hold(struct hostd_inst *);
void	state_release(struct hostd_inst *);

/* -- metrics.c -- */

int32_t	metrics_define(struct hostd_inst *, struct hostd_err *);
void	metrics_connections(const struct hostd_inst *, int64_t delta);
void	metrics_called(const struct hostd_inst *, const struct call *,
	    int32_t status);

#endif
