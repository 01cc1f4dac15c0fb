/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has which slots of a Redis Cluster, and that this changes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "backend.h"

#define ASK_MS	100	/* at most once in so long */

static void	ask(struct hostd_inst *);

void
cluster_init(struct hostd_inst *in)
{
	LIST_INIT(&in->cluster.nodes);
	STAILQ_INIT(&in->cluster.waiting);
}

/* -- nodes -- */

static void
forget_answer(struct cluster *cl)
{
	if (cl->answer != NULL)
		redis_slots_free(cl->answer);
	free(cl->answer);
	cl->answer = NULL;
	cl->asked = NULL;
}

static void
node_free(struct node *n)
{
	if (n->in->cluster.asked == n->pub)
		forget_answer(&n->in->cluster);
	LIST_REMOVE(n, link);
	node_close(n);
	free(n);
}

/* It goes when the server has ended its subscriptions, each of which is then
 * made where its slot is now, and when it owes no answer. */
void
cluster_retire(struct node *n)
{
	if (n == &n->in->home || n->wanted || n->nsubs > 0 ||
	    redis_client_pending(n->pub) > 0 ||
	    redis_client_pending(n->sub) > 0)
		return;
	node_free(n);
}

static struct node *
node_at(struct hostd_inst *in, const struct redis_node_addr *at)
{
	struct node *n;

	LIST_FOREACH(n, &in->cluster.nodes, link)
		if (n->at.port == at->port && strcmp(n->at.host, at->host) == 0)
			return n;
	if ((n = calloc(1, sizeof(*n))) == NULL)
		return NULL;
	n->in = in;
	n->at = *at;
	LIST_INSERT_HEAD(&in->cluster.nodes, n, link);
	if (node_open(n, 1) == 0)
		return n;
	node_free(n);
	return NULL;
}

int
cluster_is_ready(const struct hostd_inst *in)
{
	const struct node *n;

	if (in->cluster.stale)
		return 0;
	LIST_FOREACH(n, &in->cluster.nodes, link)
		if (n->wanted && !node_is_up(n))
			return 0;
	return 1;
}

/* -- those who wait -- */

int32_t
cluster_wait(struct hostd_inst *in, hostd_buf name, int again)
{
	return waiting_add(&in->cluster.waiting, name, again) == 0 ? HOSTD_OK :
	    HOSTD_E_NOMEM;
}

/* 0: it has to wait on. */
static int
subscribe_now(struct hostd_inst *in, const struct waiting *w)
{
	hostd_buf name = { w->name, w->n };
	struct node *n = node_of(in, name);

	return n != NULL && n->sub != NULL && redis_subscribe(n->sub,
	    w->again ? verb_again : "SSUBSCRIBE", name) == HOSTD_OK;
}

void
cluster_go_on(struct hostd_inst *in)
{
	struct waiting_list *list = &in->cluster.waiting, rest;
	struct waiting *w;

	STAILQ_INIT(&rest);
	while ((w = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, link);
		if (subscribe_now(in, w))
			free(w);
		else
			STAILQ_INSERT_TAIL(&rest, w, link);
	}
	STAILQ_CONCAT(list, &rest);
}

/* -- the map -- */

static int
take_map(struct hostd_inst *in)
{
	struct cluster *cl = &in->cluster;
	struct redis_slots *map = cl->answer;
	struct node *owners[REDIS_NODES], *n, *next;
	uint16_t i;

	for (i = 0; i < map->nnodes; i++)
		if ((owners[i] = node_at(in, &map->nodes[i])) == NULL)
			return -1;
	LIST_FOREACH(n, &cl->nodes, link)
		n->wanted = 0;
	for (i = 0; i < map->nnodes; i++) {
		cl->owners[i] = owners[i];
		owners[i]->wanted = 1;
	}
	if (cl->map != NULL)
		redis_slots_free(cl->map);
	free(cl->map);
	cl->map = map;
	cl->answer = NULL;
	for (n = LIST_FIRST(&cl->nodes); n != NULL; n = next) {
		next = LIST_NEXT(n, link);
		cluster_retire(n);
	}
	return 0;
}

static void
ask_due(struct hostd_inst *in, hostd_timer t, void *arg)
{
	(void)t;
	(void)arg;
	in->cluster.timer.id = 0;
	ask(in);
}

static void
ask_later(struct hostd_inst *in, uint64_t ms)
{
	struct cluster *cl = &in->cluster;

	if (in->redis.timers->start(in->host, ms, 0, ask_due, NULL,
	    &cl->timer) != HOSTD_OK)
		cl->timer.id = 0;
}

static void
become_plain(struct hostd_inst *in)
{
	struct cluster *cl = &in->cluster;

	in->mode = MODE_PLAIN;
	cl->stale = 0;
	cl->backoff.attempts = 0;
	if (node_open(&in->home, 1) == -1)
		state_lost(in, "out of memory");
	state_check(in);
}

static void
become_cluster(struct hostd_inst *in)
{
	struct cluster *cl = &in->cluster;

	if (take_map(in) == -1) {
		state_lost(in, "out of memory");
		ask_later(in, in->redis.retry_ms);
		return;
	}
	in->mode = MODE_CLUSTER;
	redis_client_free(in->home.sub);
	in->home.sub = NULL;
	cl->stale = 0;
	cl->backoff.attempts = 0;
	if (in->up)
		cluster_go_on(in);
	state_check(in);
}

/* All answers are there. */
static void
conclude(struct hostd_inst *in, int at_home)
{
	struct cluster *cl = &in->cluster;
	int plain = cl->is_plain || !cl->has_shards;

	if (plain && in->want == WANT_AUTO && at_home && !in->up) {
		cluster_close(in);	/* there may have been one */
		become_plain(in);
		return;
	}
	if (plain && cl->trouble[0] == '\0')
		(void)snprintf(cl->trouble, sizeof(cl->trouble), "%s",
		    cl->is_plain ? "this Redis is not a cluster" :
		    "this Redis Cluster has no sharded channels (7.0 has)");
	if (cl->trouble[0] == '\0') {
		become_cluster(in);
	} else {
		if (!in->up)
			state_lost(in, cl->trouble);
		ask_later(in, backoff_next(&cl->backoff, in->redis.retry_ms));
	}
	forget_answer(cl);
}

static void
trouble(struct cluster *cl, const redisReply *r, const char *otherwise)
{
	(void)snprintf(cl->trouble, sizeof(cl->trouble), "%s",
	    r->type == REDIS_REPLY_ERROR ? r->str : otherwise);
}

static void
info_answered(struct redis_client *c, void *arg, const redisReply *r)
{
	struct cluster *cl = &((struct hostd_inst *)arg)->cluster;

	if (r == NULL || c != cl->asked)
		return;
	/* "ERR This instance has cluster support disabled", or a user who may
	 * not ask, or a server that is only like Redis. */
	if (redis_is_error(r, "ERR") || redis_is_error(r, "NOPERM"))
		cl->is_plain = 1;
	else if (r->type != REDIS_REPLY_STRING ||
	    strstr(r->str, "cluster_state:ok") == NULL)
		trouble(cl, r, "the cluster's state is not ok");
}

static void
slots_answered(struct redis_client *c, void *arg, const redisReply *r)
{
	struct hostd_inst *in = arg;
	struct cluster *cl = &in->cluster;
	const char *why;

	if (r == NULL || c != cl->asked || cl->is_plain ||
	    cl->trouble[0] != '\0' || cl->answer != NULL)
		return;
	if ((cl->answer = malloc(sizeof(*cl->answer))) == NULL) {
		trouble(cl, r, "out of memory");
	} else if (redis_slots_parse(cl->answer, r, redis_client_host(c),
	    &why) == -1) {
		free(cl->answer);
		cl->answer = NULL;
		trouble(cl, r, why);
	}
}

static void
shards_answered(struct redis_client *c, void *arg, const redisReply *r)
{
	struct hostd_inst *in = arg;
	struct cluster *cl = &in->cluster;

	if (c != cl->asked)
		return;
	if (r == NULL) {
		/* Its connection was lost; another one may know. */
		forget_answer(cl);
		if (cl->timer.id == 0)
			ask_later(in, ASK_MS);
		return;
	}
	cl->has_shards = r->type != REDIS_REPLY_ARRAY || r->elements != 1 ||
	    r->element[0]->type == REDIS_REPLY_ARRAY;
	conclude(in, c == in->home.pub);
}

/* Home is there for that, but any node knows. */
static struct redis_client *
who_knows(struct hostd_inst *in)
{
	struct node *n;

	if (redis_client_is_up(in->home.pub))
		return in->home.pub;
	LIST_FOREACH(n, &in->cluster.nodes, link)
		if (redis_client_is_up(n->pub))
			return n->pub;
	return NULL;
}

static void
ask(struct hostd_inst *in)
{
	struct cluster *cl = &in->cluster;
	struct redis_client *c = who_knows(in);

	if (c == NULL)
		return;		/* who comes next is asked */
	cl->asked = c;
	cl->asked_ms = in->host->now_ms(in->host);
	cl->trouble[0] = '\0';
	cl->is_plain = 0;
	if (redis_words(c, info_answered, in, "CLUSTER", "INFO", NULL) < 0 ||
	    redis_words(c, slots_answered, in, "CLUSTER", "SLOTS", NULL) < 0 ||
	    redis_words(c, shards_answered, in, "COMMAND", "INFO",
	    "SSUBSCRIBE", NULL) < 0) {
		cl->asked = NULL;
		ask_later(in, ASK_MS);
	}
}

void
cluster_ask(struct hostd_inst *in)
{
	struct cluster *cl = &in->cluster;
	uint64_t since = in->host->now_ms(in->host) - cl->asked_ms;

	if (in->want == WANT_PLAIN) {
		become_plain(in);
		return;
	}
	cl->stale = 1;
	if (cl->asked != NULL || cl->timer.id != 0)
		return;
	if (cl->asked_ms == 0 || since >= ASK_MS)
		ask(in);
	else
		ask_later(in, ASK_MS - since);
}

void
cluster_close(struct hostd_inst *in)
{
	struct cluster *cl = &in->cluster;

	if (cl->timer.id != 0)
		(void)in->redis.timers->stop(in->host, cl->timer);
	cl->timer.id = 0;
	while (!LIST_EMPTY(&cl->nodes))
		node_free(LIST_FIRST(&cl->nodes));
	forget_answer(cl);
	waiting_clear(&cl->waiting);
	if (cl->map != NULL)
		redis_slots_free(cl->map);
	free(cl->map);
	cl->map = NULL;
}
