/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is published and subscribed.  The others are there when all connections
 * are, and all that was subscribed is in force.  Who is subscribed is counted
 * by others, who wait for our answers: so nothing is subscribed before all are
 * there, and when one is lost all subscriptions begin anew.
 */
#include <string.h>
#include <strings.h>
#include "adapter.h"

#define SAID_AGAIN_MS	60000

/* -- what is published -- */

static void
count(const struct hostd_inst *in, uint32_t metric)
{
	if (in->counted.api != NULL)
		in->counted.api->add(in->host, metric, 1);
}

int32_t
link_counts(struct hostd_inst *in, struct hostd_err *err)
{
	static const struct hostd_metric rows[] = {
		{ .struct_size = sizeof(rows[0]), .type = HOSTD_METRIC_COUNTER,
		    .name = "published_total",
		    .help = "Messages to other nodes." },
		{ .struct_size = sizeof(rows[0]), .type = HOSTD_METRIC_COUNTER,
		    .name = "received_total",
		    .help = "Messages of other nodes." },
		{ .struct_size = sizeof(rows[0]), .type = HOSTD_METRIC_COUNTER,
		    .name = "ignored_total",
		    .help = "Messages that could not be understood." },
	};
	struct counted *c = &in->counted;
	uint32_t *const ids[] = { &c->published, &c->received, &c->ignored };
	int32_t rc;
	size_t i;

	c->api = in->host->get_ext(in->host, HOSTD_EXT_METRICS);
	for (i = 0; c->api != NULL && i < 3; i++)
		if ((rc = c->api->define(in->host, &rows[i], ids[i])) !=
		    HOSTD_OK)
			return hostd_fail(err, rc, "the metric %s can't be "
			    "defined: code %d", rows[i].name, (int)rc);
	return HOSTD_OK;
}

/* Something that will pass. */
static int
is_passing(const redisReply *r)
{
	return redis_is_error(r, "CLUSTERDOWN") ||
	    redis_is_error(r, "LOADING") || redis_is_error(r, "MASTERDOWN");
}

void
link_refused(struct hostd_inst *in, const char *command, const redisReply *r)
{
	if (!in->refused)
		hostd_logf(in->host, HOSTD_LOG_ERROR, "Redis refuses %s: %s "
		    "(more like this is not said)", command, r->type ==
		    REDIS_REPLY_ERROR ? r->str : "an answer of another kind");
	in->refused = 1;
}

static void
published(struct redis_client *c, void *arg, const redisReply *r)
{
	struct hostd_inst *in = arg;

	if (r == NULL || r->type != REDIS_REPLY_ERROR)
		return;
	if (redis_is_error(r, "MOVED")) {
		link_lost(in, r->str);
		nodes_anew(in);
		return;
	}
	if (is_passing(r)) {
		redis_client_drop(c, r->str);
		return;
	}
	link_refused(in, "PUBLISH", r);
}

int32_t
link_publish(struct hostd_inst *in, hostd_buf channel, hostd_buf message)
{
	const char *argv[3] = { in->sharded ? "SPUBLISH" : "PUBLISH",
		channel.p, message.p };
	size_t lens[3] = { strlen(argv[0]), channel.n, message.n };
	struct node *n = node_of(in, channel);
	int32_t rc;

	if (n == NULL || n->pub == NULL)
		return HOSTD_E_STATE;
	rc = redis_command(n->pub, published, in, 3, argv, lens);
	if (rc >= 0)
		count(in, in->counted.published);
	return rc;
}

/* -- being ready -- */

static void
go_on(struct hostd_inst *in)
{
	static const hostd_buf nothing = { NULL, 0 };
	const struct hostd_ready_api *ready = in->ready;

	if (ready == NULL)
		return;
	in->ready = NULL;
	(void)in->redis.timers->stop(in->host, in->ready_late);
	(void)ready->release(in->host, HOSTD_OK, nothing);
}

static void
hold_ends(struct hostd_inst *in, hostd_timer t, void *arg)
{
	(void)t;
	(void)arg;
	hostd_logf(in->host, HOSTD_LOG_WARN, "Redis has not confirmed all "
	    "subscriptions within hold_timeout (%u are missing): this worker "
	    "goes on, and may not hear of all that other nodes say now",
	    in->waiting);
	go_on(in);
}

void
link_settled(struct hostd_inst *in)
{
	go_on(in);
}

void
link_hold(struct hostd_inst *in)
{
	const struct hostd_ready_api *ready = in->host->get_ext(in->host,
	    HOSTD_EXT_READY);

	if (ready != NULL && in->redis.timers->start(in->host,
	    in->hold_ms, 0, hold_ends, NULL, &in->ready_late) == HOSTD_OK &&
	    ready->hold(in->host, "subscribing at Redis") == HOSTD_OK)
		in->ready = ready;
}

/* -- up and down -- */

static void
link_came(struct hostd_inst *in)
{
	if (in->up || in->waiting > 0 || !nodes_are_up(in))
		return;
	in->up = 1;
	redis_presence_tell(&in->presence, HOSTD_HEALTH_UP, "");
	hostd_logf(in->host, HOSTD_LOG_INFO, in->said ? "Redis is back: other "
	    "nodes are told and asked again" : "Redis is there: other nodes "
	    "are told and asked");
	in->said = 0;
	in->api->up(in->api, 1);
	if (!HOSTD_HAS(in->api, synced))
		go_on(in);
}

/* Behind this turn: of an instance that ends nothing is said. */
static void
say_lost(struct hostd_inst *in, void *arg)
{
	(void)arg;
	hostd_logf(in->host, HOSTD_LOG_WARN, "Redis is not there (%s): this "
	    "machine is alone until it is back", in->why);
}

/* What waited for something has waited in vain. */
void
link_lost(struct hostd_inst *in, const char *why)
{
	redis_presence_tell(&in->presence, HOSTD_HEALTH_DOWN, why);
	go_on(in);
	if (!in->said) {
		(void)snprintf(in->why, sizeof(in->why), "%s", why);
		(void)in->host->post(in->host, say_lost, NULL);
	}
	in->said = 1;
	if (!in->up)
		return;
	in->up = 0;
	ask_gone(in, NULL);
	in->api->up(in->api, 0);
}

/* -- subscriptions -- */

static const char *
verb_of(const struct hostd_inst *in, const struct channel *c, int on)
{
	if (in->sharded)
		return on ? "SSUBSCRIBE" : "SUNSUBSCRIBE";
	if (c->role == BROADCASTS)
		return on ? "PSUBSCRIBE" : "PUNSUBSCRIBE";
	return on ? "SUBSCRIBE" : "UNSUBSCRIBE";
}

/* Rooms only before this worker is ready: later, a room takes part as soon as
 * its channel does. */
static void
await(struct hostd_inst *in, struct channel *c)
{
	if (c->is_awaited || (c->role == ROOM && in->ready == NULL))
		return;
	c->is_awaited = 1;
	in->waiting++;
	if (c->role != ROOM)
		c->space->waiting++;
}

static void
echoes_end(struct hostd_inst *in, void *arg)
{
	(void)arg;
	if (in->echoes == 0)
		in->api->synced(in->api);
}

static void
echo_came(struct hostd_inst *in, struct channel *c)
{
	if (!c->is_echo)
		return;
	c->is_echo = 0;
	if (--in->echoes == 0)
		(void)in->host->post(in->host, echoes_end, NULL);
}

void
link_forget(struct hostd_inst *in, struct channel *c)
{
	echo_came(in, c);
	if (!c->is_awaited)
		return;
	c->is_awaited = 0;
	in->waiting--;
	if (c->role != ROOM)
		c->space->waiting--;
}

/* Where a connection is not there, or is given up now, all of it is asked for
 * again. */
void
link_subscribe(struct hostd_inst *in, struct channel *c, int on)
{
	struct node *n = node_of(in, c->entry.name);
	int32_t rc;

	if (n == NULL || !nodes_are_up(in))
		return;
	rc = redis_subscribe(n->sub, verb_of(in, c, on), c->entry.name);
	if (rc == HOSTD_E_NOMEM)
		redis_client_drop(n->sub, "out of memory");
	if (rc >= 0 && on)
		await(in, c);
}

/* Redis answers behind what it has sent before: once for each connection. */
void
link_sync(struct hostd_inst *in)
{
	struct table_entry *e;
	struct channel *c;
	struct node *n;

	for (n = node_next(in, NULL); n != NULL; n = node_next(in, n))
		n->is_asked = !nodes_are_up(in);
	for (e = table_next(&in->channels, NULL); e != NULL;
	    e = table_next(&in->channels, e)) {
		c = TABLE_OF(e, struct channel, entry);
		n = node_of(in, e->name);
		if (n == NULL || n->is_asked || c->is_echo ||
		    redis_subscribe(n->sub, verb_of(in, c, 1), e->name) < 0)
			continue;
		n->is_asked = c->is_echo = 1;
		in->echoes++;
	}
	if (in->echoes == 0)
		(void)in->host->post(in->host, echoes_end, NULL);
}

static void
subscribe_all(struct hostd_inst *in)
{
	struct table_entry *e;
	struct channel *c;

	for (e = table_next(&in->channels, NULL); e != NULL;
	    e = table_next(&in->channels, e)) {
		c = TABLE_OF(e, struct channel, entry);
		link_forget(in, c);
		if (c->space != NULL)
			link_subscribe(in, c, 1);
	}
}

static struct channel *
channel_find(const struct hostd_inst *in, hostd_buf name)
{
	struct table_entry *e = table_find(&in->channels, name);

	return e == NULL ? NULL : TABLE_OF(e, struct channel, entry);
}

static void
on_subscribed(struct redis_client *c, const char *verb, hostd_buf name,
    const redisReply *r)
{
	struct node *n = redis_client_arg(c);
	struct hostd_inst *in = n->in;
	struct channel *ch = channel_find(in, name);

	if (r->type == REDIS_REPLY_ERROR) {
		redis_client_drop(c, r->str);
		return;
	}
	if (ch != NULL && strstr(verb, "UNSUB") == NULL)
		echo_came(in, ch);
	if (ch != NULL && ch->is_awaited && strstr(verb, "UNSUB") == NULL) {
		link_forget(in, ch);
		if (ch->role != ROOM && ch->space->waiting == 0)
			ask_space_ready(ch->space);
	}
	link_came(in);
}

/* -- what comes -- */

void
link_ignore(struct hostd_inst *in, hostd_buf channel, const char *why)
{
	uint64_t now = in->host->now_ms(in->host);

	in->ignored++;
	count(in, in->counted.ignored);
	if (in->ignored_said != 0 && now - in->ignored_said < SAID_AGAIN_MS)
		return;
	hostd_logf(in->host, HOSTD_LOG_WARN, "a message on the channel %.*s is "
	    "ignored: %s (%llu in all until now; this is said once a minute)",
	    (int)channel.n, (const char *)channel.p, why,
	    (unsigned long long)in->ignored);
	in->ignored_said = now;
}

static hostd_buf
text_of(const redisReply *r)
{
	hostd_buf b = { r->str, r->len };

	return b;
}

static void
came_by(struct channel *ch, hostd_buf name, hostd_buf message)
{
	count(ch->space->in, ch->space->in->counted.received);
	if (ch->space->in->sharded) {
		heard_sharded(ch->space, name, message);
		return;
	}
	switch (ch->role) {
	case BROADCASTS:
		heard_broadcast(ch->space, name, message);
		break;
	case REQUESTS:
		heard_request(ch->space, name, message);
		break;
	default:
		heard_response(ch->space, name, message);
	}
}

/* [message, channel, text], or [pmessage, pattern, channel, text]. */
static void
on_push(struct redis_client *c, const redisReply *r)
{
	struct node *n = redis_client_arg(c);
	struct hostd_inst *in = n->in;
	struct channel *ch;
	size_t i;

	if (r->elements > 0 && r->element[0]->type == REDIS_REPLY_STRING &&
	    strcasecmp(r->element[0]->str, "sunsubscribe") == 0) {
		/* The slot goes to another node. */
		redis_client_drop(c, "the cluster changes");
		return;
	}

	for (i = 0; i < r->elements; i++)
		if (r->element[i]->type != REDIS_REPLY_STRING)
			return;
	if (r->elements != (strcasecmp(r->element[0]->str, "pmessage") == 0 ?
	    4 : 3) || (ch = channel_find(in, text_of(r->element[1]))) == NULL)
		return;
	came_by(ch, text_of(r->element[r->elements - 2]),
	    text_of(r->element[r->elements - 1]));
}

/* -- the connections -- */

static void
on_up(struct redis_client *c)
{
	struct node *n = redis_client_arg(c);
	struct hostd_inst *in = n->in;

	if (in->mode == MODE_UNKNOWN || in->survey.stale) {
		redis_survey_ask(&in->survey);
		return;
	}
	if ((n == &in->home && in->mode == MODE_CLUSTER) || !nodes_are_up(in))
		return;
	subscribe_all(in);
	link_came(in);
}

/* Of a cluster, nobody needs the one that has told of it. */
static void
on_down(struct redis_client *c, int was_up, const char *why)
{
	struct node *n = redis_client_arg(c);
	struct hostd_inst *in = n->in;

	(void)was_up;
	if (n == &in->home && in->mode == MODE_CLUSTER)
		return;
	link_lost(in, why);
	nodes_anew(in);
}

const struct redis_client_ops link_client_ops = {
	.up = on_up,
	.down = on_down,
	.push = on_push,
	.subscribed = on_subscribed,
};
