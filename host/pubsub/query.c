/* SPDX-License-Identifier: BSD-2-Clause */
#include <endian.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "pubsub/hub.h"
#include "pubsub/largest.h"

#define QUESTIONS_MAX	4096	/* more are not answered */
#define ANSWERS_BYTES	(1u << 20)	/* in a turn, and waiting for a
					   worker */

/* Whom an answer is awaited from. */
struct asked {
	uint32_t peer;			/* a worker's number; 0: a node's */
	uint64_t node, process;
};

/* What a question's and an answer's payload starts with. */
struct query_head {
	uint32_t id;
	uint32_t kind;
};

struct query {
	TAILQ_ENTRY(query) link;
	struct hub *hub;
	uint32_t id;
	enum query_kind kind;
	int settling;			/* a replay that waits for all */
	query_done done;
	void *owner, *arg;
	struct asked *asked;
	size_t nasked;
	struct buf answers;
	int32_t status;
	struct wheel_timer timer;
	struct loop_task finish;
	size_t len;
	char channel[CHANNEL_NAME_MAX];
};

/* Another's, until it is answered. */
struct question {
	TAILQ_ENTRY(question) link;
	uint64_t turn;			/* that it came in */
	uint32_t peer;			/* a worker's number; 0: a node's */
	struct hub_remote node;
	struct query_head head;
	size_t len;
	char channel[CHANNEL_NAME_MAX];
};

static void	query_ask(struct query *);

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
	void *owner = q->owner;

	if (q->settling && q->kind != QUERY_SETTLE) {
		q->settling = 0;
		query_ask(q);
		return;
	}
	/* The owner may be forgotten meanwhile, but not us twice. */
	q->owner = NULL;
	q->done(owner, q->arg, q->status, &q->answers);
	query_free(q);
}

static void
query_expire(struct wheel_timer *t)
{
	struct query *q = (struct query *)(void *)((char *)t -
	    offsetof(struct query, timer));

	size_t i;

	for (i = 0; i < q->nasked; i++)
		if (q->asked[i].peer == 0)
			remote_missed(q->hub, q->asked[i].node,
			    q->asked[i].process);
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

/* -- answering -- */

static void
answer(struct hub *hub, uint32_t kind, hostd_buf name, struct buf *out)
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
		history_write(ch->history, hub_now_us(), out);
	} else if (kind == QUERY_LARGEST) {
		largest_write(&hub->channels, out);
	}
}

/* Returns the bytes of the answer. */
static size_t
question_answer(struct hub *hub, const struct question *qn,
    struct bus_peer *p)
{
	struct envelope reply = { .type = ENV_REPLY };
	struct buf b = { NULL, 0, 0 };
	size_t n;

	buf_append(&b, &qn->head, sizeof(qn->head));
	answer(hub, le32toh(qn->head.kind),
	    (hostd_buf){ qn->channel, qn->len }, &b);
	n = b.len;
	reply.payload = (hostd_buf){ b.p, b.len };
	if (p != NULL)
		(void)bus_send(p, &reply);
	else
		hub_send_remote(hub, &qn->node, &reply);
	buf_free(&b);
	return n;
}

static void
question_free(struct hub *hub, struct question *qn)
{
	TAILQ_REMOVE(&hub->queries.questions, qn, link);
	hub->queries.nquestions--;
	free(qn);
}

/*
 * What was published here in the turn that they came in has left at its end.
 * Those whose asker, or the backend, has to take what waits for it first stay
 * until query_room.
 */
static void
questions_answer(struct loop_task *t)
{
	struct hub *hub = (struct hub *)(void *)((char *)t -
	    offsetof(struct hub, queries.answering));
	struct question *qn, *next;
	struct bus_peer *p;
	size_t bytes = 0;

	bus_read(&hub->bus);
	for (qn = TAILQ_FIRST(&hub->queries.questions); qn != NULL;
	    qn = next) {
		next = TAILQ_NEXT(qn, link);
		if (qn->turn == hub->loop->turn || bytes >= ANSWERS_BYTES) {
			loop_defer(hub->loop, t);
			break;
		}
		p = bus_find(&hub->bus, qn->peer);
		if (p != NULL ? bus_waiting(p) >= ANSWERS_BYTES :
		    qn->peer == 0 && hub->full)
			continue;
		if (p != NULL || qn->peer == 0)
			bytes += question_answer(hub, qn, p);
		question_free(hub, qn);
	}
}

void
query_room(struct hub *hub)
{
	if (!TAILQ_EMPTY(&hub->queries.questions))
		loop_defer(hub->loop, &hub->queries.answering);
}

static void
take_question(struct hub *hub, const struct bus_peer *p,
    const struct envelope *e)
{
	hostd_buf name = e->name;
	struct question *qn;

	if (e->payload.n < sizeof(qn->head) ||
	    hub->queries.nquestions >= QUESTIONS_MAX)
		return;
	/* Between nodes the name is part of the payload. */
	if (p == NULL)
		name = (hostd_buf){ (const char *)e->payload.p +
		    sizeof(qn->head), e->payload.n - sizeof(qn->head) };
	if (name.n > CHANNEL_NAME_MAX)
		return;
	qn = xcalloc(1, sizeof(*qn));
	qn->turn = hub->loop->turn;
	qn->peer = p != NULL ? p->ref : 0;
	qn->node = (struct hub_remote){ .node = e->node, .process = e->seq };
	memcpy(&qn->head, e->payload.p, sizeof(qn->head));
	qn->len = name.n;
	memcpy(qn->channel, name.p, name.n);
	TAILQ_INSERT_TAIL(&hub->queries.questions, qn, link);
	hub->queries.nquestions++;
	loop_defer(hub->loop, &hub->queries.answering);
}

static void
take_answer(struct hub *hub, const struct bus_peer *p,
    const struct envelope *e)
{
	struct query_head head;
	hostd_buf rest;
	struct query *q;
	size_t i;

	if (e->payload.n < sizeof(head))
		return;
	memcpy(&head, e->payload.p, sizeof(head));
	rest = (hostd_buf){ (const char *)e->payload.p + sizeof(head),
		e->payload.n - sizeof(head) };
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
		if (p != NULL || remote_answer_ok(hub, (int)q->kind, rest))
			buf_append(&q->answers, rest.p, rest.n);
		query_answered(q, i);
		return;
	}
}

void
query_received(struct hub *hub, struct bus_peer *p, const struct envelope *e)
{
	if (e->type == ENV_QUERY)
		take_question(hub, p, e);
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

void
query_remote_left(struct hub *hub, uint64_t node, uint64_t process)
{
	struct query *q;
	size_t i;

	TAILQ_FOREACH(q, &hub->queries.list, link)
		for (i = 0; i < q->nasked; i++)
			if (q->asked[i].peer == 0 &&
			    q->asked[i].node == node &&
			    q->asked[i].process == process) {
				query_answered(q, i);
				break;
			}
}

/* -- asking -- */

/* All workers, and no node; else those who may know of the channel. */
static int
is_for_workers(const struct query *q)
{
	return q->settling || q->kind == QUERY_LARGEST;
}

static void
ask_workers(struct query *q, struct envelope *e)
{
	struct channel *ch = channel_find(&q->hub->channels, e->name);
	struct bus_peer *p;

	TAILQ_FOREACH(p, &q->hub->bus.peers, link) {
		if (!is_for_workers(q) && !bus_peer_may_want(p, ch))
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
		if (hub->remotes[i].silent)
			q->status = HOSTD_E_TIMEOUT;
		else
			q->asked[q->nasked++] = (struct asked){ 0,
				hub->remotes[i].node,
				hub->remotes[i].process };
}

static void
query_ask(struct query *q)
{
	struct hub *hub = q->hub;
	struct query_head head = { .kind = htole32((uint32_t)(q->settling ?
	    QUERY_SETTLE : q->kind)) };
	struct envelope e = { .type = ENV_QUERY,
		.name = { q->channel, q->len },
		.payload = { &head, sizeof(head) } };
	/* A worker that has stopped must not take all of the time. */
	uint64_t ms = (uint64_t)hub->conf->query_timeout /
	    (q->kind == QUERY_REPLAY ? 2 : 1);

	q->id = ++hub->queries.last;
	head.id = htole32(q->id);
	free(q->asked);
	q->asked = xcalloc(hub->bus.npeers + hub->nremotes + 1,
	    sizeof(*q->asked));
	bus_catch_up(&hub->bus);
	if (!q->settling)
		answer(hub, q->kind, e.name, &q->answers);
	ask_workers(q, &e);
	if (!is_for_workers(q))
		ask_nodes(q, &e);
	if (q->nasked == 0)
		loop_defer(hub->loop, &q->finish);
	wheel_set(&hub->loop->wheel, &q->timer, hub->loop->now_ms + ms);
}

void
query_start(struct hub *hub, enum query_kind kind, hostd_buf channel,
    query_done done, void *owner, void *arg)
{
	struct query *q = xcalloc(1, sizeof(*q));

	q->hub = hub;
	q->kind = kind;
	q->settling = kind == QUERY_REPLAY || kind == QUERY_SETTLE;
	q->done = done;
	q->owner = owner;
	q->arg = arg;
	q->timer.fire = query_expire;
	q->finish.run = query_finish;
	q->len = channel.n;
	memcpy(q->channel, channel.p, channel.n);
	TAILQ_INSERT_TAIL(&hub->queries.list, q, link);
	query_ask(q);
}

/* -- life -- */

void
queries_init(struct hub *hub)
{
	TAILQ_INIT(&hub->queries.list);
	TAILQ_INIT(&hub->queries.questions);
	hub->queries.answering.run = questions_answer;
}

void
queries_close(struct hub *hub)
{
	struct question *qn;
	struct query *q;

	while ((q = TAILQ_FIRST(&hub->queries.list)) != NULL)
		query_free(q);
	loop_undefer(hub->loop, &hub->queries.answering);
	while ((qn = TAILQ_FIRST(&hub->queries.questions)) != NULL)
		question_free(hub, qn);
}
