/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connect, upgrade, close, and wait for the server to close; again and again,
 * on many connections at a time.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "client.h"

#define EVENTS 256

enum state { UPGRADING, CLOSING, CLOSED };

struct guest {
	int fd;
	enum state state;
	size_t n;
	char buf[1024];
};

struct connect {
	const struct options *o;
	char request[1024];
	uint8_t bye[FRAME_HEAD_MAX + 2];
	size_t nrequest, nbye;
	int ep;
};

static void
arrive(struct connect *k, struct guest *g)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = g };

	g->fd = client_connect(k->o);
	g->state = UPGRADING;
	g->n = 0;
	if (send(g->fd, k->request, k->nrequest, MSG_NOSIGNAL) !=
	    (ssize_t)k->nrequest)
		err(1, "send");
	if (epoll_ctl(k->ep, EPOLL_CTL_ADD, g->fd, &ev) == -1)
		err(1, "epoll_ctl");
}

/* What has come is the end of the next thing that we wait for. */
static void
look(struct connect *k, struct guest *g)
{
	char *end;

	g->buf[g->n] = '\0';
	if (g->state == UPGRADING) {
		if ((end = strstr(g->buf, "\r\n\r\n")) == NULL)
			return;
		if (!client_is_upgraded(k->o, g->buf) ||
		    end + 4 != g->buf + g->n)
			errx(1, "not upgraded: %s", g->buf);
		if (send(g->fd, k->bye, k->nbye, MSG_NOSIGNAL) !=
		    (ssize_t)k->nbye)
			err(1, "send");
		g->state = CLOSING;
		g->n = 0;
	} else if (g->n >= 4) {
		/* A close with the code that we sent. */
		if (memcmp(g->buf, "\x88\x02\x03\xe8", 4) != 0 || g->n > 4)
			errx(1, "no close came back");
		g->state = CLOSED;
	}
}

/* 1: it has left as it should. */
static int
has_left(struct connect *k, struct guest *g)
{
	ssize_t n = recv(g->fd, g->buf + g->n, sizeof(g->buf) - 1 - g->n,
	    MSG_DONTWAIT);

	if (n == -1 && errno == EAGAIN)
		return 0;
	if (n == -1)
		err(1, "recv");
	if (n == 0) {
		if (g->state != CLOSED)
			errx(1, "the server closed too early");
		close(g->fd);
		return 1;
	}
	g->n += (size_t)n;
	look(k, g);
	return 0;
}

void
load_connect(const struct options *o)
{
	struct connect k = { .o = o };
	struct guest *guests = calloc(o->connections, sizeof(*guests));
	struct epoll_event ev[EVENTS];
	uint64_t count = 0;
	double start;
	int i, n;

	if (guests == NULL || (k.ep = epoll_create1(0)) == -1)
		err(1, "connect");
	k.nrequest = client_request(o, k.request, sizeof(k.request));
	k.nbye = frame_put(k.bye, FRAME_FIN | OP_CLOSE, "\x03\xe8", 2);
	say_ready();
	start = now_seconds();
	for (i = 0; i < (int)o->connections; i++)
		arrive(&k, &guests[i]);
	while (now_seconds() < start + o->seconds) {
		if ((n = epoll_wait(k.ep, ev, EVENTS, 5000)) == 0)
			errx(1, "the server is stuck");
		for (i = 0; i < n; i++)
			if (has_left(&k, ev[i].data.ptr)) {
				count++;
				arrive(&k, ev[i].data.ptr);
			}
	}
	say_result(count, start);
	free(guests);
}
