/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where messages go: one Redis, or the masters of a Redis Cluster.  Classic
 * channels are of a whole cluster, so one master brings them all, but who has
 * subscribed is counted by each.  Sharded ones are where their slots are.
 *
 * Whatever changes, all subscriptions begin anew: what is sent meanwhile is
 * lost for this node, as it is for Node's.
 */
#include <stdlib.h>
#include <string.h>
#include "adapter.h"

/* -- connections -- */

static int
client_open(struct node *n, struct redis_client **c, unsigned flags)
{
	if (*c == NULL && (*c = redis_client_new(&n->in->redis, n->at.host,
	    n->at.port, flags, &link_client_ops, n)) == NULL)
		return -1;
	redis_client_start(*c);
	return 0;
}

static void
sub_close(struct node *n)
{
	redis_client_free(n->sub);
	n->sub = NULL;
}

static void
node_close(struct node *n)
{
	redis_survey_forget(&n->in->survey, n->pub);
	words_gone(n->in, n->pub);
	redis_client_free(n->pub);
	n->pub = NULL;
	sub_close(n);
}

static void
node_free(struct node *n)
{
	LIST_REMOVE(n, link);
	node_close(n);
	free(n);
}

static struct node *
node_at(struct hostd_inst *in, const struct redis_node_addr *at)
{
	struct node *n;

	LIST_FOREACH(n, &in->nodes, link)
		if (n->at.port == at->port && strcmp(n->at.host, at->host) == 0)
			return n;
	if ((n = calloc(1, sizeof(*n))) == NULL)
		return NULL;
	n->in = in;
	n->at = *at;
	LIST_INSERT_HEAD(&in->nodes, n, link);
	return n;
}

static void
map_drop(struct hostd_inst *in)
{
	redis_map_free(in->map);
	in->map = NULL;
}

/* -- which of them -- */

static struct node *
first(const struct hostd_inst *in)
{
	return in->mode == MODE_PLAIN ? (struct node *)(uintptr_t)&in->home :
	    in->mode == MODE_CLUSTER ? LIST_FIRST(&in->nodes) : NULL;
}

struct node *
node_next(const struct hostd_inst *in, const struct node *n)
{
	if (n == NULL)
		return first(in);
	return in->mode == MODE_CLUSTER ? LIST_NEXT(n, link) : NULL;
}

struct node *
node_of_key(const struct hostd_inst *in, hostd_buf key)
{
	uint16_t i;

	if (in->mode != MODE_CLUSTER)
		return first(in);
	i = in->map->owner[redis_slot(key.p, key.n)];
	return i == REDIS_NOBODY ? NULL : in->owners[i];
}

struct node *
node_of(const struct hostd_inst *in, hostd_buf channel)
{
	return in->sharded ? node_of_key(in, channel) : first(in);
}

int
nodes_are_up(const struct hostd_inst *in)
{
	const struct node *n = first(in);

	if (n == NULL)
		return 0;
	for (; n != NULL; n = node_next(in, n))
		if (!redis_client_is_up(n->pub) ||
		    (n->sub != NULL && !redis_client_is_up(n->sub)))
			return 0;
	return 1;
}

/* -- what is known of them -- */

/* All, where channels are sharded; else one. */
static int
open_all(struct hostd_inst *in)
{
	struct node *n;

	for (n = first(in); n != NULL; n = node_next(in, n))
		if (client_open(n, &n->pub, 0) == -1 ||
		    ((in->sharded || n == first(in)) &&
		    client_open(n, &n->sub, REDIS_SUBSCRIBER) == -1))
			return -1;
	return 0;
}

static int
found_plain(void *arg, struct redis_client *asked)
{
	struct hostd_inst *in = arg;

	if (asked != in->home.pub)
		return -1;
	while (!LIST_EMPTY(&in->nodes))
		node_free(LIST_FIRST(&in->nodes));
	map_drop(in);
	in->mode = MODE_PLAIN;
	return open_all(in);
}

static int
take_nodes(struct hostd_inst *in, struct redis_slots *map)
{
	struct node *n, *next;
	uint16_t i;

	LIST_FOREACH(n, &in->nodes, link)
		n->wanted = 0;
	for (i = 0; i < map->nnodes; i++) {
		if ((n = node_at(in, &map->nodes[i])) == NULL)
			return -1;
		n->wanted = 1;
		in->owners[i] = n;
	}
	for (n = LIST_FIRST(&in->nodes); n != NULL; n = next) {
		next = LIST_NEXT(n, link);
		if (!n->wanted)
			node_free(n);
	}
	return 0;
}

static int
found_cluster(void *arg, struct redis_slots *map)
{
	struct hostd_inst *in = arg;

	if (map->nnodes == 0 || take_nodes(in, map) == -1)
		return -1;
	map_drop(in);
	in->map = map;
	in->mode = MODE_CLUSTER;
	if (open_all(in) == -1)
		nodes_anew(in);
	return 0;
}

static void
found_trouble(void *arg, const char *why)
{
	link_lost(arg, why);
}

static struct redis_client *
who_knows(void *arg)
{
	struct hostd_inst *in = arg;
	struct node *n;

	if (redis_client_is_up(in->home.pub))
		return in->home.pub;
	LIST_FOREACH(n, &in->nodes, link)
		if (redis_client_is_up(n->pub))
			return n->pub;
	return NULL;
}

void
nodes_anew(struct hostd_inst *in)
{
	struct node *n;

	in->mode = MODE_UNKNOWN;
	sub_close(&in->home);
	LIST_FOREACH(n, &in->nodes, link)
		sub_close(n);
	redis_survey_ask(&in->survey);
}

/* -- life -- */

int
nodes_open(struct hostd_inst *in)
{
	static const struct redis_survey_ops ops = {
		.who = who_knows,
		.plain = found_plain,
		.cluster = found_cluster,
		.trouble = found_trouble,
	};
	const struct redis_url *at = &in->settings.url;

	redis_survey_init(&in->survey, &in->redis, 0, &ops, in);
	in->home.in = in;
	(void)snprintf(in->home.at.host, sizeof(in->home.at.host), "%s",
	    at->host);
	in->home.at.port = at->port;
	return client_open(&in->home, &in->home.pub, 0);
}

void
nodes_close(struct hostd_inst *in)
{
	redis_survey_close(&in->survey);
	while (!LIST_EMPTY(&in->nodes))
		node_free(LIST_FIRST(&in->nodes));
	if (in->home.in != NULL)
		node_close(&in->home);
	map_drop(in);
	in->mode = MODE_UNKNOWN;
}
