/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "guests.h"

#define EVENTS 256

void
guest_dial(struct guests *k, struct guest *g)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = g };

	if (g->fd != -1)
		close(g->fd);
	g->fd = client_connect(k->o);
	if (epoll_ctl(k->ep, EPOLL_CTL_ADD, g->fd, &ev) == -1)
		err(1, "epoll_ctl");
}

void
guest_say(struct guest *g, const void *p, size_t n)
{
	if (send(g->fd, p, n, MSG_NOSIGNAL) != (ssize_t)n)
		err(1, "send");
	g->n = 0;
}

static void
come(struct guests *k, struct guest *g)
{
	g->step = 0;
	g->sid[0] = '\0';
	guest_dial(k, g);
	k->come(k, g);
}

/* 1: it has left as it should. */
static int
has_left(struct guests *k, struct guest *g)
{
	ssize_t n = recv(g->fd, g->buf + g->n, sizeof(g->buf) - 1 - g->n,
	    MSG_DONTWAIT);

	if (n == -1 && errno == EAGAIN)
		return 0;
	if (n == -1)
		err(1, "recv");
	if (n == 0) {
		if (g->step != k->left)
			errx(1, "the server closed at step %d", g->step);
		return 1;
	}
	g->n += (size_t)n;
	g->buf[g->n] = '\0';
	k->look(k, g);
	return 0;
}

void
guests_run(struct guests *k)
{
	struct guest *guests = calloc(k->o->connections, sizeof(*guests));
	struct epoll_event ev[EVENTS];
	uint64_t count = 0;
	double start;
	int i, n;

	if (guests == NULL || (k->ep = epoll_create1(0)) == -1)
		err(1, "guests");
	say_ready();
	start = now_seconds();
	for (i = 0; i < (int)k->o->connections; i++) {
		guests[i].fd = -1;
		come(k, &guests[i]);
	}
	while (now_seconds() < start + k->o->seconds) {
		if ((n = epoll_wait(k->ep, ev, EVENTS, 5000)) == 0)
			errx(1, "the server is stuck");
		for (i = 0; i < n; i++)
			if (has_left(k, ev[i].data.ptr)) {
				count++;
				come(k, ev[i].data.ptr);
			}
	}
	say_result(count, start);
	free(guests);
}
