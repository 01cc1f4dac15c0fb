/* SPDX-License-Identifier: BSD-2-Clause */
#include <endian.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "pubsub/history.h"
#include "pubsub/hub.h"

/* Whom an answer is awaited from. */
struct asked {
	uint32_t peer;			/* a worker's number; 0: a node's */
	uint64_t node, process;
};

struct query {
	TAILQ_ENTRY(query) link;
	struct hub *hub;
	uint32_t id;
	query_done done;
	void *owner, *arg;
	struct asked *asked;
	size_t nasked;
	struct buf answers;
	int32_t status;
	struct wheel_timer timer;
	struct loop_task finish;
};

/* What a question's and an answer's payload starts with. */
struct query_head {
	uint32_t id;
	uint32_t kind;
};

/* -- ending -- */

static void
query_free(struct query *q)
{
	struct loop *l = q->hub->loop;

	TAILQ_REMOVE(&q->hub->queries.list, q, link);
	wheel_remove(&l->wheel, &q->timer);
	loop_undefer(l, &q->finish);
	buf_free(&q->answers);
	free(q->arg);
	free(q->asked);
	free(q);
}

static void
query_finish(struct loop_task *t)
{
	struct query *q = (struct query *)(void *)((char *)t -
	    offsetof(struct query, finish));

	q->done(q->owner, q->arg, q->status, &q->answers);
	query_free(q);
}

static void
query_expire(struct wheel_timer *t)
{
	struct query *q = (struct query *)(void *)((char *)t -
	    offsetof(struct query, timer));

	q->status = HOSTD_E_TIMEOUT;
	loop_defer(q->hub->loop, &q->finish);
}

/* Whoever is at i has answered, or will not. */
static void
query_answered(struct query *q, size_t i)
{
	q->asked[i] = q->asked[--q->nasked];
	if (q->nasked == 0)
		loop_defer(q->hub->loop, &q->finish);
}

void
query_forget(struct hub *hub, const void *owner, int tell)
{
	struct query *q, *next;

	for (q = TAILQ_FIRST(&hub->queries.list); q != NULL; q = next) {
		next = TAILQ_NEXT(q, link);
		if (q->owner != owner)
			continue;
		if (tell)
			q->done(q->owner, q->arg, HOSTD_E_TIMEOUT,
			    &q->answers);
		query_free(q);
	}
}

void
queries_close(struct hub *hub)
{
	struct query *q;

	while ((q = TAILQ_FIRST(&hub->queries.list)) != NULL)
		query_free(q);
}

/* -- answering -- */

/* max: bytes of a history. */
static void
answer(struct hub *hub, uint32_t kind, hostd_buf name, size_t max,
    struct buf *out)
{
	struct channel *ch = channel_find(&hub->channels, name);
	uint64_t n;

	if (kind == QUERY_COUNT) {
		n = htole64(ch == NULL ? 0 : ch->nsockets);
		buf_append(out, &n, sizeof(n));
	} else if (kind == QUERY_LIST && ch != NULL) {
		hub->queries.list_here(hub, name, out);
	} else if (kind == QUERY_REPLAY && ch != NULL &&
	    ch->history != NULL) {
		history_write(ch->history, hub_now_us(), max, out);
	}
}

static void
answer_question(struct hub *hub, struct bus_peer *p, const struct envelope *e)
{
	struct hub_remote to = { .node = e->node, .process = e->seq };
	struct envelope reply = { .type = ENV_REPLY };
	struct buf b = { NULL, 0, 0 };
	struct query_head head;

	if (e->payload.n < sizeof(head))
		return;
	buf_append(&b, e->payload.p, sizeof(head));
	memcpy(&head, e->payload.p, sizeof(head));
	/* Between nodes the name is part of the payload. */
	answer(hub, le32toh(head.kind), e->name.n > 0 ? e->name :
	    (hostd_buf){ (const char *)e->payload.p + sizeof(head),
	    e->payload.n - sizeof(head) }, QUERY_ANSWER_MAX, &b);
	reply.payload = (hostd_buf){ b.p, b.len };
	if (p != NULL)
		(void)bus_send(p, &reply);
	else
		hub_send_remote(hub, &to, &reply);
	buf_free(&b);
}

static void
take_answer(struct hub *hub, const struct bus_peer *p,
    const struct envelope *e)
{
	struct query_head head;
	struct query *q;
	size_t i;

	if (e->payload.n < sizeof(head))
		return;
	memcpy(&head, e->payload.p, sizeof(head));
	TAILQ_FOREACH(q, &hub->queries.list, link)
		if (q->id == le32toh(head.id))
			break;
	if (q == NULL)
		return;
	for (i = 0; i < q->nasked; i++) {
		if (p != NULL ? q->asked[i].peer != p->ref :
		    q->asked[i].peer != 0 || q->asked[i].node != e->node ||
		    q->asked[i].process != e->seq)
			continue;
		buf_append(&q->answers, (const char *)e->payload.p +
		    sizeof(head), e->payload.n - sizeof(head));
		query_answered(q, i);
		return;
	}
}

void
query_received(struct hub *hub, struct bus_peer *p, const struct envelope *e)
{
	if (e->type == ENV_QUERY)
		answer_question(hub, p, e);
	else
		take_answer(hub, p, e);
}

void
query_peer_left(struct hub *hub, const struct bus_peer *p)
{
	struct query *q;
	size_t i;

	TAILQ_FOREACH(q, &hub->queries.list, link)
		for (i = 0; i < q->nasked; i++)
			if (q->asked[i].peer == p->ref) {
				query_answered(q, i);
				break;
			}
}

/* -- asking -- */

static void
ask_workers(struct query *q, struct envelope *e)
{
	struct channel *ch = channel_find(&q->hub->channels, e->name);
	struct bus_peer *p;

	TAILQ_FOREACH(p, &q->hub->bus.peers, link) {
		if (!bus_peer_may_want(p, ch))
			continue;
		if (bus_send(p, e) == 0)
			q->asked[q->nasked++].peer = p->ref;
		else
			q->status = HOSTD_E_TIMEOUT;
	}
}

static void
ask_nodes(struct query *q, struct envelope *e)
{
	struct hub *hub = q->hub;
	struct buf b = { NULL, 0, 0 };
	size_t i;

	if (hub->nremotes == 0 || !hub->up)
		return;
	buf_append(&b, e->payload.p, e->payload.n);
	buf_append(&b, e->name.p, e->name.n);
	e->payload = (hostd_buf){ b.p, b.len };
	e->name.n = 0;
	hub_send_remote(hub, NULL, e);
	buf_free(&b);
	for (i = 0; i < hub->nremotes; i++)
		q->asked[q->nasked++] = (struct asked){ 0,
			hub->remotes[i].node, hub->remotes[i].process };
}

void
query_start(struct hub *hub, enum query_kind kind, hostd_buf channel,
    query_done done, void *owner, void *arg)
{
	struct query *q = xcalloc(1, sizeof(*q));
	struct query_head head = { 0, htole32((uint32_t)kind) };
	struct envelope e = { .type = ENV_QUERY, .name = channel };

	q->hub = hub;
	q->id = ++hub->queries.last;
	q->done = done;
	q->owner = owner;
	q->arg = arg;
	q->timer.fire = query_expire;
	q->finish.run = query_finish;
	q->asked = xcalloc(hub->bus.npeers + hub->nremotes + 1,
	    sizeof(*q->asked));
	TAILQ_INSERT_TAIL(&hub->queries.list, q, link);
	bus_catch_up(&hub->bus);
	answer(hub, kind, channel, SIZE_MAX, &q->answers);
	head.id = htole32(q->id);
	e.payload = (hostd_buf){ &head, sizeof(head) };
	ask_workers(q, &e);
	ask_nodes(q, &e);
	if (q->nasked == 0)
		loop_defer(hub->loop, &q->finish);
	else
		wheel_set(&hub->loop->wheel, &q->timer, hub->loop->now_ms +
		    (uint64_t)hub->conf->query_timeout);
}
