/* SPDX-License-Identifier: BSD-2-Clause */
/* An exchange's life: servers are picked, connections made, tries fail. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "upstream/direct.h"
#include "upstream/exchange.h"

#define SEND_MS		60000
#define READ_MS		60000
#define OUT_KEPT	16384	/* of memory, for the next use */

static const struct stream_ops exchange_stream_ops;

uint64_t
exchange_clock_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static struct loop *
loop_of(const struct up_exchange *x)
{
	return x->group->all->loop;
}

void
exchange_wake(struct up_exchange *x)
{
	loop_defer(loop_of(x), &x->task);
}

/* -- time -- */

void
exchange_arm(struct up_exchange *x, uint32_t ms)
{
	struct loop *l = loop_of(x);
	uint64_t when;

	x->step_ms = ms == 0 ? 0 : l->now_ms + ms;
	when = x->all_ms;
	if (x->step_ms != 0 && (when == 0 || x->step_ms < when))
		when = x->step_ms;
	if (when != 0)
		wheel_set(&l->wheel, &x->timer, when);
	else
		wheel_clear(&x->timer);
}

static void
exchange_late(struct wheel_timer *t)
{
	struct up_exchange *x = (struct up_exchange *)(void *)((char *)t -
	    offsetof(struct up_exchange, timer));
	uint64_t now = loop_of(x)->now_ms, ms = now - x->began_ms;
	char text[ADDR_TEXT_MAX + 80];

	if (x->all_ms != 0 && now >= x->all_ms) {
		exchange_over(x, HOSTD_E_TIMEOUT,
		    "the time for all of it is over");
		return;
	}
	(void)snprintf(text, sizeof(text), "%s: %s for %u ms", x->peer->text,
	    x->state == UP_SEND ? "it takes no more of the request" :
	    x->state == UP_BODY ? "no more of the answer comes" :
	    "no answer comes", x->state == UP_SEND ? x->rules.send_ms :
	    x->rules.read_ms);
	(void)exchange_failed(x, HOSTD_NEXT_TIMEOUT, UP_WHY_TIMEOUT,
	    ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms, text);
}

/* -- the end of a try -- */

static int32_t
ms_of(uint64_t us)
{
	return us / 1000 > INT32_MAX ? INT32_MAX : (int32_t)(us / 1000);
}

/* What it would have been answered with, as nginx counts those that failed. */
static int
status_of(const struct up_exchange *x, int32_t rc)
{
	if (x->status != 0)
		return x->status;
	return rc == HOSTD_E_TIMEOUT ? 504 : rc == HOSTD_E_IO ? 502 : 0;
}

static void
log_try(struct up_exchange *x, int32_t rc, uint64_t total_us)
{
	struct http_try *t = x->try;

	if (t == NULL)
		return;
	t->status = status_of(x, rc);
	if (x->state > UP_CONNECT)
		t->connect_ms = ms_of(x->connect_us);
	if (x->header_us != 0)
		t->header_ms = ms_of(x->header_us + x->sent_us - x->try_us);
	t->response_ms = ms_of(total_us);
	x->try = NULL;
}

static void
count_upgraded(struct up_exchange *x, int on)
{
	struct up_count *c = peer_count(x->peer);

	if (on == x->upgraded)
		return;
	x->upgraded = (uint8_t)on;
	/* Only we write it. */
	atomic_store_explicit(&c->upgraded, atomic_load_explicit(&c->upgraded,
	    memory_order_relaxed) + (on ? 1u : -1u), memory_order_relaxed);
}

void
exchange_report(struct up_exchange *x, int32_t rc, uint32_t why, uint32_t what)
{
	uint64_t total = exchange_clock_us() - x->try_us;
	struct hostd_report r = {
		.struct_size = sizeof(r),
		.rc = rc,
		.status = x->status,
		.connect_us = x->connect_us,
		.header_us = x->header_us,
		.total_us = total
	};
	struct up_peer *p = x->peer;

	if (p == NULL)
		return;
	log_try(x, rc, total);
	count_upgraded(x, 0);
	x->peer = NULL;
	group_report(p, &x->search, &r, why, what);
}

void
exchange_drop(struct up_exchange *x)
{
	if (x->link != NULL)
		link_close(x->link);
	x->link = NULL;
}

/* Nothing of it is left but memory for the next. */
static void
exchange_close(struct up_exchange *x)
{
	exchange_drop(x);
	x->state = UP_DONE;
	wheel_remove(&loop_of(x)->wheel, &x->timer);
	loop_undefer(loop_of(x), &x->task);
	buf_free(&x->in);
	buf_free(&x->last);
	trailers_free(&x->trailers);
	if (x->out.cap > OUT_KEPT)
		buf_free(&x->out);
}

void
exchange_over(struct up_exchange *x, int32_t status, const char *text)
{
	int32_t rc = status;

	/* Too large an answer is none of the server's failures, nor is what
	 * becomes of a tunnel, nor time that somebody else has taken. */
	if (status == HOSTD_E_FULL || x->upgraded)
		rc = HOSTD_OK;
	else if (status == HOSTD_E_TIMEOUT && x->state != UP_CONNECT &&
	    x->state != UP_HEAD)
		rc = HOSTD_E_GONE;
	exchange_report(x, rc, rc == HOSTD_E_TIMEOUT ? UP_WHY_TIMEOUT :
	    UP_WHY_IO, 0);
	exchange_close(x);
	x->ops->end(x, status, text);
}

int
exchange_answered(struct up_exchange *x)
{
	struct up_link *k = x->link;

	if (k != NULL && x->keepalive && !x->surplus && x->end_queued &&
	    x->error == 0 && stream_pending(&k->stream) == 0) {
		x->link = NULL;
		link_keep(k);
	}
	exchange_over(x, HOSTD_OK, "");
	return -1;
}

/* -- the next one -- */

/* All that was given is lost, and to be given again. */
static void
start_over(struct up_exchange *x)
{
	x->over = x->complete = 0;
	x->given = 0;
	x->last.len = 0;
	x->rewound = x->owed = 1;
}

static void
begin_try(struct up_exchange *x)
{
	if (x->over)
		start_over(x);
	x->try_us = exchange_clock_us();
	x->sent_us = x->connect_us = x->header_us = 0;
	x->error = x->status = 0;
	x->fresh = x->got = x->end_queued = x->stalled = 0;
	memset(&x->guard, 0, sizeof(x->guard));
	x->in.len = 0;
}

static void
opened(struct up_link *k, int error, const char *text)
{
	struct up_exchange *x = k->user;

	if (error == 0) {
		x->connect_us = exchange_clock_us() - x->try_us;
		(void)exchange_send(x);
		return;
	}
	(void)exchange_failed(x, error == ETIMEDOUT ? HOSTD_NEXT_TIMEOUT :
	    HOSTD_NEXT_ERROR, connect_is_ours(error) ? UP_WHY_NONE :
	    UP_WHY_CONNECT, (uint32_t)error, text);
}

/*
 * One that is kept, and on which the server has said nothing meanwhile: that
 * would be taken for the answer.  It does so when it has been idle for long;
 * one that has just been used is looked at only if asking twice would do harm.
 */
static struct up_link *
kept_link(struct up_exchange *x)
{
	uint64_t now = loop_of(x)->now_ms;
	struct up_link *k;

	while ((k = link_reuse(x->peer, &exchange_stream_ops, x)) != NULL) {
		if ((x->rules.is_idempotent && k->kept_ms == now) ||
		    !link_is_stale(k))
			return k;
		link_close(k);
	}
	return NULL;
}

int
exchange_connect(struct up_exchange *x, int anew)
{
	uint32_t ms = x->rules.connect_ms;

	begin_try(x);
	if (!anew && (x->link = kept_link(x)) != NULL)
		return exchange_send(x);
	if (ms == 0)
		ms = (uint32_t)x->group->conf->connect_timeout;
	x->fresh = 1;
	x->state = UP_CONNECT;
	x->link = link_open(x->peer, &exchange_stream_ops, x, ms, opened);
	exchange_arm(x, 0);
	return 0;
}

static void
note_try(struct up_exchange *x)
{
	if (x->log == NULL)
		return;
	x->try = tries_add(x->log);
	(void)snprintf(x->try->addr, sizeof(x->try->addr), "%.*s",
	    TRIES_ADDR - 1, x->peer->text);
}

/* Nobody was there to be tried: the group has failed. */
static void
note_nobody(struct up_exchange *x)
{
	struct http_try *t;

	if (x->log == NULL)
		return;
	t = tries_add(x->log);
	(void)snprintf(t->addr, sizeof(t->addr), "%s", x->group->conf->name);
	t->status = 503;
}

int
exchange_use(struct up_exchange *x, struct up_peer *p)
{
	x->peer = p;
	x->ntries++;
	note_try(x);
	return exchange_connect(x, 0);
}

static int
exchange_pick(struct up_exchange *x)
{
	struct up_peer *p;
	char text[160];
	int full;

	if (x->server.len != 0)
		return exchange_use(x, direct_take(x->group, &x->server));
	x->search.request = x->view;
	if (group_pick(x->group, &x->search, &p, &full) == HOSTD_OK)
		return exchange_use(x, p);
	(void)snprintf(text, sizeof(text), "no server of upstream \"%.64s\" "
	    "can be had: %s", x->group->conf->name, full ?
	    "all are at their max_conns" : "none is up");
	note_nobody(x);
	exchange_over(x, HOSTD_E_FULL, text);
	return -1;
}

/* -- the stream's events -- */

static struct up_exchange *
exchange_of(struct stream *s)
{
	return ((struct up_link *)(void *)s)->user;
}

/* Tell the owner what there is, in one go. */
static void
exchange_turn(struct up_exchange *x)
{
	const struct up_exchange_ops *ops = x->ops;
	int rc;

	if (x->state == UP_SWITCHED && x->error != 0) {
		(void)exchange_failed(x, 0, UP_WHY_IO, (uint32_t)x->error,
		    strerror(x->error));
		return;
	}
	if (ops->enter != NULL)
		ops->enter(x);
	rc = exchange_sent(x);
	if (rc == 0)
		rc = exchange_read(x);
	if (rc == -1)
		return;
	if (ops->leave != NULL)
		ops->leave(x);
}

static void
exchange_event(struct stream *s)
{
	exchange_turn(exchange_of(s));
}

static void
exchange_lost(struct stream *s, int error)
{
	struct up_exchange *x = exchange_of(s);

	/* What came before a reset can still be read. */
	x->error = error;
	s->can_read = 1;
	exchange_turn(x);
}

static void
exchange_half_closed(struct stream *s)
{
	(void)s;	/* reading finds it, behind what came before */
}

static const struct stream_ops exchange_stream_ops = {
	.readable = exchange_event,
	.sent = exchange_event,
	.failed = exchange_lost,
	.half_closed = exchange_half_closed,
};

static void
exchange_run(struct loop_task *t)
{
	struct up_exchange *x = (struct up_exchange *)(void *)((char *)t -
	    offsetof(struct up_exchange, task));

	if (x->cancelled)
		exchange_over(x, HOSTD_E_GONE, "cancelled");
	else if (x->state == UP_PICK)
		(void)exchange_pick(x);
	else if (x->link != NULL && x->state != UP_CONNECT)
		exchange_turn(x);
}

/* -- the owner's -- */

static void
set_rules(struct up_rules *rules, const struct hostd_fetch_request *r)
{
	rules->next = r->next != 0 ? r->next :
	    HOSTD_NEXT_ERROR | HOSTD_NEXT_TIMEOUT;
	rules->tries = r->tries != 0 && r->tries < UP_TRIES_MAX ? r->tries :
	    UP_TRIES_MAX;
	rules->next_ms = r->next_timeout_ms;
	rules->connect_ms = r->connect_timeout_ms;
	rules->send_ms = r->send_timeout_ms != 0 ? r->send_timeout_ms :
	    SEND_MS;
	rules->read_ms = r->read_timeout_ms != 0 ? r->read_timeout_ms :
	    READ_MS;
	rules->max_body = r->max_body;
}

int32_t
exchange_start(struct up_exchange *x, const struct hostd_fetch_request *r,
    const char **why)
{
	const size_t from = offsetof(struct up_exchange, state);
	struct loop *l = loop_of(x);
	int32_t rc;

	memset((char *)x + from, 0, offsetof(struct up_exchange, search) +
	    offsetof(struct up_search, room) - from);
	x->state = UP_DONE;
	x->proxy_len = 0;
	set_rules(&x->rules, r);
	if (r->server.n > 0 && direct_parse(r->server, &x->server, why) == -1)
		return HOSTD_E_INVAL;
	if ((rc = ask_make(x, r, why)) != HOSTD_OK)
		return rc;
	x->state = UP_PICK;
	x->task.run = exchange_run;
	x->timer.fire = exchange_late;
	x->began_ms = l->now_ms;
	x->all_ms = r->timeout_ms != 0 ? l->now_ms + r->timeout_ms : 0;
	exchange_arm(x, 0);
	exchange_wake(x);
	return HOSTD_OK;
}

void
exchange_pause(struct up_exchange *x, int on)
{
	x->paused = on != 0;
	if (x->state < UP_SEND || x->state > UP_BODY)
		return;
	if (on) {
		if (x->state != UP_SEND)
			exchange_arm(x, 0);
		return;
	}
	exchange_arm(x, x->state == UP_SEND ? x->rules.send_ms :
	    x->rules.read_ms);
	exchange_wake(x);
}

int
exchange_is_timed(const struct up_exchange *x)
{
	/* Connecting has a limit that is not here. */
	return x->state <= UP_CONNECT || x->timer.deadline != 0;
}

void
exchange_cancel(struct up_exchange *x)
{
	x->cancelled = 1;
	exchange_wake(x);
}

void
exchange_stop(struct up_exchange *x)
{
	exchange_report(x, HOSTD_E_GONE, UP_WHY_NONE, 0);
	exchange_close(x);
}

void
exchange_forget(struct up_exchange *x)
{
	if (x->peer != NULL)
		log_try(x, HOSTD_E_GONE, exchange_clock_us() - x->try_us);
	group_forget(&x->search);
	x->view = NULL;
	x->log = NULL;
}

void
exchange_switched(struct up_exchange *x)
{
	exchange_drop(x);
	/* It may be long until the next use. */
	buf_free(&x->in);
	buf_free(&x->out);
	wheel_clear(&x->timer);
	count_upgraded(x, 1);
}

void
exchange_free(struct up_exchange *x)
{
	buf_free(&x->out);
}
