/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"

#define LOOP_EVENTS 256
#define CLOSE_MS 200	/* for a lookup that a thread is at */

static _Thread_local int loop_thread;

/* libuv's loop that a thread was still at; known here for leak checkers. */
static uv_loop_t *left_behind;

int
loop_is_here(void)
{
	return loop_thread;
}

uint64_t
loop_clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
loop_keeper_woken(uv_async_t *async)
{
	(void)async;
}

static void
loop_uv_ready(struct loop_fd *fd, uint32_t events)
{
	struct loop *l = (struct loop *)((char *)fd -
	    offsetof(struct loop, uv_fd));

	(void)events;
	l->uv_dirty = 1;
}

int
loop_init(struct loop *l)
{
	int rc;

	TAILQ_INIT(&l->tasks);
	TAILQ_INIT(&l->running);
	TAILQ_INIT(&l->hooks);
	l->stopping = 0;
	l->uv_dirty = 1;
	l->nevents = 0;
	l->turn = 0;
	l->now_ms = loop_clock_ms();
	wheel_init(&l->wheel, l->now_ms);
	if ((l->epfd = epoll_create1(EPOLL_CLOEXEC)) == -1)
		return -1;
	l->uv = xmalloc(sizeof(*l->uv));
	if ((rc = uv_loop_init(l->uv)) != 0)
		goto free_uv;
	if ((rc = uv_async_init(l->uv, &l->keeper, loop_keeper_woken)) != 0)
		goto close_uv;
	l->uv_fd.fd = uv_backend_fd(l->uv);
	l->uv_fd.ready = loop_uv_ready;
	loop_thread = 1;
	if (loop_add(l, &l->uv_fd, EPOLLIN) == 0)
		return 0;
	rc = -errno;
	uv_close((uv_handle_t *)&l->keeper, NULL);
	uv_run(l->uv, UV_RUN_NOWAIT);
close_uv:
	uv_loop_close(l->uv);
free_uv:
	free(l->uv);
	close(l->epfd);
	errno = -rc;
	return -1;
}

void
loop_turn_uv(struct loop *l, int ms)
{
	struct pollfd p = { .fd = uv_backend_fd(l->uv), .events = POLLIN };

	(void)poll(&p, 1, ms);
	uv_run(l->uv, UV_RUN_NOWAIT);
}

/* Until nothing of it is alive, or for CLOSE_MS. */
static void
loop_finish_uv(struct loop *l)
{
	struct pollfd p = { .fd = uv_backend_fd(l->uv), .events = POLLIN };
	uint64_t now = loop_clock_ms(), end = now + CLOSE_MS;

	while (uv_run(l->uv, UV_RUN_NOWAIT) != 0 && now < end) {
		(void)poll(&p, 1, (int)(end - now));
		now = loop_clock_ms();
	}
}

void
loop_close(struct loop *l)
{
	uv_close((uv_handle_t *)&l->keeper, NULL);
	loop_finish_uv(l);
	if (uv_loop_close(l->uv) == 0)
		free(l->uv);
	else
		left_behind = l->uv;
	l->uv = NULL;
	close(l->epfd);
	l->epfd = -1;
}

void
loop_exit(int status)
{
	if (left_behind == NULL)
		exit(status);
	(void)fflush(NULL);
	_exit(status);
}

int
loop_add(struct loop *l, struct loop_fd *fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = fd };

	return epoll_ctl(l->epfd, EPOLL_CTL_ADD, fd->fd, &ev);
}

void
loop_move(struct loop *l, struct loop_fd *fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = fd };

	/* It needs no memory, so it fails for mistakes of ours only. */
	if (epoll_ctl(l->epfd, EPOLL_CTL_MOD, fd->fd, &ev) == -1)
		fatal("moving a descriptor of the event loop");
}

void
loop_del(struct loop *l, struct loop_fd *fd)
{
	struct epoll_event ev = { .events = 0 };

	(void)epoll_ctl(l->epfd, EPOLL_CTL_DEL, fd->fd, &ev);
}

enum { LOOP_TASKS = 1, LOOP_RUNNING };

void
loop_defer(struct loop *l, struct loop_task *t)
{
	if (t->queued)
		return;
	t->queued = LOOP_TASKS;
	TAILQ_INSERT_TAIL(&l->tasks, t, link);
}

void
loop_undefer(struct loop *l, struct loop_task *t)
{
	if (t->queued == LOOP_TASKS)
		TAILQ_REMOVE(&l->tasks, t, link);
	else if (t->queued == LOOP_RUNNING)
		TAILQ_REMOVE(&l->running, t, link);
	t->queued = 0;
}

void
loop_hook_add(struct loop *l, struct loop_hook *h)
{
	TAILQ_INSERT_TAIL(&l->hooks, h, link);
}

/*
 * libuv registers new watchers only when it polls, so a callback that starts
 * one needs a second run.
 */
static void
loop_run_uv(struct loop *l)
{
	l->uv_dirty = 0;
	uv_run(l->uv, UV_RUN_NOWAIT);
	uv_run(l->uv, UV_RUN_NOWAIT);
}

static int
loop_uv_timeout(struct loop *l)
{
	int t;

	if (l->uv_dirty)
		return 0;
	if ((t = uv_backend_timeout(l->uv)) <= 0)
		return t;
	uv_update_time(l->uv);
	return uv_backend_timeout(l->uv);
}

static int
loop_timeout(struct loop *l)
{
	int a, b;

	if (!TAILQ_EMPTY(&l->tasks))
		return 0;
	a = loop_uv_timeout(l);
	b = wheel_timeout(&l->wheel, l->now_ms);
	if (a < 0)
		return b;
	return b < 0 || a < b ? a : b;
}

/* Only what was queued before: a task that queues itself waits a turn. */
static void
loop_run_tasks(struct loop *l)
{
	struct loop_task *t;

	TAILQ_FOREACH(t, &l->tasks, link)
		t->queued = LOOP_RUNNING;
	TAILQ_CONCAT(&l->running, &l->tasks, link);
	while ((t = TAILQ_FIRST(&l->running)) != NULL) {
		loop_undefer(l, t);
		t->run(t);
	}
}

void
loop_turn(struct loop *l)
{
	struct epoll_event ev[LOOP_EVENTS];
	struct loop_fd *fd;
	struct loop_hook *h;
	int i, n;

	n = epoll_wait(l->epfd, ev, LOOP_EVENTS, loop_timeout(l));
	if (n == -1 && errno != EINTR)
		fatal("epoll_wait");
	l->now_ms = loop_clock_ms();
	l->nevents = n;
	l->turn++;
	for (i = 0; i < n; i++) {
		fd = ev[i].data.ptr;
		if (fd->fd != -1)
			fd->ready(fd, ev[i].events);
	}
	if (l->uv_dirty || loop_uv_timeout(l) == 0)
		loop_run_uv(l);
	wheel_advance(&l->wheel, l->now_ms);
	loop_run_tasks(l);
	TAILQ_FOREACH(h, &l->hooks, link)
		h->run(h);
}

void
loop_run(struct loop *l)
{
	while (!l->stopping)
		loop_turn(l);
}

void
loop_stop(struct loop *l)
{
	l->stopping = 1;
}
