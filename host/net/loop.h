/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker's event loop.
 *
 * Client sockets sit in an epoll set of our own, edge-triggered, registered
 * once in their life; libuv's loop sits in the same set as one descriptor and
 * is run when it has something to do (uv_backend_fd(3) is made for that).  So
 * libuv serves what it is best at - thread pool, timers, wake-ups, libraries
 * that bring a libuv adapter - while a request costs no more system calls
 * than in a bare epoll server, and a descriptor that is handed to another
 * process does not have to be pried out of a handle.
 *
 * One turn: wait, callbacks of descriptors, libuv, timeouts, then what was
 * deferred (loop_defer), then the hooks.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <uv.h>
#include "net/wheel.h"

struct loop_fd {
	int fd;
	/* events: EPOLLIN...; may be called after loop_del within the same
	 * turn unless fd is set to -1. */
	void (*ready)(struct loop_fd *, uint32_t events);
};

/* Something to do at the end of this turn. */
struct loop_task {
	TAILQ_ENTRY(loop_task) link;
	int queued;		/* 0, or which list it is on */
	void (*run)(struct loop_task *);
};

struct loop_hook {
	TAILQ_ENTRY(loop_hook) link;
	void (*run)(struct loop_hook *);
};

struct loop {
	int epfd;
	int stopping;
	int uv_dirty;		/* handles were added from outside libuv */
	int nevents;		/* of this turn */
	uint64_t turn;			/* number of the present one */
	uint64_t now_ms;	/* monotonic; fixed during a turn */
	struct loop_fd uv_fd;
	uv_loop_t *uv;		/* of its own: it may have to be left behind */
	uv_async_t keeper;	/* keeps libuv's loop alive, wakes ours */
	struct wheel wheel;
	TAILQ_HEAD(loop_tasks, loop_task) tasks, running;
	TAILQ_HEAD(, loop_hook) hooks;
};

/* 0 or -1 with errno. */
int	loop_init(struct loop *);
/*
 * All handles are closed, all requests finished or cancelled; but a lookup that
 * a thread is at can't be cancelled.  It is waited for a moment, then left
 * behind with libuv's loop: the process ends by loop_exit.
 */
void	loop_close(struct loop *);
/* exit(3), which would wait for the thread that was left behind. */
void	loop_exit(int status) __attribute__((noreturn));
/* Until loop_stop. */
void	loop_run(struct loop *);
void	loop_stop(struct loop *);
/* One turn; waits for something to happen. */
void	loop_turn(struct loop *);
/* libuv's part alone, for a loop that is ending; waits for ms at most. */
void	loop_turn_uv(struct loop *, int ms);

int	loop_add(struct loop *, struct loop_fd *, uint32_t events);
/* The descriptor, which is in the set, is this one's from now on. */
void	loop_move(struct loop *, struct loop_fd *, uint32_t events);
void	loop_del(struct loop *, struct loop_fd *);
/* Tasks deferred while tasks run come in the next turn, without waiting. */
void	loop_defer(struct loop *, struct loop_task *);
void	loop_undefer(struct loop *, struct loop_task *);
void	loop_hook_add(struct loop *, struct loop_hook *);
/* To be called after starting or closing a libuv handle. */
static inline uv_loop_t *
loop_uv(struct loop *l)
{
	l->uv_dirty = 1;
	return l->uv;
}

/* Is this the thread that runs the loop? */
int	loop_is_here(void);
/* Milliseconds, coarse and cheap, of the same clock as now_ms. */
uint64_t loop_clock_ms(void);

#endif
