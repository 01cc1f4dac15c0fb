/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit_rate: the kernel sends at that rate, so that nothing has to be woken
 * for it, and takes no more than about a second's bytes at a time, so that it
 * is seen how far the client has come.  A stream of HTTP/2 has no socket of its
 * own: it stops, and a timer lets it go on.
 */
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "http/conn.h"
#include "http/router.h"
#include "http/server.h"
#include "limit/limits.h"

#define QUEUE_LEAST	16384	/* bytes that the kernel takes */
#define QUEUE_MOST	131072
#define QUEUE_PIECE	65536	/* by so much it takes more than that */
#define STEP_MS		100	/* of a stream: so much at once */
#define CREDIT_MS	1000	/* what was not used in that time is lost */
#define RATE_MOST	(1ull << 40)

struct limit_pace {
	struct http_errand errand;	/* first */
	struct stream_stop stop;
	struct wheel_timer timer;
	struct limits *all;
	struct http_conn *conn;
	struct limit_pace *next_spare;
	uint64_t rate, after;
	uint64_t from;			/* where its answer begins */
	uint64_t since_ms;		/* the bytes up to stop.at are of
					   before; 0: it has not stopped */
	int is_on;
};

/* -- a socket -- */

static void
set_socket(int fd, uint64_t rate, uint64_t queue)
{
	int lowat = (int)queue;

	(void)setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate,
	    sizeof(rate));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat,
	    sizeof(lowat));
}

static uint64_t
queue_size(uint64_t rate)
{
	return rate < QUEUE_LEAST ? QUEUE_LEAST : rate > QUEUE_MOST ?
	    QUEUE_MOST : rate;
}

/* It takes more when half of its queue has gone. */
uint32_t
pace_ms(uint64_t rate)
{
	uint64_t ms = (queue_size(rate) / 2 + QUEUE_PIECE) * 1000 / rate;

	return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

/* Unix sockets have no rate.  What waits in the kernel when the rate begins to
 * hold is little, too. */
static void
set_rate(const struct limit_pace *p, uint64_t rate)
{
	set_socket(p->conn->stream.io.fd, rate, queue_size(p->rate));
}

static struct limit_pace *
pace_of(struct stream_stop *stop)
{
	return (struct limit_pace *)(void *)((char *)stop -
	    offsetof(struct limit_pace, stop));
}

/* From here on at the rate. */
static void
socket_reached(struct stream_stop *stop, uint64_t at)
{
	struct limit_pace *p = pace_of(stop);

	(void)at;
	p->conn->stream.stop = NULL;
	set_rate(p, p->rate);
}

/* -- a stream of HTTP/2 -- */

static void
stream_reached(struct stream_stop *stop, uint64_t at)
{
	struct limit_pace *p = pace_of(stop);
	struct loop *l = p->all->loop;
	uint64_t ms, n;

	if (p->since_ms == 0 || l->now_ms - p->since_ms > CREDIT_MS)
		p->since_ms = l->now_ms - (p->since_ms == 0 ? STEP_MS :
		    CREDIT_MS);
	ms = l->now_ms - p->since_ms;
	n = p->rate * ms / 1000;
	if (ms < STEP_MS || n == 0) {
		wheel_set(&l->wheel, &p->timer, p->since_ms + STEP_MS +
		    1000 / p->rate);
		return;
	}
	/* Heads go as a whole. */
	p->stop.at = at + n;
	p->since_ms += n * 1000 / p->rate;
}

static void
stream_goes_on(struct wheel_timer *t)
{
	struct limit_pace *p = (struct limit_pace *)(void *)((char *)t -
	    offsetof(struct limit_pace, timer));

	stream_flush_later(&p->conn->stream);
}

/* -- both -- */

static void
pace_begin(struct limit_pace *p)
{
	struct stream *s = &p->conn->stream;

	p->is_on = 1;
	p->stop.at = p->from + p->after;
	p->stop.reached = p->conn->framed == NULL ? socket_reached :
	    stream_reached;
	if (p->conn->framed == NULL)
		set_rate(p, p->stop.at <= s->sent ? p->rate : UINT64_MAX);
	if (p->conn->framed != NULL || p->stop.at > s->sent)
		s->stop = &p->stop;
}

static void	pace_ended(struct http_errand *);

static struct limit_pace *
pace_of_request(const struct http_req *r)
{
	struct http_errand *e;

	LIST_FOREACH(e, &r->errands, link)
		if (e->ended == pace_ended)
			return (struct limit_pace *)(void *)e;
	return NULL;
}

/* Of those whose answers are waiting on a connection, the first. */
static struct limit_pace *
pace_next(const struct http_conn *c)
{
	struct limit_pace *p;
	struct http_req *r;

	TAILQ_FOREACH(r, &c->unsent, link)
		if ((p = pace_of_request(r)) != NULL)
			return p;
	return c->req != NULL ? pace_of_request(c->req) : NULL;
}

static void
pace_stop(struct limit_pace *p)
{
	struct stream *s = &p->conn->stream;

	if (s->stop == &p->stop)
		s->stop = NULL;
	if (s->io.fd >= 0)
		set_socket(s->io.fd, UINT64_MAX, INT_MAX);
	wheel_remove(&p->all->loop->wheel, &p->timer);
}

static void
pace_ended(struct http_errand *e)
{
	struct limit_pace *p = (struct limit_pace *)(void *)e, *next;

	if (p->is_on) {
		pace_stop(p);
		if ((next = pace_next(p->conn)) != NULL)
			pace_begin(next);
	}
	p->next_spare = p->all->spare_paces;
	p->all->spare_paces = p;
}

static struct limit_pace *
pace_new(struct limits *all)
{
	struct limit_pace *p = all->spare_paces;

	if (p != NULL)
		all->spare_paces = p->next_spare;
	else
		p = xmalloc(sizeof(*p));
	memset(p, 0, sizeof(*p));
	p->errand.ended = pace_ended;
	p->timer.fire = stream_goes_on;
	p->all = all;
	return p;
}

int32_t
pace_enter(struct http_gate *gate, struct http_req *r)
{
	struct limits *all = ((struct limit_gate *)(void *)gate)->all;
	struct limit_pace *p = pace_of_request(r);
	int first = pace_next(r->conn) == p;

	/* Of a route that has passed. */
	if (p != NULL && p->is_on)
		pace_stop(p);
	if (p == NULL) {
		p = pace_new(all);
		LIST_INSERT_HEAD(&r->errands, &p->errand, link);
	}
	p->conn = r->conn;
	p->rate = r->route->rate < RATE_MOST ? r->route->rate : RATE_MOST;
	p->after = r->route->rate_after;
	p->from = r->conn->stream.queued;
	if (first)
		pace_begin(p);
	return HOSTD_OK;
}

void
pace_close(struct limits *all)
{
	struct limit_pace *p;

	while ((p = all->spare_paces) != NULL) {
		all->spare_paces = p->next_spare;
		free(p);
	}
}
