/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A channel's past, asked for once for all clients that wait for it then.  We
 * listen before we ask, so nothing is between what was kept and what was held
 * meanwhile; what is in both is sent once.
 */
#include "sse.h"

/* Where in the past a message is. */
struct place {
	struct event_id id;
	uint32_t no;			/* how many are before it */
	size_t end;			/* bytes up to its end */
};

struct replay {
	struct topic *topic;
	struct frame_refs past, held;
	struct frame *all;		/* the past as one, for all to share; */
	struct place *places;		/* sorted by id */
	size_t nplaces;
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
	free(r->places);
	free(r);
}

/* -- places -- */

static int
compare(const void *x, const void *y)
{
	const struct event_id *a = x, *b = y;

	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

/* NULL: it is not there. */
static const struct place *
place_of(const struct replay *r, struct event_id id)
{
	return r->nplaces == 0 ? NULL : bsearch(&id, r->places, r->nplaces,
	    sizeof(r->places[0]), compare);
}

/* A gap has no id, but bytes. */
static void
fill_places(struct replay *r)
{
	struct frame_ref *ref;
	size_t end = 0;
	uint32_t no = 0;

	STAILQ_FOREACH(ref, &r->past, link) {
		end += ref->frame->n;
		if (ref->frame->id.node != 0 || ref->frame->id.seq != 0)
			r->places[r->nplaces++] = (struct place){
				ref->frame->id, no, end };
		no++;
	}
	qsort(r->places, r->nplaces, sizeof(r->places[0]), compare);
}

/* Both, or none: the past is lost. */
void
replay_finish(struct replay *r)
{
	struct frame_ref *ref;
	size_t n = 1;

	STAILQ_FOREACH(ref, &r->past, link)
		n++;
	r->places = calloc(n, sizeof(r->places[0]));
	if (r->places != NULL && (r->all = frames_join(&r->past)) != NULL)
		fill_places(r);
	else
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

/*
 * What was held came after the client had asked, so it has not seen it, even if
 * the clock of its node sorts it before what it has seen.  It was sent the past
 * but for the first so many.
 */
static void
tell_held(struct hostd_inst *in, struct replay *r, struct client *c,
    uint32_t first)
{
	const struct frame_ref *ref;
	const struct place *p;

	STAILQ_FOREACH(ref, &r->held, link) {
		p = place_of(r, ref->frame->id);
		if ((p == NULL || p->no < first) && (c->since != SINCE_ID ||
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
	const struct place *seen = c->since == SINCE_ID ?
	    place_of(r, c->id) : NULL;
	size_t from = seen == NULL ? 0 : seen->end;

	if ((seen == NULL && c->since == SINCE_ID) || r->lost)
		tell_gap(in, c);
	/* However much this is, the client is not slow for it. */
	c->spared = UINT64_MAX - in->max_pending;
	if (r->all != NULL && from < r->all->n)
		client_send(in, c, r->all, from);
	tell_held(in, r, c, seen == NULL ? 0 : seen->no + 1);
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
		tell_held(in, r, c, UINT32_MAX);
}
