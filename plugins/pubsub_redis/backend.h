/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instance of pubsub_redis.
 *
 * A node is one Redis, with a connection to publish and one to subscribe.
 * `home` is the one of the URL.  With a plain Redis it is all there is; of a
 * cluster it only says who the nodes are, and each of those is in a list.
 *
 * The host is told "up" when every connection that is needed is there, and
 * "down" when one of them is lost.  It subscribes everything again after each
 * "up", so a loss ends the subscribing connections that are left, too: they
 * begin anew, with nothing.
 */
#ifndef PUBSUB_REDIS_BACKEND_H
#define PUBSUB_REDIS_BACKEND_H

#include <sys/queue.h>
#include <hostd/easy.h>
#include <hostd/pubsub.h>
#include <redis/client.h>
#include <redis/presence.h>
#include <redis/settings.h>
#include <redis/survey.h>
#include "waiting.h"

#define PREFIX_MAX	64
#define CHANNEL_MAX	255

struct node {
	LIST_ENTRY(node) link;
	struct hostd_inst *in;
	struct redis_client *pub, *sub;	/* NULL: not made */
	struct redis_node_addr at;
	long long nsubs;	/* of sub, as the server counts them */
	int wanted;		/* it is in the map */
};

/* The cluster, and who wants something of it. */
struct cluster {
	LIST_HEAD(, node) nodes;
	struct redis_slots *map;	/* NULL: none yet */
	struct node *owners[REDIS_NODES];	/* as the map counts them */
	struct waiting_list waiting;
	struct redis_survey survey;
};

enum mode { MODE_UNKNOWN, MODE_PLAIN, MODE_CLUSTER };
enum want { WANT_AUTO, WANT_CLUSTER, WANT_PLAIN };	/* choices of a key */

struct hostd_inst {
	const struct hostd_host *host;
	const struct hostd_pubsub_api *pubsub;
	struct redis_host redis;	/* for the clients */
	struct redis_settings settings;
	hostd_buf prefix;
	int64_t want;
	enum mode mode;
	struct node home;
	struct cluster cluster;
	int up;			/* what the host was told last */
	struct redis_presence presence;
	int complained;		/* of a refusal, since it is up */
};

/* -- state.c -- */

/* Is all there that is needed?  Then tell the host. */
void	state_check(struct hostd_inst *);
/* Something that is needed is not there. */
void	state_lost(struct hostd_inst *, const char *why);
/* Redis does not do what it was asked for; this is said once. */
void	state_refused(struct hostd_inst *, const char *command,
	    const redisReply *);

/* -- node.c -- */

/* The node who has this channel, or NULL. */
struct node *node_of(struct hostd_inst *, hostd_buf name);
/* Make and start the connections that are not there: 0, or -1. */
int	node_open(struct node *, int subscriber);
void	node_close(struct node *);
int	node_is_up(const struct node *);
int32_t	node_publish(struct node *, hostd_buf name, hostd_buf envelope);

/* -- cluster.c -- */

void	cluster_init(struct hostd_inst *);
void	cluster_close(struct hostd_inst *);
int	cluster_is_ready(const struct hostd_inst *);
/* The map may be wrong: ask, now or as soon as somebody can be asked. */
void	cluster_ask(struct hostd_inst *);
/* A node that was not wanted any more may have done its last. */
void	cluster_retire(struct node *);
/* Subscribe as soon as its node is there; again: it was before. */
int32_t	cluster_wait(struct hostd_inst *, hostd_buf name, int again);
/* Those who wait may have got what they wait for. */
void	cluster_go_on(struct hostd_inst *);

/* What a subscription that was lost is made with; told by its address. */
extern const char verb_again[];

#endif
