/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.timer/1 over libuv's timers. */
#include <stdlib.h>
#include <hostd/timer.h>
#include "base/mem.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"

#define TIMERS_MAX 65536	/* of an instance */

struct plugin_timer {
	uv_timer_t uv;			/* first */
	LIST_ENTRY(plugin_timer) link;
	struct instance *in;
	uint64_t id;
	void (*fn)(struct hostd_inst *, hostd_timer, void *);
	void *arg;
};

static void
timer_closed(uv_handle_t *h)
{
	free(h);
}

static void
timer_end(struct plugin_timer *t)
{
	handle_free(&t->in->all->timers, t->id);
	LIST_REMOVE(t, link);
	t->in->ntimers--;
	(void)loop_uv(t->in->all->loop);
	uv_close((uv_handle_t *)&t->uv, timer_closed);
}

static void
timer_fire(uv_timer_t *uv)
{
	struct plugin_timer *t = (struct plugin_timer *)(void *)uv;
	struct instance *in = t->in;
	hostd_timer id = { t->id };
	void (*fn)(struct hostd_inst *, hostd_timer, void *) = t->fn;
	void *arg = t->arg;
	uint64_t entered;

	if (uv_timer_get_repeat(uv) == 0)
		timer_end(t);
	entered = instance_enter(in, BOARD_CB_TIMER);
	fn(in->inst, id, arg);
	instance_leave(in, entered);
}

static int32_t
timer_start(const struct hostd_host *host, uint64_t delay_ms,
    uint64_t repeat_ms, void (*fn)(struct hostd_inst *, hostd_timer, void *),
    void *arg, hostd_timer *out)
{
	struct instance *in = host->ctx;
	struct plugins *all = in->all;
	struct plugin_timer *t;
	int32_t rc;

	if ((rc = instance_check_thread(in, "timer start")) != 0)
		return rc;
	if (fn == NULL || out == NULL)
		return HOSTD_E_INVAL;
	if (in->ending)
		return HOSTD_E_STATE;
	if (in->ntimers == TIMERS_MAX)
		return HOSTD_E_FULL;
	t = xcalloc(1, sizeof(*t));
	if ((t->id = handle_new(&all->timers, t)) == 0) {
		free(t);
		return HOSTD_E_FULL;
	}
	t->in = in;
	t->fn = fn;
	t->arg = arg;
	uv_timer_init(loop_uv(all->loop), &t->uv);
	uv_update_time(loop_uv(all->loop));
	uv_timer_start(&t->uv, timer_fire, delay_ms, repeat_ms);
	LIST_INSERT_HEAD(&in->timers, t, link);
	in->ntimers++;
	out->id = t->id;
	return HOSTD_OK;
}

static int32_t
timer_stop(const struct hostd_host *host, hostd_timer id)
{
	struct instance *in = host->ctx;
	struct plugin_timer *t;
	int32_t rc;

	if ((rc = instance_check_thread(in, "timer stop")) != 0)
		return rc;
	t = handle_get(&in->all->timers, id.id);
	if (t == NULL || t->in != in)
		return HOSTD_E_GONE;
	timer_end(t);
	return HOSTD_OK;
}

void
timer_service_stop(struct instance *in)
{
	struct plugin_timer *t;

	while ((t = LIST_FIRST(&in->timers)) != NULL)
		timer_end(t);
}

const struct hostd_timer_api *
timer_service(void)
{
	static const struct hostd_timer_api api = {
		.struct_size = sizeof(struct hostd_timer_api),
		.start = timer_start,
		.stop = timer_stop,
	};

	return &api;
}
