/* SPDX-License-Identifier: BSD-2-Clause */
#include <search.h>
#include "sse.h"

struct topic {
	hostd_buf channel;		/* first: the tree's key */
	TAILQ_ENTRY(topic) link;	/* of idle */
	struct clients live, waiting;	/* these for the replay */
	uint32_t n;			/* of both */
	int subscribed;			/* while there are any, or a replay */
	hostd_sub sub;
	struct replay *replay;		/* NULL: none is under way */
	uint64_t idle_since;
};

/* -- the tree -- */

static int
compare(const void *x, const void *y)
{
	const hostd_buf *a = x, *b = y;

	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	return memcmp(a->p, b->p, a->n);
}

static void
topic_keep(const struct hostd_inst *in, const struct topic *topic, int on)
{
	if (in->history > 0)
		(void)in->easy.channel->keep(in->easy.host, topic->channel,
		    on ? in->history : 0, on ? in->history_age : 0);
}

static struct topic *
topic_new(struct hostd_inst *in, hostd_buf channel)
{
	struct topic *topic = calloc(1, sizeof(*topic) + channel.n);

	if (topic == NULL)
		return NULL;
	memcpy(topic + 1, channel.p, channel.n);
	topic->channel = (hostd_buf){ topic + 1, channel.n };
	TAILQ_INIT(&topic->live);
	TAILQ_INIT(&topic->waiting);
	if (tsearch(topic, &in->topics, compare) == NULL) {
		free(topic);
		return NULL;
	}
	topic_keep(in, topic, 1);
	return topic;
}

static void
topic_free(void *p)
{
	struct topic *topic = p;

	replay_free(topic->replay);
	free(topic);
}

/* Not while a replay is under way, which would come back to it. */
static void
topic_end(struct hostd_inst *in, struct topic *topic)
{
	topic_keep(in, topic, 0);
	(void)tdelete(topic, &in->topics, compare);
	topic_free(topic);
}

void
topics_free(struct hostd_inst *in)
{
	tdestroy(in->topics, topic_free);
	in->topics = NULL;
}

hostd_buf
topic_channel(const struct topic *topic)
{
	return topic->channel;
}

/* -- messages -- */

static void
topic_event(struct hostd_inst *in, hostd_sub sub, void *arg,
    const struct hostd_channel_event *ev)
{
	struct topic *topic = arg;
	struct frame *f = ev->type == HOSTD_CHANNEL_GAP ? frame_gap() :
	    frame_message(ev);
	struct client *c;

	(void)sub;
	if (f == NULL)
		return;
	TAILQ_FOREACH(c, &topic->live, link)
		client_send(in, c, f, 0);
	if (topic->replay != NULL)
		replay_hold(topic->replay, in, f);
	frame_drop(f);
}

/* -- idle ones -- */

static void
idle_remove(struct hostd_inst *in, struct topic *topic)
{
	TAILQ_REMOVE(&in->idle, topic, link);
	in->nidle--;
}

static void
idle_end_oldest(struct hostd_inst *in)
{
	struct topic *topic = TAILQ_FIRST(&in->idle);

	idle_remove(in, topic);
	topic_end(in, topic);
}

/* Who was here may come back and ask for what came meanwhile. */
static void
topic_settle(struct hostd_inst *in, struct topic *topic)
{
	const struct hostd_easy *e = hostd_easy_of(in);

	if (topic->n > 0 || topic->replay != NULL)
		return;
	(void)e->channel->unsubscribe(e->host, topic->sub);
	topic->subscribed = 0;
	if (in->history == 0) {
		topic_end(in, topic);
		return;
	}
	topic->idle_since = e->host->now_ms(e->host);
	TAILQ_INSERT_TAIL(&in->idle, topic, link);
	if (++in->nidle > in->idle_channels)
		idle_end_oldest(in);
}

void
topics_tidy(struct hostd_inst *in)
{
	uint64_t now = in->easy.host->now_ms(in->easy.host);
	struct topic *topic;

	while ((topic = TAILQ_FIRST(&in->idle)) != NULL &&
	    topic->idle_since + in->history_age < now)
		idle_end_oldest(in);
}

/* -- clients -- */

/* Found or made, and on no list. */
static struct topic *
topic_get(struct hostd_inst *in, hostd_buf channel)
{
	struct topic **found = tfind(&channel, &in->topics, compare);

	if (found == NULL)
		return topic_new(in, channel);
	if (!(*found)->subscribed)
		idle_remove(in, *found);
	return *found;
}

static int32_t
topic_subscribe(struct hostd_inst *in, struct topic *topic)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	int32_t rc;

	if (topic->subscribed)
		return HOSTD_OK;
	rc = e->channel->subscribe(e->host, topic->channel, topic_event,
	    topic, &topic->sub);
	if (rc == HOSTD_OK)
		topic->subscribed = 1;
	return rc;
}

/* Until the others answer what they know of the channel. */
static int32_t
topic_wait(struct hostd_inst *in, struct topic *topic, struct client *c)
{
	c->waiting = 1;
	TAILQ_INSERT_TAIL(&topic->waiting, c, link);
	if (topic->replay == NULL)
		topic->replay = replay_start(in, topic);
	if (topic->replay != NULL)
		return HOSTD_DEFER;
	topic_replayed(in, topic);
	return HOSTD_OK;
}

int32_t
topic_enter(struct hostd_inst *in, struct client *c, hostd_buf channel)
{
	struct topic *topic = topic_get(in, channel);
	int32_t rc;

	if (topic == NULL)
		return HOSTD_E_NOMEM;
	if ((rc = topic_subscribe(in, topic)) != HOSTD_OK) {
		topic_end(in, topic);
		return rc;
	}
	c->topic = topic;
	topic->n++;
	if (c->since != SINCE_NOW)
		return topic_wait(in, topic, c);
	TAILQ_INSERT_TAIL(&topic->live, c, link);
	return client_begin(in, c);
}

void
topic_leave(struct hostd_inst *in, struct client *c)
{
	struct topic *topic = c->topic;

	c->topic = NULL;
	TAILQ_REMOVE(c->waiting ? &topic->waiting : &topic->live, c, link);
	topic->n--;
	topic_settle(in, topic);
}

/* Those who have waited are told, and live on. */
void
topic_replayed(struct hostd_inst *in, struct topic *topic)
{
	struct replay *r = topic->replay;
	struct client *c;

	topic->replay = NULL;
	if (r != NULL)
		replay_finish(r);
	while ((c = TAILQ_FIRST(&topic->waiting)) != NULL) {
		TAILQ_REMOVE(&topic->waiting, c, link);
		TAILQ_INSERT_TAIL(&topic->live, c, link);
		c->waiting = 0;
		if (client_begin(in, c) == HOSTD_OK)
			replay_tell(in, r, c);
		else
			(void)in->easy.http->abort(in->easy.host, c->req);
	}
	replay_free(r);
	topic_settle(in, topic);
}
