/* SPDX-License-Identifier: BSD-2-Clause */
/* One Redis: what is published to it, and what it brings. */
#include <strings.h>
#include "backend.h"

const char verb_again[] = "SSUBSCRIBE";

/* -- what it says -- */

static int
is_kind(const redisReply *r, const char *kind)
{
	return r->element[0]->type == REDIS_REPLY_STRING &&
	    strcasecmp(r->element[0]->str, kind) == 0;
}

static hostd_buf
text_of(const redisReply *r)
{
	hostd_buf b = { r->str, r->len };

	return b;
}

/* Without our prefix; 0: it is not one of ours. */
static int
channel_of(const struct hostd_inst *in, hostd_buf *name)
{
	size_t n = in->prefix.n;

	if (name->n < n || memcmp(name->p, in->prefix.p, n) != 0)
		return 0;
	name->p = (const char *)name->p + n;
	name->n -= n;
	return 1;
}

/* Something that will pass, and that all of this Redis has. */
static int
is_passing(const redisReply *r)
{
	return redis_is_error(r, "CLUSTERDOWN") ||
	    redis_is_error(r, "LOADING") || redis_is_error(r, "MASTERDOWN");
}

static void
deliver(struct hostd_inst *in, const redisReply *r)
{
	hostd_buf channel;

	if (r->elements != 3 || r->element[1]->type != REDIS_REPLY_STRING ||
	    r->element[2]->type != REDIS_REPLY_STRING)
		return;
	channel = text_of(r->element[1]);
	if (channel_of(in, &channel))
		(void)in->pubsub->deliver(in->host, channel,
		    text_of(r->element[2]));
}

/* [kind, channel, how many there are] */
static void
note_count(struct node *n, const redisReply *r)
{
	if (r->type == REDIS_REPLY_ARRAY && r->elements == 3 &&
	    r->element[2]->type == REDIS_REPLY_INTEGER)
		n->nsubs = r->element[2]->integer;
}

static void
node_pushed(struct redis_client *c, const redisReply *r)
{
	struct node *n = redis_client_arg(c);
	struct hostd_inst *in = n->in;

	if (is_kind(r, "message") || is_kind(r, "smessage")) {
		deliver(in, r);
		return;
	}
	if (!is_kind(r, "sunsubscribe") ||
	    r->element[1]->type != REDIS_REPLY_STRING)
		return;
	/* The slot goes to another node. */
	note_count(n, r);
	if (in->up)
		(void)cluster_wait(in, text_of(r->element[1]), 1);
	cluster_ask(in);
	cluster_retire(n);
}

/* Or nobody is to wait for it. */
static void
in_force(const struct hostd_inst *in, hostd_buf name)
{
	if (channel_of(in, &name) && HOSTD_HAS(in->pubsub, subscribed))
		(void)in->pubsub->subscribed(in->host, name);
}

static void
subscription_failed(struct node *n, const char *verb, hostd_buf name,
    const redisReply *r)
{
	struct hostd_inst *in = n->in;

	if (redis_is_error(r, "MOVED")) {
		(void)cluster_wait(in, name, 1);
		cluster_ask(in);
	} else if (is_passing(r)) {
		redis_client_drop(n->sub, r->str);
	} else {
		state_refused(in, verb, r);
		in_force(in, name);
	}
}

static void
node_subscribed(struct redis_client *c, const char *verb, hostd_buf name,
    const redisReply *r)
{
	struct node *n = redis_client_arg(c);
	struct hostd_inst *in = n->in;

	note_count(n, r);
	if (strcmp(verb, "SUNSUBSCRIBE") == 0)
		(void)waiting_remove(&in->cluster.waiting, name);
	else if (r->type == REDIS_REPLY_ERROR)
		subscription_failed(n, verb, name, r);
	else if (strcmp(verb, "UNSUBSCRIBE") != 0)
		in_force(in, name);
	if (r->type != REDIS_REPLY_ERROR && verb == verb_again &&
	    channel_of(in, &name))
		(void)in->pubsub->gap(in->host, name);
	cluster_retire(n);
}

static void
node_published(struct redis_client *c, void *arg, const redisReply *r)
{
	struct node *n = arg;
	struct hostd_inst *in = n->in;

	if (r == NULL)
		return;
	if (redis_is_error(r, "MOVED"))
		cluster_ask(in);
	else if (r->type == REDIS_REPLY_ERROR && is_passing(r))
		redis_client_drop(c, r->str);
	else if (r->type == REDIS_REPLY_ERROR)
		state_refused(in, "PUBLISH", r);
	cluster_retire(n);
}

static void
node_writable(struct redis_client *c)
{
	struct node *n = redis_client_arg(c);

	(void)n->in->pubsub->writable(n->in->host);
}

/* -- its connections -- */

static void
node_came(struct redis_client *c)
{
	struct node *n = redis_client_arg(c);
	struct hostd_inst *in = n->in;

	if (n == &in->home && c == n->pub && in->mode == MODE_UNKNOWN) {
		cluster_ask(in);
		return;
	}
	if (in->cluster.survey.stale)
		cluster_ask(in);
	if (in->up)
		cluster_go_on(in);
	state_check(in);
}

/* Of a cluster, nobody needs its home. */
static void
node_went(struct redis_client *c, int was_up, const char *why)
{
	struct node *n = redis_client_arg(c);
	struct hostd_inst *in = n->in;
	int lost = n->wanted || n->nsubs > 0;

	(void)was_up;
	if (c == n->sub)
		n->nsubs = 0;
	if (n == &in->home) {
		if (in->mode == MODE_CLUSTER)
			return;
		/* Another may answer there next time. */
		in->mode = MODE_UNKNOWN;
		state_lost(in, why);
		if (redis_client_is_up(n->pub))
			cluster_ask(in);
		return;
	}
	if (lost)
		state_lost(in, why);
	cluster_ask(in);
	cluster_retire(n);
}

static const struct redis_client_ops node_ops = {
	.up = node_came,
	.down = node_went,
	.push = node_pushed,
	.subscribed = node_subscribed,
	.writable = node_writable,
};

static int
client_open(struct node *n, struct redis_client **c, unsigned flags)
{
	if (*c == NULL && (*c = redis_client_new(&n->in->redis, n->at.host,
	    n->at.port, flags, &node_ops, n)) == NULL)
		return -1;
	redis_client_start(*c);
	return 0;
}

int
node_open(struct node *n, int subscriber)
{
	if (client_open(n, &n->pub, 0) == -1)
		return -1;
	return subscriber ? client_open(n, &n->sub, REDIS_SUBSCRIBER) : 0;
}

void
node_close(struct node *n)
{
	redis_client_free(n->pub);
	redis_client_free(n->sub);
	n->pub = n->sub = NULL;
	n->nsubs = 0;
}

int
node_is_up(const struct node *n)
{
	return redis_client_is_up(n->pub) && redis_client_is_up(n->sub);
}

struct node *
node_of(struct hostd_inst *in, hostd_buf name)
{
	const struct redis_slots *map = in->cluster.map;
	uint16_t i;

	if (in->mode == MODE_PLAIN)
		return &in->home;
	if (in->mode != MODE_CLUSTER)
		return NULL;
	i = map->owner[redis_slot(name.p, name.n)];
	return i == REDIS_NOBODY ? NULL : in->cluster.owners[i];
}

int32_t
node_publish(struct node *n, hostd_buf name, hostd_buf envelope)
{
	const char *argv[3] = { n == &n->in->home ? "PUBLISH" : "SPUBLISH",
		name.p, envelope.p };
	size_t lens[3] = { strlen(argv[0]), name.n, envelope.n };
	int32_t rc;

	rc = redis_command(n->pub, node_published, n, 3, argv, lens);
	/* Its connection is not there, or not yet: not taken. */
	return rc == HOSTD_E_STATE ? HOSTD_E_FULL : rc;
}
