/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.control/1: instances ask, the master answers (host/master/asked.c). */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/control.h>
#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "plugin/control_service.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"

#define ASKS_MAX	32		/* of an instance */
#define LIMIT_MS_MAX	3600000u
#define NAME_BYTES	255
#define ANSWER_MAX	(1024 * 1024)	/* bytes */

struct plugin_ask {
	LIST_ENTRY(plugin_ask) link;	/* of its instance */
	struct instance *in;
	uint32_t id;
	struct wheel_timer timer;
	struct buf answer;		/* as far as it has come */
	void (*done)(struct hostd_inst *, void *, int32_t, hostd_buf);
	void *arg;
};

/* -- answers -- */

static void
ask_free(struct plugin_ask *a)
{
	wheel_remove(&a->in->all->loop->wheel, &a->timer);
	LIST_REMOVE(a, link);
	a->in->nasks--;
	buf_free(&a->answer);
	free(a);
}

static void
ask_done(struct plugin_ask *a, int32_t status)
{
	struct instance *in = a->in;
	struct plugin_ask was = *a;
	hostd_buf answer = { was.answer.p, was.answer.len };
	uint64_t entered;

	memset(&a->answer, 0, sizeof(a->answer));
	ask_free(a);
	entered = instance_enter(in, BOARD_CB_ANSWERED);
	was.done(in->inst, was.arg, status, answer);
	instance_leave(in, entered);
	buf_free(&was.answer);
}

static void
ask_late(struct wheel_timer *t)
{
	struct plugin_ask *a = (struct plugin_ask *)(void *)((char *)t -
	    offsetof(struct plugin_ask, timer));

	a->answer.len = 0;
	ask_done(a, HOSTD_E_TIMEOUT);
}

static struct plugin_ask *
ask_find(struct plugins *all, uint32_t id)
{
	struct instance *in;
	struct plugin_ask *a;

	TAILQ_FOREACH(in, &all->instances, link)
		LIST_FOREACH(a, &in->asks, link)
			if (a->id == id)
				return a;
	return NULL;
}

void
control_service_told(struct plugins *all, const struct chan_msg *m)
{
	struct chan_told told;
	struct plugin_ask *a;
	size_t n = m->len - sizeof(told);

	memcpy(&told, m->data, sizeof(told));
	if ((a = ask_find(all, told.id)) == NULL)
		return;		/* it was too late */
	if (n > 0)
		buf_append(&a->answer, m->data + sizeof(told), n);
	if (!told.more)
		ask_done(a, told.status);
}

void
control_service_orphaned(struct plugins *all)
{
	struct instance *in;

	all->orphaned = 1;
	TAILQ_FOREACH(in, &all->instances, link)
		while (!LIST_EMPTY(&in->asks))
			ask_done(LIST_FIRST(&in->asks), HOSTD_E_IO);
}

void
control_service_stop(struct instance *in)
{
	while (!LIST_EMPTY(&in->asks))
		ask_free(LIST_FIRST(&in->asks));
}

/* -- asking -- */

static int
is_change(uint32_t what)
{
	return what >= HOSTD_CONTROL_RELOAD && what <= HOSTD_CONTROL_RESTART;
}

static int
order_is_sound(const struct hostd_control_order *o)
{
	return o != NULL && o->struct_size >= sizeof(*o) &&
	    (is_change(o->what) || (o->what >= HOSTD_CONTROL_NODE &&
	    o->what <= HOSTD_CONTROL_LOG)) &&
	    o->name.n <= NAME_BYTES && o->user.n <= NAME_BYTES &&
	    o->limit_ms > 0 && o->limit_ms <= LIMIT_MS_MAX;
}

static int32_t
order_send(const struct instance *in, uint32_t id,
    const struct hostd_control_order *o)
{
	struct chan_ask head = { .id = id, .what = o->what,
		.number = o->number, .max = ANSWER_MAX };
	struct buf b = { 0 };
	int rc, error;

	buf_append(&b, &head, sizeof(head));
	pack_text(&b, in->conf->name);
	pack_bytes(&b, o->name.p, o->name.n);
	pack_bytes(&b, o->user.p, o->user.n);
	rc = chan_send(CHAN_FD, CHAN_ASK, b.p, b.len, NULL, 0);
	error = errno;
	buf_free(&b);
	if (rc == 0)
		return HOSTD_OK;
	return error == EAGAIN ? HOSTD_E_FULL : HOSTD_E_IO;
}

static int32_t
api_may(const struct hostd_host *host)
{
	struct instance *in = host->ctx;
	int32_t rc = instance_check_thread(in, "may");

	if (rc != HOSTD_OK)
		return rc;
	return conf_is_controller(in->all->conf, in->conf->name,
	    in->all->cell->pool) ? HOSTD_OK : HOSTD_E_NOTSUP;
}

static int32_t
api_ask(const struct hostd_host *host, const struct hostd_control_order *o,
    void (*done)(struct hostd_inst *, void *, int32_t, hostd_buf), void *arg)
{
	struct instance *in = host->ctx;
	struct plugins *all = in->all;
	struct plugin_ask *a;
	int32_t rc = api_may(host);

	if (rc != HOSTD_OK)
		return rc;
	if (done == NULL || !order_is_sound(o))
		return HOSTD_E_INVAL;
	/* Before start there may be a probe, which the master tells nothing. */
	if (!in->created || all->server == NULL || in->ending)
		return HOSTD_E_STATE;
	if (all->orphaned)
		return HOSTD_E_IO;
	if (in->nasks >= ASKS_MAX)
		return HOSTD_E_FULL;
	rc = order_send(in, ++all->last_ask, o);
	if (rc != HOSTD_OK)
		return rc;
	a = xcalloc(1, sizeof(*a));
	a->in = in;
	a->id = all->last_ask;
	a->done = done;
	a->arg = arg;
	a->timer.fire = ask_late;
	wheel_set(&all->loop->wheel, &a->timer, all->loop->now_ms +
	    o->limit_ms);
	LIST_INSERT_HEAD(&in->asks, a, link);
	in->nasks++;
	return HOSTD_DEFER;
}

const struct hostd_control_api *
control_service(void)
{
	static const struct hostd_control_api api = {
		.struct_size = sizeof(struct hostd_control_api),
		.may = api_may,
		.ask = api_ask,
	};

	return &api;
}
