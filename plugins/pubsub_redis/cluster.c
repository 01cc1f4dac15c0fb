/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has which slots of a Redis Cluster, and that this changes. */
#include <stdlib.h>
#include <string.h>
#include "backend.h"

/* -- nodes -- */

static void
node_free(struct node *n)
{
	redis_survey_forget(&n->in->cluster.survey, n->pub);
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

	if (in->cluster.survey.stale)
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
take_map(struct hostd_inst *in, struct redis_slots *map)
{
	struct cluster *cl = &in->cluster;
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
	redis_map_free(cl->map);
	cl->map = map;
	for (n = LIST_FIRST(&cl->nodes); n != NULL; n = next) {
		next = LIST_NEXT(n, link);
		cluster_retire(n);
	}
	return 0;
}

static void
become_plain(struct hostd_inst *in)
{
	in->mode = MODE_PLAIN;
	if (node_open(&in->home, 1) == -1)
		state_lost(in, "out of memory");
	state_check(in);
}

static int
found_plain(void *arg, struct redis_client *asked)
{
	struct hostd_inst *in = arg;

	if (in->want != WANT_AUTO || asked != in->home.pub || in->up)
		return -1;
	cluster_close(in);	/* there may have been one */
	in->cluster.survey.stale = 0;
	become_plain(in);
	return 0;
}

static int
found_cluster(void *arg, struct redis_slots *map)
{
	struct hostd_inst *in = arg;

	if (take_map(in, map) == -1)
		return -1;
	in->mode = MODE_CLUSTER;
	redis_client_free(in->home.sub);
	in->home.sub = NULL;
	if (in->up)
		cluster_go_on(in);
	state_check(in);
	return 0;
}

static void
found_trouble(void *arg, const char *why)
{
	struct hostd_inst *in = arg;

	if (!in->up)
		state_lost(in, why);
}

/* Home is there for that, but any node knows. */
static struct redis_client *
who_knows(void *arg)
{
	struct hostd_inst *in = arg;
	struct node *n;

	if (redis_client_is_up(in->home.pub))
		return in->home.pub;
	LIST_FOREACH(n, &in->cluster.nodes, link)
		if (redis_client_is_up(n->pub))
			return n->pub;
	return NULL;
}

void
cluster_ask(struct hostd_inst *in)
{
	if (in->want == WANT_PLAIN)
		become_plain(in);
	else
		redis_survey_ask(&in->cluster.survey);
}

/* -- life -- */

void
cluster_init(struct hostd_inst *in)
{
	static const struct redis_survey_ops ops = {
		.who = who_knows,
		.plain = found_plain,
		.cluster = found_cluster,
		.trouble = found_trouble,
	};

	LIST_INIT(&in->cluster.nodes);
	STAILQ_INIT(&in->cluster.waiting);
	redis_survey_init(&in->cluster.survey, &in->redis,
	    REDIS_SURVEY_SHARDS, &ops, in);
}

void
cluster_close(struct hostd_inst *in)
{
	struct cluster *cl = &in->cluster;

	redis_survey_close(&cl->survey);
	while (!LIST_EMPTY(&cl->nodes))
		node_free(LIST_FIRST(&cl->nodes));
	waiting_clear(&cl->waiting);
	redis_map_free(cl->map);
	cl->map = NULL;
}
