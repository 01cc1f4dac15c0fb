/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stddef.h>
#include <unistd.h>
#include "base/log.h"
#include "net/acceptor.h"

#define ACCEPT_MIN	1	/* a quiet loop: no call that finds nothing */
#define ACCEPT_MAX	64
#define COMPLAIN_MS	5000
#define REST_MS		100

static void	acceptor_ready(struct loop_fd *, uint32_t);
static void	acceptor_rested(struct wheel_timer *);

void
acceptor_init(struct acceptor *a, struct loop *loop, int fd, int shared)
{
	a->io.fd = fd;
	a->io.ready = acceptor_ready;
	a->rested.fire = acceptor_rested;
	a->loop = loop;
	a->shared = shared;
}

static int
acceptor_watch(struct acceptor *a)
{
	return loop_add(a->loop, &a->io, EPOLLIN |
	    (a->shared ? (uint32_t)EPOLLEXCLUSIVE : 0));
}

int
acceptor_start(struct acceptor *a)
{
	if (a->on)
		return 0;
	if (acceptor_watch(a) == -1)
		return -1;
	a->on = 1;
	return 0;
}

void
acceptor_stop(struct acceptor *a)
{
	if (!a->on)
		return;
	if (a->resting)
		wheel_remove(&a->loop->wheel, &a->rested);
	else
		loop_del(a->loop, &a->io);
	a->on = a->resting = 0;
}

/* Whoever can't be accepted keeps the socket ready: look away for a while. */
static void
acceptor_rest(struct acceptor *a)
{
	if (!a->on || a->resting)
		return;
	loop_del(a->loop, &a->io);
	a->resting = 1;
	wheel_set(&a->loop->wheel, &a->rested, a->loop->now_ms + REST_MS);
}

static void
acceptor_rested(struct wheel_timer *t)
{
	struct acceptor *a = (struct acceptor *)(void *)((char *)t -
	    offsetof(struct acceptor, rested));

	a->resting = 0;
	if (acceptor_watch(a) == -1) {
		a->on = 0;
		log_warn("listening again");
	}
}

static void
acceptor_complain(struct acceptor *a)
{
	uint64_t now = a->loop->now_ms;

	if (a->muted_ms != 0 && now - a->muted_ms < COMPLAIN_MS)
		return;
	a->muted_ms = now;
	log_warn("accepting a connection%s", errno == EMFILE ?
	    " (raise the limit of open files or lower max_connections)" : "");
}

/* 1: one was accepted, go on; 0: stop. */
static int
acceptor_one(struct acceptor *a)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd;

	ss.ss_family = AF_UNSPEC;
	fd = accept4(a->io.fd, (struct sockaddr *)&ss, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1) {
		if (errno == EINTR || errno == ECONNABORTED)
			return 1;
		if (errno != EAGAIN) {
			acceptor_complain(a);
			acceptor_rest(a);
			if (a->starved != NULL)
				a->starved(a);
		}
		return 0;
	}
	return a->accepted(a, fd, (struct sockaddr *)&ss) == 0;
}

/* As many as the loop is busy: at low load one call, that finds one; in a
 * storm a batch. */
static void
acceptor_ready(struct loop_fd *fd, uint32_t events)
{
	struct acceptor *a = (struct acceptor *)(void *)fd;
	int i, n = ACCEPT_MIN + a->loop->nevents / 4;

	(void)events;
	for (i = 0; i < n && i < ACCEPT_MAX && a->on && !a->resting; i++)
		if (!acceptor_one(a))
			break;
}

void
acceptor_empty(struct acceptor *a)
{
	while (acceptor_one(a))
		;
}

void
acceptor_close(struct acceptor *a)
{
	acceptor_stop(a);
	if (a->io.fd != -1)
		close(a->io.fd);
	a->io.fd = -1;
}
