/* SPDX-License-Identifier: BSD-2-Clause */
/* What the host is told. */
#include "backend.h"

static int
is_ready(const struct hostd_inst *in)
{
	if (in->mode == MODE_PLAIN)
		return node_is_up(&in->home);
	return in->mode == MODE_CLUSTER && cluster_is_ready(in);
}

static void
drop_subscriber(const struct node *n)
{
	if (redis_client_is_up(n->sub))
		redis_client_drop(n->sub, "begins anew");
}

void
state_lost(struct hostd_inst *in, const char *why)
{
	struct node *n;
	int was_up = in->up;

	in->up = 0;
	redis_presence_tell(&in->presence, HOSTD_HEALTH_DOWN, why);
	/* Of what is down already, the host knows. */
	(void)in->pubsub->down(in->host, hostd_str(why));
	if (!was_up)
		return;
	waiting_clear(&in->cluster.waiting);
	drop_subscriber(&in->home);
	LIST_FOREACH(n, &in->cluster.nodes, link)
		drop_subscriber(n);
}

void
state_check(struct hostd_inst *in)
{
	if (in->up || !is_ready(in))
		return;
	if (in->pubsub->up(in->host) == HOSTD_OK) {
		in->up = 1;
		redis_presence_tell(&in->presence, HOSTD_HEALTH_UP, "");
		in->complained = 0;
		return;
	}
	redis_presence_tell(&in->presence, HOSTD_HEALTH_UNUSED, "");
	hostd_logf(in->host, HOSTD_LOG_INFO, "the host has another backend, so "
	    "this one is not connected");
	node_close(&in->home);
	cluster_close(in);
	in->mode = MODE_UNKNOWN;
}

void
state_refused(struct hostd_inst *in, const char *command, const redisReply *r)
{
	if (in->complained)
		return;
	in->complained = 1;
	hostd_logf(in->host, HOSTD_LOG_ERROR, "Redis refuses %s: %s (more like "
	    "this is not said)", command, r->str);
}
