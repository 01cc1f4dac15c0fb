/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A channel's past, asked for once for all clients that wait for it then.  We
 * listen before we ask, so nothing is between what was kept and what was held
 * meanwhile; what is in both is sent once.
 */
#include "sse.h"

struct replay {
	struct topic *topic;
	struct frame_refs past, held;
	struct frame *all;		/* the past as one, for all to share */
	uint64_t held_bytes;
	int lost;			/* something may be missing */
};

void
replay_free(struct replay *r)
{
	if (r == NULL)
		return;
	frames_drop(&r->past);
	frames_drop(&r->held);
	if (r->all != NULL)
		frame_drop(r->all);
	free(r);
}

void
replay_finish(struct replay *r)
{
	if ((r->all = frames_join(&r->past)) == NULL)
		r->lost = 1;
}

void
replay_hold(struct replay *r, const struct hostd_inst *in, struct frame *f)
{
	if (r->held_bytes + f->n > in->max_pending ||
	    frames_add(&r->held, f, 0) == -1) {
		r->lost = 1;
		return;
	}
	r->held_bytes += f->n;
}

static void
replay_event(struct hostd_inst *in, void *arg, int32_t status,
    const struct hostd_channel_event *ev)
{
	struct replay *r = arg;
	struct frame *f;

	if (ev == NULL) {
		if (status != HOSTD_OK)
			r->lost = 1;
		topic_replayed(in, r->topic);
		return;
	}
	f = ev->type == HOSTD_CHANNEL_GAP ? frame_gap() : frame_message(ev);
	if (f == NULL || frames_add(&r->past, f, 0) == -1)
		r->lost = 1;
	if (f != NULL)
		frame_drop(f);
}

struct replay *
replay_start(struct hostd_inst *in, struct topic *topic)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	struct replay *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->topic = topic;
	STAILQ_INIT(&r->past);
	STAILQ_INIT(&r->held);
	if (e->channel->replay(e->host, topic_channel(topic), 0, 0,
	    replay_event, r) == HOSTD_OK)
		return r;
	free(r);
	return NULL;
}

/* -- telling -- */

static int
is_same(struct event_id a, struct event_id b)
{
	return a.node == b.node && a.seq == b.seq;
}

/* Where in the past what is behind a message begins: its place, and how many
 * bytes are before it.  0, or -1 when that message is not there. */
static int
find(const struct replay *r, struct event_id id, struct frame_ref **at,
    size_t *from)
{
	struct frame_ref *ref;
	size_t n = 0;

	STAILQ_FOREACH(ref, &r->past, link) {
		n += ref->frame->n;
		if (!is_same(ref->frame->id, id))
			continue;
		*at = STAILQ_NEXT(ref, link);
		*from = n;
		return 0;
	}
	*at = STAILQ_FIRST(&r->past);
	*from = 0;
	return -1;
}

/*
 * What was held came after the client had asked, so it has not seen it, even if
 * the clock of its node sorts it before what it has seen.  From at on is what
 * it was sent.
 */
static void
tell_held(struct hostd_inst *in, struct replay *r, struct client *c,
    const struct frame_ref *at)
{
	const struct frame_ref *ref, *sent;

	STAILQ_FOREACH(ref, &r->held, link) {
		for (sent = at; sent != NULL; sent = STAILQ_NEXT(sent, link))
			if (is_same(sent->frame->id, ref->frame->id))
				break;
		if (sent == NULL && (c->since != SINCE_ID ||
		    !is_same(ref->frame->id, c->id)))
			client_send(in, c, ref->frame, 0);
	}
}

static void
tell_gap(struct hostd_inst *in, struct client *c)
{
	struct frame *f = frame_gap();

	if (f == NULL)
		return;
	client_send(in, c, f, 0);
	frame_drop(f);
}

static void
tell_past(struct hostd_inst *in, struct replay *r, struct client *c)
{
	struct frame_ref *at;
	size_t from;

	if ((find(r, c->id, &at, &from) == -1 && c->since == SINCE_ID) ||
	    r->lost)
		tell_gap(in, c);
	/* However much this is, the client is not slow for it. */
	c->spared = UINT64_MAX - in->max_pending;
	if (at != NULL && r->all != NULL)
		client_send(in, c, r->all, from);
	tell_held(in, r, c, at);
	c->spared = c->pending;
}

void
replay_tell(struct hostd_inst *in, struct replay *r, struct client *c)
{
	if (r == NULL && c->since != SINCE_NOW)
		tell_gap(in, c);
	else if (r != NULL && c->since != SINCE_NOW)
		tell_past(in, r, c);
	else if (r != NULL)
		tell_held(in, r, c, NULL);
}
