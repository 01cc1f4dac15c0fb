/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include "base/log.h"
#include "base/mem.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"
#include "plugin/post.h"

/* What is posted from now on waits for the next turn. */
static void
post_run(uv_async_t *async)
{
	struct plugins *all = async->data;
	struct plugin_post *p;
	uint64_t entered;

	if (all->post_turn == all->loop->turn) {
		uv_async_send(async);
		return;
	}
	all->post_turn = all->loop->turn;
	pthread_mutex_lock(&all->post_lock);
	STAILQ_CONCAT(&all->posts_running, &all->posts);
	pthread_mutex_unlock(&all->post_lock);
	while ((p = STAILQ_FIRST(&all->posts_running)) != NULL) {
		STAILQ_REMOVE_HEAD(&all->posts_running, link);
		entered = instance_enter(p->in, BOARD_CB_POST);
		p->fn(p->in->inst, p->arg);
		instance_leave(p->in, entered);
		free(p);
	}
}

void
post_init(struct plugins *all)
{
	STAILQ_INIT(&all->posts);
	STAILQ_INIT(&all->posts_running);
	pthread_mutex_init(&all->post_lock, NULL);
	if (uv_async_init(loop_uv(all->loop), &all->post_async, post_run) != 0)
		fatalx("can't make a wake-up descriptor");
	all->post_async.data = all;
}

int32_t
post_add(struct instance *in, void (*fn)(struct hostd_inst *, void *),
    void *arg)
{
	struct plugins *all = in->all;
	struct plugin_post *p = xmalloc(sizeof(*p));
	int ending;

	p->in = in;
	p->fn = fn;
	p->arg = arg;
	pthread_mutex_lock(&all->post_lock);
	if (!(ending = in->ending))
		STAILQ_INSERT_TAIL(&all->posts, p, link);
	pthread_mutex_unlock(&all->post_lock);
	if (ending) {
		free(p);
		return HOSTD_E_STATE;
	}
	uv_async_send(&all->post_async);
	return HOSTD_OK;
}

static void
posts_filter(struct plugin_posts *posts, const struct instance *in)
{
	struct plugin_posts keep = STAILQ_HEAD_INITIALIZER(keep);
	struct plugin_post *p;

	while ((p = STAILQ_FIRST(posts)) != NULL) {
		STAILQ_REMOVE_HEAD(posts, link);
		if (p->in == in)
			free(p);
		else
			STAILQ_INSERT_TAIL(&keep, p, link);
	}
	STAILQ_CONCAT(posts, &keep);
}

void
post_forget(struct instance *in)
{
	struct plugins *all = in->all;

	pthread_mutex_lock(&all->post_lock);
	in->ending = 1;
	posts_filter(&all->posts, in);
	pthread_mutex_unlock(&all->post_lock);
	posts_filter(&all->posts_running, in);
}

void
post_close(struct plugins *all)
{
	uv_close((uv_handle_t *)&all->post_async, NULL);
	(void)loop_uv(all->loop);
	pthread_mutex_destroy(&all->post_lock);
}
