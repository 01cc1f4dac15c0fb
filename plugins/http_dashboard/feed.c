/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the page is told, as JSON:
 *
 *	{"type":"hello", "title":, "user":, "actions": bool, "controls": bool,
 *	 "csrf":, "history": [sample...], "log": text} and what a tick has;
 *	controls: what only the master knows will come, if it is not there
 *	{"type":"tick", "sample": sample or null, "status": of hostd.status/1,
 *	 "node": of hostd.control/1 or null, "rooms": of rooms.c or null,
 *	 "log": text, "log_kind": text}
 *
 * One text is made each second for all who look here, and none if nobody does;
 * only a sample is taken now and then, for those who come later.
 */
#include <time.h>
#include "dashboard.h"

#define TICK_MS		1000
#define IDLE_MS		5000
#define ROOMS_TICKS	3	/* between two looks at all rooms */

static uint64_t
clock_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* -- what there is to tell -- */

/* The node's state, without what has no place here; NULL: not to be had. */
static json_t *
status_read(struct hostd_inst *in)
{
	hostd_buf text;
	json_t *o;

	if (in->status->json(in->easy.host, &text) != HOSTD_OK)
		return NULL;
	o = json_loadb(text.p, text.n, 0, NULL);
	(void)json_object_del(o, "metrics");
	return o;
}

static json_t *
known(json_t *o)
{
	return o != NULL ? json_incref(o) : json_null();
}

static json_t *
sample_next(struct hostd_inst *in, const json_t *status)
{
	struct sample s;

	if (!sample_take(&in->counters, status, clock_ms(), &s))
		return json_null();
	ring_add(&in->ring, &s);
	return sample_json(&s);
}

/* Takes what is new of the log. */
static json_t *
tick_json(struct hostd_inst *in, json_t *status)
{
	json_t *sample = sample_next(in, status);
	size_t n = in->log_fresh;

	in->log_fresh = 0;
	return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:s}", "type", "tick",
	    "sample", sample, "status", status, "node", known(in->node),
	    "rooms", known(in->rooms), "log", json_stringn(n > 0 ?
	    in->log + in->log_n - n : "", n), "log_kind", in->log_kind);
}

static int32_t
send_json(struct hostd_inst *in, const struct viewer *v, const json_t *o,
    uint32_t flags)
{
	char *text = json_dumps(o, JSON_COMPACT);
	int32_t rc = HOSTD_E_NOMEM;

	if (text != NULL)
		rc = in->easy.ws->send(in->easy.host, v->ws, hostd_str(text),
		    HOSTD_WS_TEXT | flags);
	free(text);
	return rc;
}

/* All there is, with what a tick has; what is fresh comes with the next one. */
static void
greet(struct hostd_inst *in, struct viewer *v, const json_t *tick)
{
	json_t *o = json_copy((json_t *)(uintptr_t)tick);

	(void)json_object_set_new(o, "type", json_string("hello"));
	(void)json_object_set_new(o, "title", json_stringn(in->title.p,
	    in->title.n));
	(void)json_object_set_new(o, "user", json_string(v->visit.user));
	(void)json_object_set_new(o, "actions",
	    json_boolean(v->visit.may_act));
	(void)json_object_set_new(o, "controls", json_boolean(watch_may(in)));
	(void)json_object_set_new(o, "csrf", json_string(v->token));
	(void)json_object_set_new(o, "history", ring_json(&in->ring));
	(void)json_object_set_new(o, "log", json_stringn(in->log != NULL ?
	    in->log : "", in->log_n - in->log_fresh));
	v->behind = send_json(in, v, o, HOSTD_WS_VOLATILE) < 0;
	json_decref(o);
}

/* -- when -- */

static void
tell_all(struct hostd_inst *in, const json_t *tick)
{
	char *text = json_dumps(tick, JSON_COMPACT);
	struct viewer *v;

	TAILQ_FOREACH(v, &in->viewers, link) {
		if (v->behind)
			greet(in, v, tick);
		else if (text != NULL && in->easy.ws->send(in->easy.host,
		    v->ws, hostd_str(text), HOSTD_WS_TEXT |
		    HOSTD_WS_VOLATILE) < 0)
			v->behind = 1;
	}
	free(text);
}

static void
on_tick(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	json_t *status = status_read(in), *tick;

	(void)timer;
	(void)arg;
	if (status == NULL)
		return;
	if (TAILQ_EMPTY(&in->viewers)) {
		json_decref(sample_next(in, status));
		json_decref(status);
		return;
	}
	tick = tick_json(in, status);
	tell_all(in, tick);
	json_decref(tick);
	watch_ask(in);
	if (in->ticks++ % ROOMS_TICKS == 0)
		rooms_ask(in);
}

static int32_t
feed_every(struct hostd_inst *in, uint64_t ms)
{
	if (in->timer.id != 0)
		(void)in->timers->stop(in->easy.host, in->timer);
	return in->timers->start(in->easy.host, ms, ms, on_tick, NULL,
	    &in->timer);
}

int32_t
feed_start(struct hostd_inst *in)
{
	return feed_every(in, IDLE_MS);
}

/* -- who looks -- */

/* The first to look starts the clock; what the master knows comes with the next
 * tick. */
void
feed_open(struct hostd_inst *in, struct viewer *v)
{
	int first = TAILQ_EMPTY(&in->viewers);
	json_t *status = status_read(in), *tick;

	TAILQ_INSERT_TAIL(&in->viewers, v, link);
	if (first) {
		in->log_fresh = 0;
		(void)feed_every(in, TICK_MS);
		watch_ask(in);
		rooms_ask(in);
	}
	v->behind = 1;
	if (status == NULL)
		return;
	tick = json_pack("{s:n,s:o,s:o,s:o,s:s}", "sample", "status", status,
	    "node", known(in->node), "rooms", known(in->rooms), "log_kind",
	    in->log_kind);
	greet(in, v, tick);
	json_decref(tick);
}

void
feed_close(struct hostd_inst *in, struct viewer *v)
{
	TAILQ_REMOVE(&in->viewers, v, link);
	if (TAILQ_EMPTY(&in->viewers))
		(void)feed_every(in, IDLE_MS);
}

void
feed_drain(struct hostd_inst *in)
{
	struct viewer *v;

	TAILQ_FOREACH(v, &in->viewers, link)
		(void)in->easy.ws->close(in->easy.host, v->ws,
		    HOSTD_WS_RESTART, hostd_str("this worker is replaced"));
}
