/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is to be said to the backend.  A plugin is never called while another
 * one's call is on its way, so it waits for the end of the turn.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/mem.h"
#include "pubsub/hub.h"

struct outgoing {
	STAILQ_ENTRY(outgoing) link;
	int subscribe;		/* 1, 0; -1: a message */
	size_t len;		/* of the channel's name */
	size_t n;		/* bytes of the envelope behind it */
	char bytes[];
};

static struct outgoing *
outbox_add(struct hub *hub, hostd_buf channel, size_t n)
{
	struct outgoing *o = xmalloc(sizeof(*o) + channel.n + n);

	o->len = channel.n;
	o->n = n;
	memcpy(o->bytes, channel.p, channel.n);
	STAILQ_INSERT_TAIL(&hub->outbox, o, link);
	loop_defer(hub->loop, &hub->post);
	return o;
}

void
outbox_publish(struct hub *hub, hostd_buf channel, const struct envelope *e)
{
	struct outgoing *o;
	char *p;

	if (!hub->up) {
		hub->spoke_alone = 1;
		return;
	}
	o = outbox_add(hub, channel, ENVELOPE_HEAD + e->payload.n);
	o->subscribe = -1;
	p = o->bytes + o->len;
	envelope_put(p, e);
	if (e->payload.n > 0)
		memcpy(p + ENVELOPE_HEAD, e->payload.p, e->payload.n);
}

void
outbox_subscribe(struct hub *hub, hostd_buf channel, int on)
{
	outbox_add(hub, channel, 0)->subscribe = on;
}

static void
post_message(struct hub *hub, const struct outgoing *o)
{
	struct hub_backend *b = hub->backend;
	hostd_buf channel = { o->bytes, o->len };
	hostd_buf bytes = { o->bytes + o->len, o->n };
	int32_t rc = HOSTD_E_FULL;

	if (b->max_envelope == 0 || o->n <= b->max_envelope)
		rc = b->publish(b, channel, bytes);
	if (rc == HOSTD_AGAIN)
		hub->full = 1;
	board_add(rc < 0 ? &hub->cell->counters.backend_dropped :
	    &hub->cell->counters.backend_out, 1);
}

static void
post_subscribe(struct hub *hub, const struct outgoing *o)
{
	struct hub_backend *b = hub->backend;
	hostd_buf channel = { o->bytes, o->len };
	int32_t rc = b->subscribe(b, channel, o->subscribe);

	if (rc < 0)
		log_warnx("pubsub: %s refuses to subscribe to %.*s: code %d",
		    b->name, (int)o->len, o->bytes, rc);
	if (rc != HOSTD_AGAIN && o->subscribe)
		(void)hub_subscribed(hub, channel);
}

/* What the backend says in its calls may be the last of it. */
void
outbox_post(struct hub *hub)
{
	struct outgoing *o;

	while ((o = STAILQ_FIRST(&hub->outbox)) != NULL) {
		STAILQ_REMOVE_HEAD(&hub->outbox, link);
		if (hub->up && o->subscribe == -1)
			post_message(hub, o);
		else if (hub->up)
			post_subscribe(hub, o);
		free(o);
	}
}

static void
outbox_run(struct loop_task *t)
{
	outbox_post((struct hub *)(void *)((char *)t -
	    offsetof(struct hub, post)));
}

void
outbox_init(struct hub *hub)
{
	hub->post.run = outbox_run;
	STAILQ_INIT(&hub->outbox);
}

void
outbox_close(struct hub *hub)
{
	struct outgoing *o;

	loop_undefer(hub->loop, &hub->post);
	while ((o = STAILQ_FIRST(&hub->outbox)) != NULL) {
		STAILQ_REMOVE_HEAD(&hub->outbox, link);
		free(o);
	}
}
