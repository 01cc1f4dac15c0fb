/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "config/files.h"
#include "http/request.h"
#include "plugin/fetch.h"
#include "plugin/instance.h"
#include "plugin/net_service.h"
#include "plugin/offers.h"
#include "plugin/plugins.h"
#include "plugin/post.h"

uint64_t
instance_enter(struct instance *in, enum board_callback cb)
{
	struct board_cell *cell = in->all->cell;
	uint64_t now = loop_clock_ms();

	atomic_store_explicit(&cell->callback, (uint32_t)cb,
	    memory_order_relaxed);
	atomic_store_explicit(&cell->entered_ms, now, memory_order_relaxed);
	atomic_store_explicit(&cell->plugin, in->index + 1,
	    memory_order_relaxed);
	return now;
}

void
instance_leave(struct instance *in, uint64_t entered)
{
	struct board_cell *cell = in->all->cell;
	uint64_t ms = loop_clock_ms() - entered;

	board_add(&cell->counters.callbacks, 1);
	board_add(&cell->counters.callback_ms, ms);
	if (in->index < BOARD_PLUGINS) {
		board_add(&cell->uses[in->index].calls, 1);
		board_add(&cell->uses[in->index].ms, ms);
	}
	if (ms > (uint64_t)in->all->conf->callback_budget) {
		board_add(&cell->counters.slow_callbacks, 1);
		log_warnx("plugin %s: %s took %" PRIu64 " ms and kept all "
		    "connections waiting (callback_budget is %" PRId64 " ms)",
		    in->conf->name, board_callback_name(
		    atomic_load_explicit(&cell->callback,
		    memory_order_relaxed)), ms,
		    in->all->conf->callback_budget);
	}
	atomic_store_explicit(&cell->plugin, 0, memory_order_relaxed);
	atomic_store_explicit(&cell->callback, BOARD_CB_NONE,
	    memory_order_relaxed);
}

void
request_enter(struct instance *in, const struct http_req *r,
    enum board_callback cb, struct request_call *call)
{
	call->traced = trace_enter(r == NULL ? NULL : request_trace(r));
	call->entered = instance_enter(in, cb);
}

void
request_leave(struct instance *in, const struct request_call *call)
{
	instance_leave(in, call->entered);
	trace_leave(call->traced);
}

void
instance_enter_within(struct instance *in, enum board_callback cb,
    struct instance_outer *out)
{
	struct board_cell *cell = in->all->cell;

	out->plugin = atomic_load_explicit(&cell->plugin,
	    memory_order_relaxed);
	out->callback = atomic_load_explicit(&cell->callback,
	    memory_order_relaxed);
	out->entered_ms = atomic_load_explicit(&cell->entered_ms,
	    memory_order_relaxed);
	out->entered = instance_enter(in, cb);
}

void
instance_leave_within(struct instance *in, const struct instance_outer *out)
{
	struct board_cell *cell = in->all->cell;

	instance_leave(in, out->entered);
	if (out->plugin == 0)
		return;
	atomic_store_explicit(&cell->callback, out->callback,
	    memory_order_relaxed);
	atomic_store_explicit(&cell->entered_ms, out->entered_ms,
	    memory_order_relaxed);
	atomic_store_explicit(&cell->plugin, out->plugin,
	    memory_order_relaxed);
}

int32_t
instance_check_thread(struct instance *in, const char *function)
{
	if (loop_is_here())
		return 0;
	log_errorx("plugin %s: called %s from a thread of its own; only log, "
	    "now_ms, post and metric updates may be", in->conf->name,
	    function);
	return HOSTD_E_THREAD;
}

static void
instance_name_on_board(struct instance *in)
{
	struct board_cell *cell = in->all->cell;

	if (in->index >= BOARD_PLUGINS)
		return;
	(void)snprintf(cell->plugins[in->index], sizeof(cell->plugins[0]),
	    "%s", in->conf->name);
	(void)snprintf(cell->modules[in->index], sizeof(cell->modules[0]),
	    "%.32s %.24s", in->module->desc.id, in->module->desc.version);
}

static int
instance_create(struct instance *in, struct conf_errors *errs)
{
	struct hostd_err err = { .struct_size = sizeof(err) };
	uint64_t entered;
	int32_t rc;

	in->creating = 1;
	entered = instance_enter(in, BOARD_CB_CREATE);
	rc = in->module->desc.create(&in->host, &in->values.view, &in->inst,
	    &err);
	instance_leave(in, entered);
	in->creating = 0;
	if (rc == HOSTD_OK) {
		in->created = 1;
		return 0;
	}
	err.msg[sizeof(err.msg) - 1] = '\0';
	if (err.msg[0] == '\0')
		(void)snprintf(err.msg, sizeof(err.msg), "create failed with "
		    "code %d and gave no reason", rc);
	conf_error(errs, &in->conf->pos, "plugin \"%s\" (%s): %s",
	    in->conf->name, in->module->display, err.msg);
	return -1;
}

/* rest of a directory of the instance's own, which is made.  NULL: an error was
 * added. */
static char *
state_path(const struct instance *in, const char *key, const char *rest,
    struct conf_errors *errs)
{
	char *dir = xasprintf("%s/%s", in->all->conf->plugin_state,
	    in->conf->name);
	char *path = NULL;

	if (mkdir(dir, 0700) == 0 || errno == EEXIST)
		path = xasprintf("%s/%s", dir, rest);
	else
		conf_error(errs, &in->conf->pos, "plugin \"%s\": %s: can't "
		    "make directory %s: %s; make it, owned by the user that "
		    "workers run as (uid %u), or set another state_dir, or %s",
		    in->conf->name, key, dir, strerror(errno),
		    (unsigned)geteuid(), key);
	free(dir);
	return path;
}

/* A plugin does not know where the configuration is, nor where things are
 * kept. */
static int
resolve_paths(const struct instance *in, struct conf_values *values,
    struct conf_errors *errs)
{
	static const char state[] = "$state/";
	struct conf_val *v;
	char *path;
	size_t i, k;

	for (i = 0; i < values->n; i++) {
		v = &values->vals[i];
		for (k = 0; k < v->nblocks; k++)
			if (resolve_paths(in, &v->blocks[k].values, errs) == -1)
				return -1;
		if (v->key->type != HOSTD_KEY_PATH || v->text == NULL ||
		    v->text[0] == '\0')
			continue;
		path = strncmp(v->text, state, sizeof(state) - 1) == 0 ?
		    state_path(in, v->key->name, v->text + sizeof(state) - 1,
		    errs) : conf_path(in->all->conf->file, v->text);
		if (path == NULL)
			return -1;
		free(v->text);
		v->text = path;
	}
	return 0;
}

static void
instance_find_tables(struct instance *in)
{
	const struct module *m = in->module;
	size_t i;

	for (i = 0; i < m->nprovides; i++) {
		if (m->provides[i].http != NULL)
			in->route = m->provides[i].http;
		if (m->provides[i].ws != NULL)
			in->ws = m->provides[i].ws;
		if (m->provides[i].pubsub != NULL)
			in->pubsub = m->provides[i].pubsub;
		if (m->provides[i].balancer != NULL)
			in->picks = m->provides[i].balancer;
		if (m->provides[i].store != NULL)
			in->keeps = m->provides[i].store;
	}
	in->state = m->state;
	in->ws_state = m->ws_state;
}

struct instance *
instance_new(struct plugins *all, const struct module *m,
    const struct conf_plugin *conf, struct conf_errors *errs)
{
	struct instance *in = xcalloc(1, sizeof(*in));

	in->all = all;
	in->module = m;
	in->conf = conf;
	in->index = all->ninstances;
	LIST_INIT(&in->timers);
	LIST_INIT(&in->works);
	LIST_INIT(&in->conns);
	LIST_INIT(&in->fetches);
	LIST_INIT(&in->ops);
	LIST_INIT(&in->asks);
	LIST_INIT(&in->uses);
	LIST_INIT(&in->subs);
	if (conf_check(conf->node, m->keys, conf_plugin_keys, &in->values,
	    errs) != 0)
		goto fail;
	if (resolve_paths(in, &in->values, errs) == -1)
		goto fail;
	instance_find_tables(in);
	core_service_bind(in);
	conf_view_bind(&in->values);
	http_binding_init(in);
	ws_binding_init(in);
	pubsub_binding_init(in);
	balancer_binding_init(in);
	store_binding_init(in);
	instance_name_on_board(in);
	if (offers_attach(in, errs) == -1 || instance_create(in, errs) == -1)
		goto fail;
	all->ninstances++;
	return in;
fail:
	instance_stop(in);
	instance_destroy(in);
	return NULL;
}

int
instance_start(struct instance *in, struct conf_errors *errs)
{
	uint64_t entered;
	int32_t rc;

	rc = HOSTD_OK;
	if (in->module->desc.start != NULL) {
		entered = instance_enter(in, BOARD_CB_START);
		rc = in->module->desc.start(in->inst);
		instance_leave(in, entered);
	}
	in->started = 1;
	if (rc >= 0)
		return 0;
	conf_error(errs, &in->conf->pos, "plugin \"%s\" (%s): start failed "
	    "with code %d; its own log lines may say more", in->conf->name,
	    in->module->display, rc);
	return -1;
}

void
instance_drain(struct instance *in, uint32_t deadline_ms)
{
	uint64_t entered;

	if (in->module->desc.drain == NULL)
		return;
	entered = instance_enter(in, BOARD_CB_DRAIN);
	in->module->desc.drain(in->inst, deadline_ms);
	instance_leave(in, entered);
}

size_t
instance_stop(struct instance *in)
{
	post_forget(in);
	timer_service_stop(in);
	net_service_stop(in);
	fetch_service_stop(in);
	channel_service_stop(in);
	op_service_stop(in);
	control_service_stop(in);
	return work_service_cancel(in);
}

void
instance_destroy(struct instance *in)
{
	uint64_t entered;

	if (in->created && in->module->desc.destroy != NULL) {
		entered = instance_enter(in, BOARD_CB_DESTROY);
		in->module->desc.destroy(in->inst);
		instance_leave(in, entered);
	}
	offers_detach(in);
	/* A refused create may have left work on a thread. */
	if (!LIST_EMPTY(&in->works))
		return;
	conf_values_free(&in->values);
	free(in);
}
