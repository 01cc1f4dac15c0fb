/* SPDX-License-Identifier: BSD-2-Clause */
/* Is it a cluster, and who has which slots? */
#include "store.h"

static void
want_only(struct hostd_inst *in, struct node *const *who, unsigned n)
{
	struct node *node, *next;
	unsigned i;

	LIST_FOREACH(node, &in->nodes, link)
		node->wanted = 0;
	for (i = 0; i < n; i++)
		who[i]->wanted = 1;
	for (node = LIST_FIRST(&in->nodes); node != NULL; node = next) {
		next = LIST_NEXT(node, link);
		node_retire(node);
	}
}

static void
become_plain(struct hostd_inst *in)
{
	in->mode = MODE_PLAIN;
	want_only(in, &in->home, 1);
	redis_map_free(in->map);
	in->map = NULL;
	if (node_open(in->home, in->connections) == -1)
		state_lost(in, "out of memory");
	state_check(in);
}

/* A node that has left its cluster is not the one that has all. */
static int
found_plain(void *arg, struct redis_client *asked)
{
	struct hostd_inst *in = arg;

	if (in->want != WANT_AUTO || in->up ||
	    redis_client_arg(asked) != in->home)
		return -1;
	become_plain(in);
	return 0;
}

static int
open_all(struct hostd_inst *in, const struct redis_slots *map,
    struct node **owners)
{
	uint16_t i;

	for (i = 0; i < map->nnodes; i++) {
		if ((owners[i] = node_at(in, &map->nodes[i])) == NULL)
			return -1;
		/* Not one of those that nobody wants. */
		owners[i]->wanted = 1;
	}
	for (i = 0; i < map->nnodes; i++)
		if (node_open(owners[i], in->connections) == -1)
			return -1;
	return 0;
}

static int
found_cluster(void *arg, struct redis_slots *map)
{
	struct hostd_inst *in = arg;
	struct node *owners[REDIS_NODES];

	if (open_all(in, map, owners) == -1)
		return -1;
	redis_map_free(in->map);
	in->map = map;
	in->mode = MODE_CLUSTER;
	memcpy(in->owners, owners, map->nnodes * sizeof(owners[0]));
	want_only(in, owners, map->nnodes);
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

/* Anyone knows. */
static struct redis_client *
who_knows(void *arg)
{
	struct hostd_inst *in = arg;
	struct redis_client *c;
	struct node *n;

	if ((c = node_client(in->home, hostd_str(""))) != NULL)
		return c;
	LIST_FOREACH(n, &in->nodes, link)
		if ((n->wanted || n->is_seed) &&
		    (c = node_client(n, hostd_str(""))) != NULL)
			return c;
	return NULL;
}

void
cluster_ask(struct hostd_inst *in)
{
	if (in->want != WANT_PLAIN)
		redis_survey_ask(&in->survey);
	else if (in->mode != MODE_PLAIN)
		become_plain(in);
}

void
cluster_init(struct hostd_inst *in)
{
	static const struct redis_survey_ops ops = {
		.who = who_knows,
		.plain = found_plain,
		.cluster = found_cluster,
		.trouble = found_trouble,
	};

	redis_survey_init(&in->survey, &in->redis, 0, &ops, in);
}

void
cluster_close(struct hostd_inst *in)
{
	redis_survey_close(&in->survey);
	while (!LIST_EMPTY(&in->nodes))
		node_free(LIST_FIRST(&in->nodes));
	redis_map_free(in->map);
	in->map = NULL;
}
