/* SPDX-License-Identifier: BSD-2-Clause */
/* One Redis, and the connections to it. */
#include "store.h"

#define STRANGERS_MAX	16	/* nodes that no map has, at a time */

/* -- its connections -- */

static void
node_came(struct redis_client *c)
{
	struct node *n = redis_client_arg(c);
	struct hostd_inst *in = n->in;

	n->nup++;
	metrics_connections(in, 1);
	if (in->mode == MODE_UNKNOWN || in->survey.stale)
		cluster_ask(in);
	state_check(in);
	calls_go_on(n);
}

/* Nothing is known yet, and nobody is left to be hoped for. */
static int
is_hopeless(const struct hostd_inst *in)
{
	const struct node *n;

	LIST_FOREACH(n, &in->nodes, link)
		if (n->is_seed && (n->nup > 0 || !n->has_failed))
			return 0;
	return in->mode == MODE_UNKNOWN;
}

/* Its last connection. */
static void
node_lost(struct node *n, const char *why)
{
	struct hostd_inst *in = n->in;

	n->has_failed = 1;
	/* Another may answer there next time. */
	if (n->wanted && in->mode == MODE_PLAIN)
		in->mode = MODE_UNKNOWN;
	if (n->wanted || is_hopeless(in))
		state_lost(in, why);
	if (n->wanted && in->mode == MODE_CLUSTER)
		cluster_ask(in);
}

static void
node_went(struct redis_client *c, int was_up, const char *why)
{
	struct node *n = redis_client_arg(c);

	if (was_up) {
		n->nup--;
		metrics_connections(n->in, -1);
	}
	if (n->nup > 0)
		return;
	node_lost(n, why);
	calls_go_on(n);
	node_retire(n);
}

static const struct redis_client_ops node_ops = {
	.up = node_came,
	.down = node_went,
};

int
node_open(struct node *n, unsigned connections)
{
	unsigned i;

	for (i = 0; i < connections; i++) {
		if (n->clients[i] == NULL && (n->clients[i] = redis_client_new(
		    &n->in->redis, n->at.host, n->at.port, 0, &node_ops, n)) ==
		    NULL)
			return -1;
		redis_client_start(n->clients[i]);
	}
	return 0;
}

struct redis_client *
node_client(const struct node *n, hostd_buf key)
{
	unsigned all = n->in->connections, first, i;

	if (n->nup == 0)
		return NULL;
	first = redis_slot(key.p, key.n) % all;
	for (i = 0; i < all; i++)
		if (redis_client_is_up(n->clients[(first + i) % all]))
			return n->clients[(first + i) % all];
	return NULL;
}

/* -- life -- */

static int
has_room(const struct hostd_inst *in)
{
	const struct node *n;
	unsigned strangers = 0;

	LIST_FOREACH(n, &in->nodes, link)
		strangers += !n->wanted && !n->is_seed;
	return strangers < STRANGERS_MAX;
}

struct node *
node_at(struct hostd_inst *in, const struct redis_node_addr *at)
{
	struct node *n;

	LIST_FOREACH(n, &in->nodes, link)
		if (n->at.port == at->port && strcmp(n->at.host, at->host) == 0)
			return n;
	if (!has_room(in) || (n = calloc(1, sizeof(*n))) == NULL)
		return NULL;
	n->in = in;
	n->at = *at;
	STAILQ_INIT(&n->waiting);
	LIST_INSERT_HEAD(&in->nodes, n, link);
	return n;
}

struct node *
node_of(const struct hostd_inst *in, hostd_buf key)
{
	uint16_t i;

	if (in->mode == MODE_PLAIN)
		return in->home;
	if (in->mode != MODE_CLUSTER)
		return NULL;
	i = in->map->owner[redis_slot(key.p, key.n)];
	return i == REDIS_NOBODY ? NULL : in->owners[i];
}

void
node_free(struct node *n)
{
	struct hostd_inst *in = n->in;
	unsigned i;

	LIST_REMOVE(n, link);
	for (i = 0; i < CONNECTIONS_MAX; i++) {
		redis_survey_forget(&in->survey, n->clients[i]);
		redis_client_free(n->clients[i]);
		n->clients[i] = NULL;
	}
	metrics_connections(in, -(int64_t)n->nup);
	n->nup = 0;
	n->has_failed = 1;
	calls_fail(in, n);
	free(n);
}

void
node_retire(struct node *n)
{
	unsigned i;

	if (n->is_seed || n->wanted || !STAILQ_EMPTY(&n->waiting))
		return;
	for (i = 0; i < n->in->connections; i++)
		if (n->clients[i] != NULL &&
		    redis_client_pending(n->clients[i]) > 0)
			return;
	node_free(n);
}
