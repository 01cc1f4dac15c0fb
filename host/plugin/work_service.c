/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.work/1 over libuv's thread pool. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/work.h>
#include "base/log.h"
#include "base/mem.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"
#include "sandbox/sandbox.h"

#define WORKS_MAX 4096	/* of a worker */

struct plugin_work {
	uv_work_t uv;			/* first */
	LIST_ENTRY(plugin_work) link;
	struct instance *in;
	void (*work)(void *);
	void (*done)(struct hostd_inst *, void *, int32_t);
	void *arg;
};

/* Whose work this thread does. */
static _Thread_local const struct instance *working;

static void
work_run(uv_work_t *uv)
{
	struct plugin_work *w = (struct plugin_work *)(void *)uv;

	working = w->in;
	w->work(w->arg);
	working = NULL;
}

/* The board tells what the loop's thread was doing; if another one has crashed,
 * that is beside the point. */
static void
blame_work(void)
{
	struct board_cell *cell;

	if (working == NULL)
		return;
	cell = working->all->cell;
	atomic_store(&cell->callback, BOARD_CB_WORK);
	atomic_store(&cell->plugin, working->index + 1);
}

static void
work_crashed(int sig)
{
	blame_work();
	log_last_words();
	(void)raise(sig);	/* when we return, as if we had not been here */
}

void
work_service_watch(void)
{
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	struct sigaction sa = { .sa_handler = work_crashed,
		.sa_flags = (int)SA_RESETHAND }, before;
	size_t i;

	sandbox_set_blame(blame_work);
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		/* Not where a sanitizer watches. */
		if (sigaction(sigs[i], NULL, &before) == 0 &&
		    before.sa_handler == SIG_DFL)
			(void)sigaction(sigs[i], &sa, NULL);
}

static void
work_done(uv_work_t *uv, int status)
{
	struct plugin_work *w = (struct plugin_work *)(void *)uv;
	struct instance *in = w->in;
	uint64_t entered;

	LIST_REMOVE(w, link);
	in->all->nworks--;
	if (in->created || in->creating) {
		entered = instance_enter(in, BOARD_CB_WORK_DONE);
		w->done(in->inst, w->arg, status == 0 ? HOSTD_OK :
		    HOSTD_E_GONE);
		instance_leave(in, entered);
	}
	free(w);
}

static int32_t
work_submit(const struct hostd_host *host, void (*work)(void *),
    void (*done)(struct hostd_inst *, void *, int32_t), void *arg)
{
	struct instance *in = host->ctx;
	struct plugins *all = in->all;
	struct plugin_work *w;
	int32_t rc;

	if ((rc = instance_check_thread(in, "work submit")) != 0)
		return rc;
	if (work == NULL || done == NULL)
		return HOSTD_E_INVAL;
	if (in->ending)
		return HOSTD_E_STATE;
	if (all->nworks >= WORKS_MAX)
		return HOSTD_E_FULL;
	w = xcalloc(1, sizeof(*w));
	w->in = in;
	w->work = work;
	w->done = done;
	w->arg = arg;
	LIST_INSERT_HEAD(&in->works, w, link);
	all->nworks++;
	(void)uv_queue_work(loop_uv(all->loop), &w->uv, work_run, work_done);
	return HOSTD_OK;
}

size_t
work_service_cancel(struct instance *in)
{
	struct plugin_work *w;
	size_t n = 0;

	LIST_FOREACH(w, &in->works, link) {
		(void)uv_cancel((uv_req_t *)&w->uv);
		n++;
	}
	return n;
}

const struct hostd_work_api *
work_service(void)
{
	static const struct hostd_work_api api = {
		.struct_size = sizeof(struct hostd_work_api),
		.submit = work_submit,
	};

	return &api;
}
